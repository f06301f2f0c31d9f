internal import Addresses
package import CNI
internal import Netlink
internal import PluginConfigurations

extension Plan {
  /// Refuses addresses and routes of a result that the kernel would refuse, or would not have, when
  /// everything else is made.
  package func requireConfigurable(_ result: AttachmentResult) throws(AttachmentError) {
    let limit = RouteFaults.limit
    guard result.addresses.count <= limit, result.routes.count <= limit else {
      throw AttachmentError(
        .invalid,
        "\(result.addresses.count) addresses and \(result.routes.count) routes are too many",
        details: "a container gets at most \(limit) of each")
    }
    try requireMTU(for: result.addresses)
    try requireAddresses(of: result)
    try requireGateways(of: result)
    try requireDistinctRoutes(of: result)
  }

  private func requireAddresses(of result: AttachmentResult) throws(AttachmentError) {
    var seen: Set<IPPrefix> = []
    for address in result.addresses.map({ $0.address }) {
      guard address.address.isAssignable else {
        throw AttachmentError(
          .invalid, "the container cannot have the address \(address)",
          details: "no interface can: name another one in ipam")
      }
      guard seen.insert(address).inserted else {
        throw AttachmentError(
          .invalid, "the address \(address) is there twice", details: "take one of them out of ipam"
        )
      }
    }
  }

  /// Refuses a route of IPv4 by a gateway that the container could not reach: the kernel takes one
  /// only where an address's subnet has it, or a route before it that leads to the link itself.
  private func requireGateways(of result: AttachmentResult) throws(AttachmentError) {
    let addresses = result.addresses.map { $0.address }.filter { !$0.address.isIPv6 }
    var reachable = addresses
    for route in result.routes where !route.destination.address.isIPv6 {
      let made = route.onLink(0, result.addresses)
      guard let gateway = made.gateway else {
        reachable.append(route.destination)
        continue
      }
      guard made.table == Netlink.Route.mainTable, !addresses.isEmpty,
        !reachable.contains(where: { $0.contains(gateway) })
      else { continue }
      let subnets = addresses.map { $0.description }.joined(separator: ", ")
      throw AttachmentError(
        .invalid, "route \(route.destination): the container cannot reach the gateway \(gateway)",
        details:
          "its addresses are \(subnets): name a gateway of their subnet in ipam, or a route to "
          + "\(gateway)/32 with \"scope\": 253 before this one")
    }
  }

  /// Refuses a route that is there twice, also where one of the two names the gateway that the
  /// other has without a word.
  private func requireDistinctRoutes(of result: AttachmentResult) throws(AttachmentError) {
    var seen: Set<Netlink::Route> = []
    for route in result.routes {
      let made = route.onLink(0, result.addresses)
      let identity = Netlink::Route(
        to: made.destination.masked, via: made.gateway, link: 0, priority: made.priority,
        table: made.table)
      guard seen.insert(identity).inserted else {
        throw AttachmentError(
          .invalid, "the route \(identity) is there twice",
          details: "take one of them out of ipam")
      }
    }
  }
}
