internal import OVSDB
internal import OpenVSwitch
internal import PluginConfigurations

/// A change of mirrors. It takes effect only if what it was decided by is still as it was seen.
struct MirrorChange {
  var transaction = Transaction()
  private var preconditions: [Transaction.Required] = []

  /// Whether there is nothing to do.
  var isEmpty: Bool { transaction.operations.isEmpty }

  /// Makes the change depend on rows of `table` that are so.
  mutating func require<T>(_ table: T, where conditions: [Condition<T>])
  where T.Schema == OpenVSwitchDatabase {
    preconditions.append(transaction.require(table, where: conditions))
  }

  /// Whether `error` says that another program was faster.
  func isOvertaken(_ error: OVSDBError) -> Bool { preconditions.contains { $0.isUnmet(error) } }

  // MARK: - Leaving

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
    require(.mirror, where: mirror.asSeen)
    transaction.mutate(
      .bridge, where: [.equal(.uuid, bridge)], [.delete([mirror[.uuid]], from: .mirrors)])
  }
}
