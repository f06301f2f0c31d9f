public import Addresses
internal import CLinux
public import Linux

/// How the kernel would send one packet: its answer to `ip route get`.
public struct RouteLookup: Hashable, Sendable {
  /// What becomes of the packet (`RTN_…` of `linux/rtnetlink.h`).
  public enum Kind: Hashable, Sendable {
    /// It leaves by a link.
    case unicast
    /// It is for this namespace itself.
    case local
    /// It is a broadcast or multicast.
    case broadcast
    /// A route says that it is dropped: `blackhole`, `unreachable`, `prohibit`.
    case refused
  }
  /// What becomes of it.
  public let kind: Kind
  /// The next hop; nil where the destination is attached to the link.
  public let gateway: IPAddress?
  /// The index of the link that it leaves by.
  public let linkIndex: Int32?
  /// The source address that a packet without one gets; nil where the kernel does not say.
  public let source: IPAddress?
}

/// What a namespace knows of a neighbour: an entry of its ARP or neighbour discovery table.
public struct Neighbour: Hashable, Sendable {
  /// The neighbour's address.
  public let address: IPAddress
  /// Nil while it is not known.
  public let mac: MACAddress?
  /// The index of the link it is reached by.
  public let linkIndex: Int32
  /// All of `NUD_…` of `linux/neighbour.h`.
  public let state: UInt16

  /// Whether it was set by hand, and no packet of the neighbour's changes it.
  public var isPermanent: Bool { state & UInt16(NUD_PERMANENT) != 0 }
  /// Whether the neighbour has not responded.
  public var isUnreachable: Bool { state & UInt16(NUD_FAILED | NUD_INCOMPLETE) != 0 }
}

extension RouteSocket {
  /// How a packet to `destination` would be sent; a destination without a route is refused with
  /// `ENETUNREACH`, one whose way back is by another link, where rp_filter is strict, with `EXDEV`.
  ///
  /// - Parameters:
  ///   - source: The packet's source address; nil where the kernel is to choose it.
  ///   - arrival: The index of the link by which the packet arrives to be forwarded; nil for a
  ///     packet of this namespace's own.
  public func route(
    to destination: IPAddress, from source: IPAddress? = nil, arrivingOn arrival: Int32? = nil,
    until deadline: Deadline
  ) throws(RouteError) -> RouteLookup {
    let header = RouteHeader(
      family: destination.family.number, destinationLength: UInt8(destination.bytes.count * 8))
    var writer = AttributeWriter<RouteSpace>(header.bytes)
    if let source {
      writer.bytes[2] = UInt8(source.bytes.count * 8)
      writer.put(.packetSource, source)
    }
    writer.put(.destination, destination)
    writer.put(.arrivalLink, arrival)
    let request = RouteRequest.findRoute(to: destination)
    let sequence = socket.takeSequence(1)
    do {
      try socket.send(
        NetlinkSocket.message(
          UInt16(RTM_GETROUTE), flags: NLM_F_REQUEST, sequence: sequence, writer.bytes))
    } catch { throw .system(request, error) }
    while true {
      let datagram = try receive(for: request, until: deadline)
      let answer: RouteLookup.Answer?
      do { answer = try RouteLookup.Answer(datagram, to: sequence) } catch {
        throw .malformed(request, error)
      }
      switch answer {
      case .found(let lookup): return lookup
      case .refused(let errno, let words): throw .refused(request, errno, words: words)
      case nil: continue
      }
    }
  }

  /// The neighbours that the namespace knows, of the link with `index`.
  public func neighbours(of index: Int32, until deadline: Deadline) throws(RouteError)
    -> [Neighbour]
  {
    // struct ndmsg (rtnetlink(7)). All of it is zero: the kernel takes the link from the attribute,
    // and with strict checks refuses any other member.
    var writer = AttributeWriter<NeighbourSpace>([UInt8](repeating: 0, count: 12))
    writer.put(.link, index)
    let all: [Neighbour] = try list(
      .listNeighbours(of: index), UInt16(RTM_GETNEIGH), writer.bytes, until: deadline)
    return all.filter { $0.linkIndex == index }
  }
}

