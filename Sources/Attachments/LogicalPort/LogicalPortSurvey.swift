internal import Addresses
package import CNI
internal import OVNNorthbound
internal import OVSDB
internal import PluginConfigurations
internal import OpenVSwitch
package import PluginCore

/// What the northbound database has before an attachment is made. It refuses what can be refused.
package struct LogicalPortSurvey {
  let plan: LogicalPortPlan
  let northbound: NorthboundSession
  /// The switch; nil where the port was made beforehand, which is on one.
  let logicalSwitch: Reference?
  let groups: [Reference]
  /// What an earlier ADD of this attachment left.
  let leftovers: [Reference]
  /// The port that was made beforehand.
  private let preset: PresetPort?

  /// Looks.
  ///
  /// - Parameter attachment: What else the attachment has.
  package init(_ plan: LogicalPortPlan, _ attachment: Plan, _ context: Context)
    throws(AttachmentError)
  {
    if let name = plan.preset { try Self.requireUnplugged(name, attachment, context) }
    self.plan = plan
    northbound = NorthboundSession(plan.place, context)
    var question = NorthboundTransaction()
    let switches = question.select(
      from: .logicalSwitch, .columns(.uuid, .name, .ports, .otherConfiguration))
    let named = question.select(
      from: .logicalSwitchPort, where: [.equal(.name, plan.name)],
      .columns(.uuid, .name, .type, .addresses, .options, .externalIDs))
    let groups = plan.configuration.portGroups.map { name in
      question.select(from: .portGroup, where: [.equal(.name, name)], .columns(.uuid))
    }
    let results = try northbound.insist(question)
    let port = results[named].first
    if let name = plan.preset {
      preset = try PresetPort(name, port, results[switches], plan, northbound)
      logicalSwitch = nil
      self.groups = []
      leftovers = []
      return
    }
    preset = nil
    logicalSwitch = try Self.single(plan.configuration.logicalSwitch, results[switches])
    var found: [Reference] = []
    for (index, group) in groups.enumerated() {
      guard let row = results[group].first else {
        let name = plan.configuration.portGroups[index]
        throw AttachmentError(
          .invalid, "portGroups[\(index)]: there is no port group \"\(name)\"",
          details: "ovn-nbctl pg-add \(name) makes it")
      }
      found.append(row[.uuid])
    }
    self.groups = found
    if let port { try Self.requireOwn(port, plan) }
    leftovers = port.map { [$0[.uuid]] } ?? []
  }

  /// The only switch of that name: the database allows several.
  private static func single(_ name: String, _ all: [Row<LogicalSwitchTable>])
    throws(AttachmentError) -> Reference
  {
    let found = all.filter { $0[.name] == name }
    guard let only = found.first, found.count == 1 else {
      let names = all.map { "\"\($0[.name])\"" }.sorted().prefix(20).joined(separator: ", ")
      throw AttachmentError(
        .invalid,
        found.isEmpty
          ? "switch: there is no logical switch \"\(name)\""
          : "switch: there are \(found.count) logical switches \"\(name)\"; one is needed",
        details: found.isEmpty
          ? "OVN has \(names.isEmpty ? "none" : names); ovn-nbctl ls-add \(name) makes it" : "")
    }
    return only[.uuid]
  }

  /// Refuses a port that was made beforehand and that another interface of this host has.
  private static func requireUnplugged(_ name: String, _ attachment: Plan, _ context: Context)
    throws(AttachmentError)
  {
    var question = Transaction()
    let rows = question.select(
      from: .interface,
      where: [
        .includes(.externalIDs, ["iface-id": name]),
        .notEqual(.name, attachment.hostLink.name),
      ], .columns(.name, .ofport, .ifindex))
    let found: [Row<InterfaceTable>]
    do throws(OVSDBError) {
      found = try Connection(attachment.endpoint, until: context.deadline).transact(
        question, until: context.deadline)[rows]
    } catch { throw AttachmentError(error, "cannot ask Open vSwitch") }
    // One whose link is gone is no interface any more; of a new one ovs-vswitchd may not have
    // reported the index yet.
    guard let other = found.first(where: { $0[.ifindex] ?? $0[.ofport] ?? 0 > 0 }) else { return }
    throw AttachmentError(
      .exists, "OvnPort: logical port \"\(name)\" is plugged into interface \"\(other[.name])\"",
      details: "a logical port is for one interface; choose another")
  }

  static func requireOwn(_ port: Row<LogicalSwitchPortTable>, _ plan: LogicalPortPlan)
    throws(AttachmentError)
  {
    let pairs = plan.place.externalIDs(plan.key)
    guard pairs.allSatisfy({ port[.externalIDs][$0.key] == $0.value }) else {
      throw AttachmentError(
        .exists,
        "there is a logical port \"\(plan.name)\" already, and it is not of this attachment",
        details: "this name is that of its port")
    }
  }

  /// The plan of the attachment with what the database says of it.
  package func completing(_ plan: Plan) throws(AttachmentError) -> Plan {
    var plan = self.plan.completing(plan)
    guard let preset, let mac = preset.mac else { return plan }
    if let requested = plan.mac, requested != mac {
      throw AttachmentError(
        .invalid, "mac: \(requested) was requested, and logical port \"\(preset.name)\" has \(mac)",
        details: "the port was made beforehand, with the addresses that it has")
    }
    plan.mac = mac
    return plan
  }

  /// The addresses of a port that was made beforehand; empty where this attachment makes its own.
  package var addresses: [AttachmentResult.Address] { preset?.addresses ?? [] }

  /// What the rows of Open vSwitch have for it.
  package var externalIDs: [String: String] {
    guard let version = preset?.version else { return plan.externalIDs }
    return plan.externalIDs.adding(["iface-id-ver": version])
  }
}

extension LogicalPortPlan {
  /// The same for CHECK, which knows the MAC address of a port that was made beforehand from the
  /// port.
  package func completing(_ plan: Plan, _ context: Context) throws(AttachmentError) -> Plan {
    guard preset != nil else { return completing(plan) }
    return try LogicalPortSurvey(self, plan, context).completing(plan)
  }
}
