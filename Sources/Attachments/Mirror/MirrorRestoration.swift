internal import Linux
internal import OVSDB
internal import OpenVSwitch
internal import PluginConfigurations

extension MirrorDatabase {
  /// Takes back what an ADD that failed may have done to the mirrors that it saw as `before`, and
  /// nothing else; returns why it could not.
  func undo(_ before: MirrorSurvey, _ port: Reference, until deadline: Deadline) -> String? {
    do throws(OVSDBError) {
      do throws(OVSDBError) {
        // Behind what may still be under way.
        try restore(before, port, over: connection, until: deadline)
      } catch {
        guard case .connectionLost = error else { throw error }
        let connection = try Connection(plan.endpoint, until: deadline)
        try restore(before, port, over: connection, until: deadline)
      }
      return nil
    } catch { return error.description }
  }

  private func restore(
    _ before: MirrorSurvey, _ port: Reference, over connection: Connection,
    until deadline: Deadline
  ) throws(OVSDBError) {
    while let now = try MirrorSurvey(plan, connection, until: deadline) {
      let restoration = MirrorRestoration(plan, before, now, port).change
      if restoration.isEmpty { return }
      do throws(OVSDBError) {
        _ = try connection.transact(restoration.transaction, until: deadline)
        return
      } catch { if !restoration.isOvertaken(error) || deadline.hasPassed { throw error } }
    }
  }
}

/// Mirrors put back as they were before an ADD, but for what others changed since.
struct MirrorRestoration {
  private(set) var change = MirrorChange()

  init(_ plan: MirrorPlan, _ before: MirrorSurvey, _ now: MirrorSurvey, _ port: Reference) {
    for mirror in now.mirrors {
      if let old = before.mirrors.first(where: { $0[.uuid] == mirror[.uuid] }) {
        restore(old, mirror, port, plan)
      } else {
        let isNamed = plan.configuration.mirrors.contains { $0.name == mirror[.name] }
        // Another attachment's ADD can have made it; then the port is not in it.
        let part = MirrorPart(plan.role, of: port, in: mirror)
        guard isNamed, mirror.isOurs, part != .none else { continue }
        if mirror.isEmpty(without: [port]) {
          change.remove(mirror, from: now.bridge)
        } else {
          change.require(.mirror, where: mirror.asSeen)
          change.transaction.move(port, .none, in: mirror, plan.role)
        }
      }
    }
    if !change.isEmpty, let row = now.portRow { change.transaction.renewFlows(row) }
  }

  private mutating func restore(
    _ old: Row<MirrorTable>, _ now: Row<MirrorTable>, _ port: Reference, _ plan: MirrorPlan
  ) {
    let part = MirrorPart(plan.role, of: port, in: old)
    var cells: [Cell<MirrorTable>] = []
    if let wanted = plan.configuration.mirrors.first(where: { $0.name == now[.name] }),
      plan.role == .producer, !now.hasJoined(since: old, but: port)
    {
      let tags = wanted.selectedVLANs.map { $0.map { Int64($0) } }
      if now[.selectedVLANs].sorted() == tags, tags != old[.selectedVLANs].sorted() {
        cells.append(Cell(.selectedVLANs, old[.selectedVLANs]))
      }
      if let tag = wanted.outputVLAN, now[.outputVLAN] == Int64(tag),
        now[.outputVLAN] != old[.outputVLAN]
      {
        cells.append(Cell(.outputVLAN, old[.outputVLAN]))
      }
    }
    let isMoved = part != MirrorPart(plan.role, of: port, in: now)
    // A consumer that came since has the mirror.
    let isFree = !part.isOutput || now[.outputPort] == nil
    guard isMoved && isFree || !cells.isEmpty else { return }
    change.require(.mirror, where: now.asSeen)
    if !cells.isEmpty {
      change.transaction.update(.mirror, where: [.equal(.uuid, now[.uuid])], cells)
    }
    if isMoved, isFree { change.transaction.move(port, part, in: now, plan.role) }
  }
}

extension Row<MirrorTable> {
  /// Whether ports other than `port` have joined it since it was `old`.
  fileprivate func hasJoined(since old: Self, but port: Reference) -> Bool {
    let known = Set(old[.sourcePorts] + old[.destinationPorts] + [port])
    return !Set(self[.sourcePorts] + self[.destinationPorts]).isSubset(of: known)
  }
}
