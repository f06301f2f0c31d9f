internal import Addresses
package import Linux
internal import Netlink
package import OVSDB
internal import PluginConfigurations
internal import OpenVSwitch
package import PluginCore

/// What Open vSwitch says of this host as a chassis of OVN; see ovn-controller(8).
package struct Chassis: Hashable, Sendable {
  /// `system-id`, by which OVN knows it.
  package let name: String
  /// `ovn-encap-type`: `geneve`, `vxlan`.
  let tunnels: [String]
  /// `ovn-encap-ip`
  let addresses: [IPAddress]
  /// Whether ovn-controller speaks to the integration bridge by the bridge's own socket:
  /// `ovn-bridge-remote` is not set.
  let usesBridgeSocket: Bool

  /// Reads it.
  package init(_ plan: Plan, _ context: Context) throws(AttachmentError) {
    try self.init(plan.detachment, context)
  }

  init(_ detachment: Detachment, _ context: Context) throws(AttachmentError) {
    try self.init(at: detachment.endpoint, until: context.deadline)
  }

  /// - Parameter endpoint: Where the database of Open vSwitch is.
  package init(at endpoint: Endpoint, until deadline: Deadline) throws(AttachmentError) {
    let pairs: [String: String]
    do throws(OVSDBError) {
      var question = Transaction()
      let rows = question.select(from: .openVSwitch, .columns(.externalIDs))
      pairs =
        try Connection(endpoint, until: deadline)
        .transact(question, until: deadline)[rows].first?[.externalIDs] ?? [:]
    } catch { throw AttachmentError(error, "cannot ask Open vSwitch") }
    guard let name = pairs["system-id"], !name.isEmpty else {
      throw AttachmentError(
        .invalid, "this host is no chassis of OVN: Open vSwitch has no external_ids:system-id",
        details: "ovn-controller(8) says what it has to have")
    }
    self.name = name
    func list(_ key: String) -> [String] {
      (pairs[key] ?? "").split(separator: ",").map { String($0) }
    }
    tunnels = list("ovn-encap-type")
    addresses = list("ovn-encap-ip").compactMap { IPAddress($0) }
    // Also that of one chassis, with its name behind.
    usesBridgeSocket = !pairs.contains { $0.key.hasPrefix("ovn-bridge-remote") }
  }

  /// Bytes that a tunnel adds to a packet of a container: its Ethernet header, and the outer IP,
  /// UDP and tunnel headers. OVN gives Geneve one option.
  private var overhead: UInt32 {
    let header: UInt32 = tunnels == ["vxlan"] ? 50 : 58
    return addresses.contains { $0.isIPv6 } ? header + 20 : header
  }

  /// Bytes of the largest packet of a container that the tunnels carry; nil where the link that
  /// they use is not known.
  func mtu(until deadline: Deadline) throws(AttachmentError) -> UInt32? {
    do throws(RouteError) {
      let socket = try RouteSocket()
      let own = try socket.addresses(until: deadline).filter {
        addresses.contains($0.prefix.address)
      }
      var least: UInt32?
      for address in own {
        let mtu = try socket.link(.index(address.linkIndex), until: deadline).mtu
        if mtu > overhead { least = min(least ?? .max, mtu - overhead) }
      }
      return least
    } catch { throw AttachmentError(error, "cannot read the MTU of OVN's tunnels") }
  }
}

extension Plan {
  /// The same with the MTU that both ends get: the configured one, else what the tunnels carry. A
  /// packet that is too big vanishes there, without a word to its sender.
  package func withMTU(of chassis: Chassis, _ context: Context) throws(AttachmentError) -> Plan {
    var plan = self
    let carried = try chassis.mtu(until: context.deadline)
    guard let mtu = configuration.mtu else {
      plan.mtu = carried ?? Self.usualMTU
      if carried == nil {
        context.log.write(
          .warning, "no link of this host has ovn-encap-ip; taking an MTU of \(Self.usualMTU)")
      }
      return plan
    }
    if let carried, mtu > carried {
      context.log.write(
        .warning,
        "mtu \(mtu) is more than the \(carried) that OVN's tunnels carry: larger packets "
          + "to other hosts are lost")
    }
    return plan
  }

  /// Bytes, of Geneve over Ethernet by IPv4.
  private static var usualMTU: UInt32 { 1442 }
}
