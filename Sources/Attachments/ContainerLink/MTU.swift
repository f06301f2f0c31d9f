internal import Addresses
internal import CNI
internal import Linux
internal import Netlink
internal import PluginConfigurations
package import PluginCore

extension Plan {
  /// The same with the MTU that both ends get: the configured one, else that of the bridge's own
  /// port, where there is a bridge. Open vSwitch lowers its internal ports to that of the smallest
  /// link, so that one of 1500 bytes would take a bridge of jumbo frames down.
  package func withMTU(_ survey: Survey, _ context: Context) -> Plan {
    guard let own = survey.links.bridge else { return self }
    var plan = self
    guard let mtu = configuration.mtu else {
      plan.mtu = own.mtu
      return plan
    }
    if mtu < own.mtu {
      context.log.write(
        .warning,
        "mtu \(mtu) is less than the \(own.mtu) of \"\(bridge)\": Open vSwitch lowers internal "
          + "ports without mtu_request; ovs-vsctl set Interface \(bridge) "
          + "mtu_request=\(own.mtu) keeps it")
    }
    return plan
  }

  /// The same with the MTU that the host end has, by which CHECK knows what ADD made of rates.
  package func withMTUOfHostEnd(_ context: Context) -> Plan {
    var plan = self
    do throws(RouteError) {
      let link = try RouteSocket().link(.named(hostLink.name), until: context.deadline)
      plan.mtu = configuration.mtu ?? link.mtu
    } catch {
      // That the link is gone is reported with the links.
    }
    return plan
  }

  /// Refuses addresses of IPv6 at an MTU that IPv6 cannot do with.
  func requireMTU(for addresses: [AttachmentResult.Address]) throws(AttachmentError) {
    let least = OVSBridgeConfiguration.smallestIPv6MTU
    guard let mtu, mtu < least else { return }
    guard let address = addresses.first(where: { $0.address.address.isIPv6 }) else { return }
    throw AttachmentError(
      .invalid, "mtu: \(mtu) is less than \(least), which IPv6 needs",
      details: configuration.mtu == nil
        ? "it is that of bridge \"\(bridge)\", and IPAM gives \(address.address)"
        : "IPAM gives \(address.address)")
  }
}
