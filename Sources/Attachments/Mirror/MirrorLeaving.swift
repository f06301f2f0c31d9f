internal import OVSDB
internal import OpenVSwitch
internal import PluginConfigurations

/// Ports taken out of mirrors, and mirrors removed that have none left.
struct MirrorLeaving {
  private(set) var transaction = Transaction()
  private var preconditions: [Transaction.Required] = []

  /// Whether there is nothing to do.
  var isEmpty: Bool { transaction.operations.isEmpty }

  /// Takes `row`'s port out of the mirrors that the plan names, and of those of ours.
  mutating func leave(_ plan: MirrorPlan, _ survey: MirrorSurvey, _ row: Row<PortTable>) {
    let port = row[.uuid]
    if row.hasIdleSetting == true {
      transaction.mutate(
        .port, where: [.equal(.uuid, port)],
        [.delete(keys: [Row<PortTable>.idleSetting], from: .otherConfiguration)])
    }
    let names = Set(plan.configuration.mirrors.map { $0.name })
    for mirror in survey.mirrors where names.contains(mirror[.name]) || mirror.isOurs {
      transaction.move(port, .none, in: mirror, plan.role)
    }
  }

  /// Removes a mirror of the bridge, if it is still as it was seen.
  mutating func remove(_ mirror: Row<MirrorTable>, from bridge: Reference) {
    preconditions.append(transaction.require(.mirror, where: mirror.asSeen))
    transaction.mutate(
      .bridge, where: [.equal(.uuid, bridge)], [.delete([mirror[.uuid]], from: .mirrors)])
  }

  /// Whether `error` says that another program was faster.
  func isOvertaken(_ error: OVSDBError) -> Bool { preconditions.contains { $0.isUnmet(error) } }
}
