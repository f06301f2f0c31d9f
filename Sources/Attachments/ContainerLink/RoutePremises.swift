internal import Addresses
package import CNI
internal import Netlink

extension Plan {
  /// Refuses addresses and routes that the container end could not have.
  package func requireConfigurable(_ result: AttachmentResult) throws(AttachmentError) {
    try requireMTU(for: result.addresses)
    try requireGateways(of: result)
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
}
