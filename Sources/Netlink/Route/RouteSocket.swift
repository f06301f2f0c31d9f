public import Addresses
internal import CLinux
public import Linux

/// A route netlink socket (rtnetlink(7)) in the namespace it was made in, and for ever there.
///
/// The kernel works on a request within the send itself; a lock of its own that it waits for there
/// cannot be bounded. All other waits end at the deadline.
public final class RouteSocket {
  var socket: NetlinkSocket

  /// Makes a socket in the namespace of this process.
  public init() throws(RouteError) {
    do { socket = try NetlinkSocket(.route) } catch { throw .system(.open, error) }
  }

  /// Makes a socket in `namespace`.
  public init(in namespace: borrowing NetworkNamespace) throws(RouteError) {
    do { socket = try NetlinkSocket(.route, in: namespace) } catch {
      throw .system(.open, error)
    }
  }

  // MARK: - Reading

  /// The link; one that is not there is refused with `ENODEV`.
  public func link(_ link: LinkReference, until deadline: Deadline) throws(RouteError) -> Link {
    guard let found = try request(until: deadline, { $0.readLink(link) }).first else {
      throw .malformed(.readLink(link), .badLength(0, at: 0))
    }
    return found
  }

  /// All links of the namespace, in the order of their indexes.
  public func links(until deadline: Deadline) throws(RouteError) -> [Link] {
    var writer = AttributeWriter<LinkSpace>(LinkHeader().bytes)
    writer.put(.filter, UInt32(RTEXT_FILTER_SKIP_STATS))
    return try list(.listLinks, UInt16(RTM_GETLINK), writer.bytes, until: deadline)
  }

  /// The addresses of both families, of the link with `index`, or of all links if it is nil.
  public func addresses(of index: Int32? = nil, until deadline: Deadline) throws(RouteError)
    -> [LinkAddress]
  {
    let header = AddressHeader(family: UInt8(AF_UNSPEC), index: index ?? 0)
    let addresses: [LinkAddress] = try list(
      .listAddresses(of: index), UInt16(RTM_GETADDR), header.bytes, until: deadline)
    // Before Linux 4.20 the kernel lists those of all links.
    return addresses.filter { index == nil || $0.linkIndex == index }
  }

  /// The routes of `family`: of one table, or of all if it is nil; out of one link, or of all.
  public func routes(
    _ family: IPAddress.Family, table: UInt32? = Route.mainTable, link: Int32? = nil,
    until deadline: Deadline
  ) throws(RouteError) -> [Route] {
    let header = RouteHeader(family: family.number)
    var writer = AttributeWriter<RouteSpace>(header.bytes)
    writer.put(.table, table)
    writer.put(.link, link)
    let request = RouteRequest.listRoutes(family)
    do throws(RouteError) {
      let routes: [Route] = try list(request, UInt16(RTM_GETROUTE), writer.bytes, until: deadline)
      return routes.filter {
        (table == nil || $0.table == table) && (link == nil || $0.linkIndex == link)
      }
    } catch {
      // A table comes into being with its first route.
      if error.errno == .noSuchFileOrDirectory, table != nil { return [] }
      throw error
    }
  }

  /// The indexes of the links by which the kernel has learned IPv6 routes from router
  /// advertisements (RFC 4861 §6.3.4), in any table.
  public func linksWithAdvertisedRoutes(until deadline: Deadline) throws(RouteError) -> Set<Int32> {
    let header = RouteHeader(family: UInt8(AF_INET6), origin: UInt8(RTPROT_RA))
    let routes: [Route] = try list(
      .listRoutes(.v6), UInt16(RTM_GETROUTE), header.bytes, until: deadline)
    // Before Linux 4.20 the kernel lists those of all origins.
    return Set(routes.filter { $0.isAdvertised }.compactMap { $0.linkIndex })
  }

  /// Asks for a list and reads it, again when it changed under way (`NLM_F_DUMP_INTR`).
  func list<Item: Reported>(
    _ request: RouteRequest, _ type: UInt16, _ content: [UInt8], until deadline: Deadline
  ) throws(RouteError) -> [Item] {
    while true {
      let sequence = socket.takeSequence(1)
      var items: [Item] = []
      do {
        try socket.send(
          NetlinkSocket.message(
            type, flags: NLM_F_REQUEST | NLM_F_DUMP, sequence: sequence, content))
      } catch { throw .system(request, error) }
      if try readList(request, sequence, into: &items, until: deadline) { return items }
      if deadline.hasPassed { throw .timedOut(request) }
    }
  }

  /// Reads to the end of the list; false if it changed under way.
  private func readList<Item: Reported>(
    _ request: RouteRequest, _ sequence: UInt32, into items: inout [Item],
    until deadline: Deadline
  ) throws(RouteError) -> Bool {
    var isWhole = true
    var end: Acknowledgement?
    while end == nil {
      let datagram = try receive(for: request, until: deadline)
      do throws(NetlinkError) {
        var cursor = MessageCursor(datagram)
        while let message = try cursor.next() {
          guard message.sequence == sequence else { continue }
          if message.flags & UInt16(NLM_F_DUMP_INTR) != 0 { isWhole = false }
          switch message.type {
          case Item.answerType: try Item.decode(message.body, into: &items)
          case UInt16(NLMSG_ERROR), UInt16(NLMSG_DONE): end = try Acknowledgement(message)
          default: break
          }
        }
      } catch { throw .malformed(request, error) }
    }
    if let end, let errno = end.errno { throw .refused(request, errno, words: end.words) }
    return isWhole
  }

  /// The kernel's next datagram.
  func receive(for request: RouteRequest, until deadline: Deadline) throws(RouteError) -> [UInt8] {
    let datagram: [UInt8]?
    do { datagram = try socket.receive(until: deadline) } catch { throw .system(request, error) }
    guard let datagram else { throw .timedOut(request) }
    return datagram
  }
}
