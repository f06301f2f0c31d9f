internal import Addresses
internal import CNI
internal import OVNNorthbound
internal import OVSDB
internal import OpenVSwitch
package import PluginConfigurations
package import PluginCore

extension LogicalPort {
  /// Compares the row, and what ovn-controller says of the interface.
  package static func compare(
    _ plan: LogicalPortPlan, _ attachment: Plan, _ expected: Expectation, _ context: Context,
    _ deviations: inout Deviations
  ) throws(AttachmentError) {
    try compareBinding(plan, attachment, context, &deviations)
    guard plan.preset == nil else { return }
    let subject = "logical port \"\(plan.name)\""
    let northbound = NorthboundSession(plan.place, context)
    var question = NorthboundTransaction()
    let ports = question.select(
      from: .logicalSwitchPort, where: [.equal(.name, plan.name)],
      .columns(.uuid, .addresses, .portSecurity, .options, .externalIDs))
    let switches = question.select(from: .logicalSwitch, .columns(.name, .ports))
    let groups = question.select(from: .portGroup, .columns(.name, .ports))
    let results = try northbound.insist(question)
    guard let port = results[ports].first else {
      return deviations.add("there is no \(subject), and there should be one")
    }
    let home = results[switches].first { $0[.ports].contains(port[.uuid]) }
    deviations.expect(
      "switch of \(subject)", is: home?[.name], shouldBe: plan.configuration.logicalSwitch)
    for (key, value) in plan.place.externalIDs(plan.key).sorted(by: { $0.key < $1.key }) {
      deviations.expect(
        "\(subject): external_ids:\(key)", is: port[.externalIDs][key], shouldBe: value)
    }
    deviations.expect(
      "\(subject): options:requested-chassis", is: port[.options]["requested-chassis"],
      shouldBe: plan.chassis.name)
    deviations.expect(
      "\(subject): options:iface-id-ver", is: port[.options]["iface-id-ver"],
      shouldBe: plan.key.attachment.containerID)
    compareAddresses(port, plan, expected, subject, &deviations)
    for name in plan.configuration.portGroups {
      let group = results[groups].first { $0[.name] == name }
      deviations.expect(
        "port group \"\(name)\" has \(subject)",
        is: group?[.ports].contains(port[.uuid]) ?? false, shouldBe: true)
    }
  }

  /// The IP addresses: the MAC address of the container end may be a later plugin's.
  private static func compareAddresses(
    _ port: Row<LogicalSwitchPortTable>, _ plan: LogicalPortPlan, _ expected: Expectation,
    _ subject: String, _ deviations: inout Deviations
  ) {
    func addresses(_ texts: [String]) -> String {
      texts.flatMap { $0.split(separator: " ").dropFirst().map { String($0) } }
        .joined(separator: " ")
    }
    let wanted = expected.addresses.map { $0.address.address.description }.joined(separator: " ")
    deviations.expect("\(subject): addresses", is: addresses(port[.addresses]), shouldBe: wanted)
    if plan.configuration.portSecurity {
      deviations.expect(
        "\(subject): port_security", is: port[.portSecurity].first,
        shouldBe: port[.addresses].first)
    } else {
      deviations.expect("\(subject): port_security", is: port[.portSecurity].first, shouldBe: nil)
    }
  }

  private static func compareBinding(
    _ plan: LogicalPortPlan, _ attachment: Plan, _ context: Context,
    _ deviations: inout Deviations
  ) throws(AttachmentError) {
    let name = attachment.hostLink.name
    var question = Transaction()
    let rows = question.select(
      from: .interface, where: [.equal(.name, name)], .columns(.externalIDs))
    do throws(OVSDBError) {
      let connection = try Connection(attachment.endpoint, until: context.deadline)
      let found = try connection.transact(question, until: context.deadline)[rows].first
      // That there is none is reported with the port.
      guard let found else { return }
      deviations.expect(
        "Open vSwitch interface \"\(name)\": external_ids:\(installed)",
        is: found[.externalIDs][installed], shouldBe: "true")
    } catch { throw AttachmentError(error, "cannot ask Open vSwitch") }
  }

  /// Requires what ADD needs: ovn-controller at work on the integration bridge, a member of the
  /// northbound database that can take a transaction, the switch, the port groups.
  package static func require(
    _ attachment: Plan, _ configuration: OVNConfiguration, _ context: Context
  ) throws(AttachmentError) {
    do throws(AttachmentError) {
      let chassis = try Chassis(attachment, context)
      if chassis.usesBridgeSocket { try OVNController.require(on: attachment.bridge) }
      let plan = LogicalPortPlan(attachment, configuration, on: chassis, context)
      guard configuration.needsPreset else {
        _ = try LogicalPortSurvey(plan, attachment, context)
        return
      }
      _ = try NorthboundSession(plan.place, context).ports(plan.place.externalIDs(plan.key))
    } catch {
      throw AttachmentError(.unavailable, error.message, details: error.details)
    }
  }
}
