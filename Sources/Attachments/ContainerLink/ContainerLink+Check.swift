internal import Addresses
internal import CNI
package import Linux
internal import Netlink
package import OpenVSwitch
internal import PluginConfigurations
package import PluginCore

extension ContainerLink {
  /// Compares both ends with what ADD made.
  package static func compare(
    _ plan: Plan, _ expected: Expectation, _ datapath: DatapathType?,
    in sandbox: borrowing NetworkNamespace, _ context: Context, _ deviations: inout Deviations
  ) throws(AttachmentError) {
    do throws(RouteError) {
      let outside = try RouteSocket()
      let inside = try RouteSocket(in: sandbox)
      let name = plan.attachment.interfaceName
      let host = try find(plan.hostLink.name, outside, context)
      let container = try find(name, inside, context)
      guard let host else {
        deviations.add("there is no link \"\(plan.hostLink.name)\" on the host")
        return
      }
      guard let container else {
        deviations.add("there is no interface \"\(name)\" in the sandbox")
        return
      }
      compareHost(plan, expected, host, &deviations)
      compareContainer(plan, container, &deviations)
      try plan.rates?.compareLinks(
        datapath, host, outside, container, inside, until: context.deadline, &deviations)
      deviations.expect(
        "interface \"\(name)\": index of its link on the host", is: container.peerIndex,
        shouldBe: host.index)
      if datapath == .netdev, try inside.hasTransmitChecksumOffload(name) {
        deviations.add(
          "interface \"\(name)\": TX checksum offload is on, should be off on a netdev bridge: "
            + "TCP stalls (ethtool -K \(name) tx off)")
      }
      try compareAddresses(expected, container, inside, context, &deviations)
      try compareRoutes(expected, container, inside, context, &deviations)
    } catch { throw AttachmentError(error, "cannot read the links") }
    try compareSettings(plan.hostLink.name, &deviations)
    try HostShield.compare(context, &deviations)
  }

  private static func find(_ name: String, _ socket: RouteSocket, _ context: Context)
    throws(RouteError) -> Link?
  {
    do throws(RouteError) { return try socket.link(.named(name), until: context.deadline) } catch {
      if error.errno == .noSuchDevice { return nil }
      throw error
    }
  }

  private static func compareHost(
    _ plan: Plan, _ expected: Expectation, _ link: Link, _ deviations: inout Deviations
  ) {
    let subject = "link \"\(link.name)\""
    deviations.expect("\(subject): kind", is: link.kind, shouldBe: "veth")
    deviations.expect("\(subject): up", is: link.isUp, shouldBe: true)
    if let mtu = expected.hostMTU {
      deviations.expect("\(subject): mtu", is: link.mtu, shouldBe: mtu)
    }
    deviations.expect(
      "\(subject): mac", is: link.mac?.description, shouldBe: plan.hostLink.mac?.description)
    deviations.expect(
      "\(subject): alias", is: link.alias, shouldBe: plan.hostLink.alias(network: plan.network))
    deviations.expect(
      "\(subject): group", is: link.group, shouldBe: HostLink.group(network: plan.network))
  }

  /// Compares what keeps the host end from being a host of the network itself.
  private static func compareSettings(_ name: String, _ deviations: inout Deviations)
    throws(AttachmentError)
  {
    for (setting, wanted) in [
      ("ipv4/conf/\(name)/arp_ignore", "8"), ("ipv6/conf/\(name)/addr_gen_mode", "1"),
    ] {
      let found: String?
      do { found = try NetworkNamespace.current().readSetting(setting) } catch {
        throw AttachmentError(
          .failed, "cannot read the host's settings", details: error.description)
      }
      // There is none where the link is gone, which is reported, or where the kernel has no IPv6.
      guard let found, found != wanted else { continue }
      deviations.add("/proc/sys/net/\(setting) of the host is \(found), should be \(wanted)")
    }
  }

  /// Of the container end itself. Its MAC address, its MTU and its settings may be those that a
  /// later plugin of the chain gave it, without a word in the result.
  private static func compareContainer(
    _ plan: Plan, _ link: Link, _ deviations: inout Deviations
  ) {
    let subject = "interface \"\(link.name)\""
    deviations.expect("\(subject): kind", is: link.kind, shouldBe: "veth")
    if !plan.configuration.disableContainerInterface {
      deviations.expect("\(subject): up", is: link.isUp, shouldBe: true)
    }
  }

  private static func compareAddresses(
    _ expected: Expectation, _ link: Link, _ inside: RouteSocket, _ context: Context,
    _ deviations: inout Deviations
  ) throws(RouteError) {
    guard !expected.addresses.isEmpty else { return }
    let found = try inside.addresses(of: link.index, until: context.deadline)
    for address in expected.addresses {
      guard let match = found.first(where: { $0.prefix == address.address }) else {
        let there = found.map { $0.prefix.description }.joined(separator: " ")
        deviations.add(
          "interface \"\(link.name)\" has no address \(address.address); it has "
            + (there.isEmpty ? "none" : there))
        continue
      }
      if match.isDuplicate {
        deviations.add("address \(address.address) is in use by another host on the network")
      }
    }
  }

  private static func compareRoutes(
    _ expected: Expectation, _ link: Link, _ inside: RouteSocket, _ context: Context,
    _ deviations: inout Deviations
  ) throws(RouteError) {
    for route in expected.routes {
      let wanted = route.onLink(link.index, expected.addresses)
      // A later plugin of the chain may have moved it out of the main table, as the reference sbr
      // does.
      let mayBeMoved = route.table == nil || wanted.table == Netlink.Route.mainTable
      let found = try inside.routes(
        wanted.destination.address.family, table: mayBeMoved ? nil : wanted.table,
        link: link.index, until: context.deadline)
      let isThere = found.contains { candidate in
        var wanted = wanted
        if mayBeMoved { wanted.table = candidate.table }
        return candidate.satisfies(wanted)
      }
      if !isThere { tell(wanted, among: found, &deviations) }
    }
  }

  /// Notes that `wanted` is not there, or what is otherwise of the route that is there instead.
  private static func tell(
    _ wanted: Netlink::Route, among found: [Netlink::Route], _ deviations: inout Deviations
  ) {
    let destination = wanted.destination.masked
    let near = found.filter { $0.isUnicast && $0.destination.masked == destination }
    guard let route = near.first(where: { $0.priority == wanted.priority }) ?? near.first else {
      deviations.add("route \(wanted) is not in table \(wanted.table) of the sandbox")
      return
    }
    let subject = "route \(destination)"
    deviations.expect(
      "\(subject): gateway", is: route.gateway?.description,
      shouldBe: wanted.gateway?.description)
    func compare(_ member: String, _ found: UInt32?, _ wanted: UInt32?) {
      guard let wanted else { return }
      deviations.expect("\(subject): \(member)", is: found, shouldBe: wanted)
    }
    compare("mtu", route.mtu, wanted.mtu)
    compare("advmss", route.advertisedMSS, wanted.advertisedMSS)
    compare("priority", route.priority, wanted.priority)
    compare(
      "scope", route.scope.map { UInt32($0.rawValue) }, wanted.scope.map { UInt32($0.rawValue) })
  }
}
