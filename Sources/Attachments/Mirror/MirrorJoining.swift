internal import CNI
internal import OVSDB
internal import OpenVSwitch
internal import PluginConfigurations
internal import PluginCore

/// A port made part of mirrors, and of no other mirror of ours any more. It takes effect only if
/// they have not changed meanwhile.
struct MirrorJoining {
  private(set) var change = MirrorChange()

  /// Throws where a mirror's output is taken already, or is another.
  init(_ plan: MirrorPlan, _ survey: MirrorSurvey, _ port: Reference) throws(AttachmentError) {
    change.require(
      .bridge,
      where: [
        .equal(.uuid, survey.bridge), .equal(.mirrors, survey.mirrors.map { $0[.uuid] }),
        .includes(.ports, [port]),
      ])
    for mirror in plan.configuration.mirrors {
      if let found = survey.mirror(mirror.name) {
        change.require(.mirror, where: found.asSeen)
        try join(mirror, found, port, plan)
      } else {
        insert(mirror, port, plan, survey.bridge)
      }
    }
    let named = Set(plan.configuration.mirrors.map { $0.name })
    for mirror in survey.mirrors where mirror.isOurs && !named.contains(mirror[.name]) {
      change.transaction.move(port, .none, in: mirror, plan.role)
    }
    if let row = survey.portRow { change.transaction.renewFlows(row) }
    let subject = "\(plan.attachment.containerID)/\(plan.attachment.interfaceName)"
    change.transaction.append(
      .comment("patchbay: \(subject) is a mirror \(plan.role.rawValue)"))
  }

  private mutating func join(
    _ mirror: MirrorConfiguration.Mirror, _ found: Row<MirrorTable>, _ port: Reference,
    _ plan: MirrorPlan
  ) throws(AttachmentError) {
    let row: [Condition<MirrorTable>] = [.equal(.uuid, found[.uuid])]
    switch plan.role {
    case .consumer:
      if let taken = found[.outputPort], taken != port {
        throw Self.conflict(mirror, plan, "there is already another port")
      }
      if let tag = found[.outputVLAN] {
        throw Self.conflict(mirror, plan, "its copies go to VLAN \(tag) (output_vlan)")
      }
    case .producer:
      if let selected = mirror.selectedVLANs.map({ $0.map { Int64($0) } }),
        selected != found[.selectedVLANs].sorted()
      {
        if !found.isEmpty() {
          throw Self.conflict(
            mirror, plan,
            "its select_vlan is \(Self.list(found[.selectedVLANs])), not "
              + Self.list(selected))
        }
        change.transaction.update(.mirror, where: row, [Cell(.selectedVLANs, selected)])
      }
      try setOutput(of: mirror, found, plan)
    }
    change.transaction.move(port, MirrorPart(plan.role, of: mirror), in: found, plan.role)
  }

  private mutating func setOutput(
    of mirror: MirrorConfiguration.Mirror, _ found: Row<MirrorTable>, _ plan: MirrorPlan
  ) throws(AttachmentError) {
    guard let tag = mirror.outputVLAN.map({ Int64($0) }), tag != found[.outputVLAN] else { return }
    if found[.outputPort] != nil {
      throw Self.conflict(mirror, plan, "it has a consumer, and output_vlan excludes one")
    }
    if let other = found[.outputVLAN], !found.isEmpty() {
      throw Self.conflict(mirror, plan, "its output_vlan is \(other), not \(tag)")
    }
    change.transaction.update(
      .mirror, where: [.equal(.uuid, found[.uuid])], [Cell(.outputVLAN, tag)])
  }

  private mutating func insert(
    _ mirror: MirrorConfiguration.Mirror, _ port: Reference, _ plan: MirrorPlan,
    _ bridge: Reference
  ) {
    var cells: [Cell<MirrorTable>] = [
      Cell(.name, mirror.name),
      Cell(.externalIDs, AttachmentRecord.mark(of: plan.network)),
    ]
    switch plan.role {
    case .consumer: cells.append(Cell(.outputPort, port))
    case .producer:
      if mirror.ingress { cells.append(Cell(.sourcePorts, [port])) }
      if mirror.egress { cells.append(Cell(.destinationPorts, [port])) }
      if let tags = mirror.selectedVLANs {
        cells.append(Cell(.selectedVLANs, tags.map { Int64($0) }))
      }
      if let tag = mirror.outputVLAN { cells.append(Cell(.outputVLAN, Int64(tag))) }
    }
    let row = change.transaction.insert(into: .mirror, cells)
    change.transaction.mutate(
      .bridge, where: [.equal(.uuid, bridge)], [.insert([row.reference], into: .mirrors)])
  }

  private static func conflict(
    _ mirror: MirrorConfiguration.Mirror, _ plan: MirrorPlan, _ reason: String
  ) -> AttachmentError {
    AttachmentError(
      .failed,
      "cannot attach port of \(plan.attachment.containerID)/\(plan.attachment.interfaceName) to "
        + "mirror \"\(mirror.name)\" because \(reason)",
      details: "bridge \"\(plan.configuration.bridge)\"")
  }

  private static func list(_ tags: [Int64]) -> String {
    tags.isEmpty ? "every VLAN" : tags.sorted().map { "\($0)" }.joined(separator: ",")
  }
}

extension Row<PortTable> {
  /// A key of `other_config` that matters to tunnels only.
  static var idleSetting: String { "qinq-ethtype" }

  /// Whether it has that setting; nil where it is not ours to set.
  var hasIdleSetting: Bool? {
    guard AttachmentRecord.isOurs(self[.externalIDs]), self[.vlanMode] != "dot1q-tunnel"
    else { return nil }
    return self[.otherConfiguration][Self.idleSetting] != nil
  }
}