extension RouteLookup {
  /// What the kernel answers to one lookup.
  enum Answer {
    case found(RouteLookup)
    case refused(Errno, words: String?)

    /// Nil where `datagram` has no answer to the request `sequence`.
    init?(_ datagram: [UInt8], to sequence: UInt32) throws(NetlinkError) {
      var cursor = MessageCursor(datagram)
      while let message = try cursor.next() {
        guard message.sequence == sequence else { continue }
        if message.type == UInt16(RTM_NEWROUTE) {
          self = .found(try RouteLookup(message.body))
          return
        }
        guard message.type == UInt16(NLMSG_ERROR) else { continue }
        let answer = try Acknowledgement(message)
        guard let errno = answer.errno else { continue }
        self = .refused(errno, words: answer.words)
        return
      }
      return nil
    }
  }

  init(_ body: ArraySlice<UInt8>) throws(NetlinkError) {
    let header = try RouteHeader(body)
    let attributes = try Attributes<RouteSpace>(body.dropFirst(RouteHeader.size))
    kind =
      switch CInt(header.type) {
      case CInt(RTN_UNICAST): .unicast
      case CInt(RTN_LOCAL): .local
      case CInt(RTN_BROADCAST), CInt(RTN_MULTICAST), CInt(RTN_ANYCAST): .broadcast
      default: .refused
      }
    if let address = try attributes[.gateway] {
      gateway = address
    } else {
      gateway = try attributes[.via]?.address
    }
    linkIndex = try attributes[.link]
    source = try attributes[.source]
  }
}

extension Neighbour: Reported {
  static var answerType: UInt16 { UInt16(RTM_NEWNEIGH) }

  static func decode(_ body: ArraySlice<UInt8>, into list: inout [Neighbour]) throws(NetlinkError) {
    guard let index: Int32 = body.integer(at: 4), let state: UInt16 = body.integer(at: 8) else {
      throw .badLength(body.count, at: body.startIndex)
    }
    let attributes = try Attributes<NeighbourSpace>(body.dropFirst(NeighbourSpace.headerSize))
    // A bridge has its learnt MAC addresses in the same table, without addresses.
    guard let address = try attributes[.address] else { return }
    list.append(
      Neighbour(address: address, mac: try attributes[.mac], linkIndex: index, state: state))
  }
}

/// `linux/neighbour.h`: `NDA_…`
enum NeighbourSpace: AttributeSpace {
  /// Of `struct ndmsg`.
  static let headerSize = 12
  static var names: [AttributeName] {
    [
      known(.address), known(.mac), .init(NDA_CACHEINFO, "NDA_CACHEINFO"),
      .init(NDA_PROBES, "NDA_PROBES"), known(.link), .init(NDA_MASTER, "NDA_MASTER"),
    ]
  }
}
extension Attribute where Space == NeighbourSpace, Value == IPAddress {
  static var address: Self { .init(NDA_DST, "NDA_DST") }
}
extension Attribute where Space == NeighbourSpace, Value == MACAddress {
  static var mac: Self { .init(NDA_LLADDR, "NDA_LLADDR") }
}
extension Attribute where Space == NeighbourSpace, Value == Int32 {
  static var link: Self { .init(NDA_IFINDEX, "NDA_IFINDEX") }
}
extension Attribute where Space == RouteSpace, Value == IPAddress {
  /// The source address of the packet that a route is looked up for.
  static var packetSource: Self { .init(RTA_SRC.rawValue, "RTA_SRC") }
}
extension Attribute where Space == RouteSpace, Value == Int32 {
  /// The link by which the packet arrives that a route is looked up for.
  static var arrivalLink: Self { .init(RTA_IIF.rawValue, "RTA_IIF") }
}
