public import Addresses
public import Linux
internal import Netlink

/// How the host reaches a container.
public struct ContainerRoute: Hashable, Sendable {
  /// The name of the link that packets to it leave by.
  public let link: String

  /// Finds the route to `address`; throws `.unreachable` where the host has none of its own, but
  /// would send packets for it where it sends everything, or nowhere.
  public init(to address: IPAddress, until deadline: Deadline) throws(PublishedPortsError) {
    let found: RouteLookup
    var isDefault = false
    do throws(RouteError) {
      let socket = try RouteSocket()
      found = try socket.route(to: address, until: deadline)
      if found.gateway != nil {
        isDefault = try Self.isDefault(address, socket, until: deadline)
      }
      link =
        try found.linkIndex.map { (index) throws(RouteError) in
          try socket.link(.index(index), until: deadline).name
        } ?? ""
    } catch {
      if case .refused(_, let errno, _) = error {
        throw .unreachable(address, reason: errno.description)
      }
      throw .route(error)
    }
    switch found.kind {
    case .unicast: break
    case .local: throw .unreachable(address, reason: "it is an address of the host")
    case .broadcast, .refused: throw .unreachable(address, reason: "packets to it are dropped")
    }
    if isDefault {
      throw .unreachable(
        address,
        reason:
          "only the default route leads there, to \(found.gateway.map { "\($0)" } ?? "")")
    }
  }

  /// Whether the route that fits best is the default route.
  private static func isDefault(
    _ address: IPAddress, _ socket: RouteSocket, until deadline: Deadline
  ) throws(RouteError) -> Bool {
    let routes = try socket.routes(address.family, table: nil, until: deadline)
    let lengths = routes.filter { $0.isUnicast && $0.destination.contains(address) }.map {
      $0.destination.length
    }
    return lengths.max() == 0
  }
}
