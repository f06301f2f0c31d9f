internal import CNI
internal import Linux
internal import Netlink
internal import OVSDB
package import OpenVSwitch
internal import PluginConfigurations
package import PluginCore

extension SwitchPort {
  /// Compares the rows; returns the bridge's datapath, nil where there is no bridge.
  package static func compare(
    _ plan: Plan, _ expected: Expectation, _ context: Context, _ deviations: inout Deviations
  ) throws(AttachmentError) -> DatapathType? {
    let name = plan.hostLink.name
    do {
      let connection = try Connection(plan.endpoint, until: context.deadline)
      var question = Transaction()
      let ports = question.select(
        from: .port, where: [.equal(.name, name)],
        .columns(.uuid, .vlanMode, .tag, .trunks, .customerVLANs, .isProtected, .externalIDs))
      let interfaces = question.select(
        from: .interface, where: [.equal(.name, name)],
        .columns(.ofport, .ofportRequest, .error, .ifindex, .type, .externalIDs))
      let rates = RatesQuestion(name, plan.key, in: &question)
      let results = try connection.transact(question, until: context.deadline)
      guard let port = results[ports].first, let interface = results[interfaces].first else {
        deviations.add("there is no port \"\(name)\" in the database, and there should be one")
        return nil
      }
      comparePort(plan, port, expected, &deviations)
      compareInterface(plan, interface, expected, context, &deviations)

      var second = Transaction()
      let bridges = second.select(
        from: .bridge, where: [.includes(.ports, [port[.uuid]])], .columns(.name, .datapathType))
      let bridge = try connection.transact(second, until: context.deadline)[bridges].first
      deviations.expect("bridge of port \"\(name)\"", is: bridge?[.name], shouldBe: plan.bridge)
      rates.compare(plan.rates, name, bridge?.datapath, results, &deviations)
      return bridge?.datapath
    } catch { throw AttachmentError(error, "cannot ask Open vSwitch") }
  }

  private static func comparePort(
    _ plan: Plan, _ row: Row<PortTable>, _ expected: Expectation, _ deviations: inout Deviations
  ) {
    let subject = "port \"\(plan.hostLink.name)\""
    let vlans = plan.configuration.vlans
    func list(_ tags: [Int64]) -> String {
      tags.isEmpty ? "every VLAN" : tags.map { String($0) }.joined(separator: ",")
    }
    let isTunnel = vlans.mode == .dot1qTunnel
    let trunks = vlans.trunks.map { Int64($0) }
    deviations.expect("\(subject): vlan_mode", is: row[.vlanMode], shouldBe: vlans.mode.rawValue)
    deviations.expect("\(subject): tag", is: row[.tag], shouldBe: vlans.tag.map { Int64($0) })
    deviations.expect(
      "\(subject): trunks", is: row[.trunks].sorted(), shouldBe: isTunnel ? [] : trunks, list)
    deviations.expect(
      "\(subject): cvlans", is: row[.customerVLANs].sorted(), shouldBe: isTunnel ? trunks : [], list
    )
    deviations.expect(
      "\(subject): protected", is: row[.isProtected], shouldBe: plan.configuration.portIsolation)
    expected.compare(row[.externalIDs], of: subject, &deviations)
  }

  private static func compareInterface(
    _ plan: Plan, _ row: Row<InterfaceTable>, _ expected: Expectation, _ context: Context,
    _ deviations: inout Deviations
  ) {
    let subject = "Open vSwitch interface \"\(plan.hostLink.name)\""
    if let error = row[.error] { deviations.add("\(subject) has the error: \(error)") }
    if row[.ofport].map({ $0 <= 0 }) ?? true {
      deviations.add(
        "\(subject): ofport is \(row[.ofport].map { String($0) } ?? "absent"), "
          + "should be 1 or more: ovs-vswitchd does not forward for it")
    }
    if let number = plan.configuration.openFlowPort {
      deviations.expect(
        "\(subject): ofport_request", is: row[.ofportRequest], shouldBe: Int64(number))
    }
    deviations.expect(
      "\(subject): type", is: row[.type], shouldBe: plan.configuration.interfaceType ?? "")
    expected.compare(row[.externalIDs], of: subject, &deviations)
    do throws(RouteError) {
      let link = try RouteSocket().link(.named(plan.hostLink.name), until: context.deadline)
      // ovs-vswitchd may report it some time after it has begun to forward.
      if let index = row[.ifindex] {
        deviations.expect("\(subject): ifindex", is: index, shouldBe: Int64(link.index))
      }
      if link.promiscuity == 0 {
        deviations.add(
          "link \"\(link.name)\": promiscuity is 0, should be 1 or more: no datapath listens to it")
      }
    } catch {
      // That the link is gone is reported with the links.
    }
  }
}
