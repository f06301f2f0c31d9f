internal import CNI
internal import Linux
internal import OVSDB
internal import OpenVSwitch
internal import PluginConfigurations
internal import PluginCore

/// The mirrors of one bridge, and the port of an attachment, as they are.
struct MirrorSurvey {
  let bridge: Reference
  /// The mirrors of the bridge: others of the same name, on other bridges, are not meant.
  let mirrors: [Row<MirrorTable>]
  /// The attachment's port; nil where it is not on this bridge.
  var port: Reference? { portRow.map { $0[.uuid] } }
  let portRow: Row<PortTable>?

  /// Nil where there is no such bridge.
  init?(_ plan: MirrorPlan, _ connection: Connection, until deadline: Deadline)
    throws(OVSDBError)
  {
    var question = Transaction()
    let bridges = question.select(
      from: .bridge, where: [.equal(.name, plan.configuration.bridge)],
      .columns(.uuid, .ports, .mirrors))
    let mirrors = question.select(
      from: .mirror,
      .columns(
        .uuid, .name, .selectsAll, .sourcePorts, .destinationPorts, .selectedVLANs, .outputPort,
        .outputVLAN, .externalIDs))
    let named = plan.interfaces.filter { $0 != plan.configuration.bridge }.map {
      question.select(
        from: .port, where: [.equal(.name, $0)],
        .columns(.uuid, .vlanMode, .otherConfiguration, .externalIDs))
    }
    let recorded = question.select(
      from: .port,
      where: [.includes(.externalIDs, plan.key.externalIDs)],
      .columns(.uuid, .vlanMode, .otherConfiguration, .externalIDs))
    let results = try connection.transact(question, until: deadline)
    guard let bridge = results[bridges].first else { return nil }
    self.bridge = bridge[.uuid]
    let ofBridge = Set(bridge[.mirrors])
    self.mirrors = results[mirrors].filter { ofBridge.contains($0[.uuid]) }
    let ports = Set(bridge[.ports])
    // The port need not be one of ours: then the result names it, and perhaps the bridge's own port
    // and others that serve the bridge, which are of no container.
    let own = results[recorded].filter { ports.contains($0[.uuid]) }
    let others = named.flatMap { results[$0] }.filter { ports.contains($0[.uuid]) }
    portRow =
      own.first { row in others.contains { $0[.uuid] == row[.uuid] } } ?? own.first
      ?? others.first { !AttachmentRecord.isOurs($0[.externalIDs]) } ?? others.first
  }

  /// The mirror called `name`; nil where there is none.
  func mirror(_ name: String) -> Row<MirrorTable>? { mirrors.first { $0[.name] == name } }
}

extension Row<MirrorTable> {
  /// Whether it is one that patchbay made: a port of ours is in it by an ADD.
  var isOurs: Bool { AttachmentRecord.isOurs(self[.externalIDs]) }

  /// Whether it is ours and mirrors nothing to no port.
  func isEmpty(without ports: Set<Reference> = []) -> Bool {
    isOurs && !self[.selectsAll]
      && Set(self[.sourcePorts]).isSubset(of: ports)
      && Set(self[.destinationPorts]).isSubset(of: ports)
      && (self[.outputPort].map { ports.contains($0) } ?? true)
  }

  /// The columns, as conditions: what a decision was taken by.
  var asSeen: [Condition<MirrorTable>] {
    [
      .equal(.uuid, self[.uuid]), .equal(.outputPort, self[.outputPort]),
      .equal(.outputVLAN, self[.outputVLAN]), .equal(.selectedVLANs, self[.selectedVLANs]),
      .equal(.sourcePorts, self[.sourcePorts]),
      .equal(.destinationPorts, self[.destinationPorts]),
    ]
  }
}
