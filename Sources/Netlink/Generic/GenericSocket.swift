internal import CLinux
public import Linux

/// A generic netlink socket (linux/genetlink.h) in the namespace it was made in.
public final class GenericSocket {
  var socket: NetlinkSocket

  /// Makes a socket in the namespace of this process.
  public init() throws(GenericError) {
    do { socket = try NetlinkSocket(.generic) } catch { throw .system(.open, error) }
  }

  /// The names of the families that the kernel has now. Nothing is loaded to find out.
  public func families(until deadline: Deadline) throws(GenericError) -> Set<String> {
    let request = GenericRequest.listFamilies
    let sequence = socket.takeSequence(1)
    do { try socket.send(Self.listing(sequence: sequence)) } catch {
      throw .system(request, error)
    }
    var names: Set<String> = []
    while true {
      let datagram: [UInt8]?
      do { datagram = try socket.receive(until: deadline) } catch { throw .system(request, error) }
      guard let datagram else { throw .timedOut(request) }
      let end: Acknowledgement?
      do { end = try Self.read(datagram, sequence, into: &names) } catch {
        throw .malformed(request, error)
      }
      guard let end else { continue }
      if let errno = end.errno { throw .refused(request, errno, words: end.words) }
      return names
    }
  }

  /// Reads the names of a part of the list; nil if this is not its end.
  private static func read(
    _ datagram: [UInt8], _ sequence: UInt32, into names: inout Set<String>
  ) throws(NetlinkError) -> Acknowledgement? {
    var end: Acknowledgement?
    var cursor = MessageCursor(datagram)
    while let message = try cursor.next() {
      guard message.sequence == sequence else { continue }
      switch message.type {
      case UInt16(GENL_ID_CTRL):
        let name = try Attributes<FamilyNameSpace>(message.body.dropFirst(4))[.name]
        if let name { names.insert(name) }
      case UInt16(NLMSG_ERROR), UInt16(NLMSG_DONE): end = try Acknowledgement(message)
      default: break
      }
    }
    return end
  }

  /// CTRL_CMD_GETFAMILY, of all of them.
  static func listing(sequence: UInt32) -> [UInt8] {
    // struct genlmsghdr: command, version, two octets of padding.
    NetlinkSocket.message(
      UInt16(GENL_ID_CTRL), flags: NLM_F_REQUEST | NLM_F_DUMP, sequence: sequence,
      [UInt8(CTRL_CMD_GETFAMILY), 1, 0, 0])
  }
}

/// What the kernel is asked for by generic netlink.
public enum GenericRequest: NetlinkRequest {
  /// Make a socket.
  case open
  /// List the families.
  case listFamilies

  /// What was attempted: `list the families of generic netlink`
  public var description: String {
    switch self {
    case .open: "open a netlink socket"
    case .listFamilies: "list the families of generic netlink"
    }
  }
  /// The kernel's numbers say enough.
  public func meaning(of errno: Errno) -> String? { nil }
}

/// A request of generic netlink that the kernel refused, or could not be asked.
public typealias GenericError = RequestError<GenericRequest>

extension NetlinkFamily {
  /// `linux/genetlink.h`
  static var generic: NetlinkFamily {
    NetlinkFamily(number: NETLINK_GENERIC, messageName: { _ in nil }, layout: { _ in nil })
  }
}

/// `linux/genetlink.h`: `CTRL_ATTR_…`
enum FamilyNameSpace {}

extension Attribute where Space == FamilyNameSpace, Value == String {
  static var name: Self { .init(CTRL_ATTR_FAMILY_NAME, "CTRL_ATTR_FAMILY_NAME") }
}
