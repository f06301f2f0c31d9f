internal import CNI
internal import Linux
internal import Netlink
internal import OVSDB
internal import OpenVSwitch
internal import PluginConfigurations
internal import PluginCore

/// The conversation of one command with ovsdb-server.
final class Database {
  let connection: Connection
  let deadline: Deadline
  /// Whether this command has made the bridge.
  private var hasMadeBridge = false

  /// Connects to ovsdb-server.
  init(_ endpoint: Endpoint, _ context: Context) throws(AttachmentError) {
    deadline = context.deadline
    do { connection = try Connection(endpoint, until: context.deadline) } catch {
      throw AttachmentError(error, "cannot reach Open vSwitch")
    }
  }

  // MARK: - Asking

  /// A survey under way.
  struct PendingSurvey {
    let survey: RowSurvey
    fileprivate let pending: Connection.PendingTransaction
  }

  /// Sends the questions; ovsdb-server works on them while something else is done.
  func begin(_ survey: RowSurvey) -> PendingSurvey {
    let pending = connection.send(survey.transaction)
    connection.flush()
    return PendingSurvey(survey: survey, pending: pending)
  }

  /// The answers.
  func findings(of pending: PendingSurvey) throws(AttachmentError) -> RowSurvey.Findings {
    do {
      return pending.survey.findings(
        try connection.results(of: pending.pending, until: deadline))
    } catch { throw AttachmentError(error, "cannot ask Open vSwitch") }
  }

  func findings(_ survey: RowSurvey) throws(AttachmentError) -> RowSurvey.Findings {
    try findings(of: begin(survey))
  }

  // MARK: - Attaching

  /// Puts the host end on its bridge, which is made where that is asked for, and returns while
  /// ovs-vswitchd is still at work.
  func attach(
    _ plan: Plan, _ externalIDs: [String: String], _ target: GatewayTarget?,
    _ first: RowSurvey.Findings,
    replacing leftovers: Leftovers, _ link: ContainerLink, _ rollback: inout Rollback
  ) throws(AttachmentError) -> AttachedPort {
    // What ovs-vswitchd may hold, and what has a gateway to leave, goes in a step of its own.
    let isSimple =
      !leftovers.isHeld
      && leftovers.rows.allSatisfy { port in
        let gateway = port.row[.externalIDs][GatewayRow.key]
        return gateway == nil || port.record?.key == plan.key && gateway == plan.gatewayPort?.name
      }
    if isSimple {
      do throws(OVSDBError) {
        try connection.deleteRates(
          of: Set(leftovers.rows.compactMap { $0.record?.key }), until: deadline)
      } catch { throw AttachmentError(error, Self.cannotReplace) }
    } else {
      try remove(leftovers.rows, plan, target, link)
    }
    rollback.onFailure("take port \"\(plan.hostLink.name)\" off") { [self] deadline in
      // Its own part in the gateway would keep it from taking that away.
      target?.presence.end()
      return undo(plan, externalIDs, until: deadline)
    }
    return try plugIn(
      plan, externalIDs, target, first, replacing: isSimple ? leftovers.rows : [])
  }

  private func plugIn(
    _ plan: Plan, _ externalIDs: [String: String], _ target: GatewayTarget?,
    _ first: RowSurvey.Findings,
    replacing leftovers: [RowSurvey.Port]
  ) throws(AttachmentError) -> AttachedPort {
    var findings = first
    // The bridge may come or go between question and answer; each time there is a new question.
    while true {
      let datapath = try datapath(plan, findings)
      let joining = target.map { GatewayJoining($0, plan, findings.gateway) }
      try joining?.checkPort()
      let number = try findings.bridge.flatMap { bridge throws(AttachmentError) in
        bridge.tree != .older
          ? nil : try SpanningTree.PortNumber(on: bridge.reference, connection, until: deadline)
      }
      let attaching = Attaching(
        plan, externalIDs, replacing: leftovers, to: findings.bridge?.reference,
        datapath: datapath, number: number, joining)
      let commit = connection.begin(attaching.transaction, watching: plan.hostLink.name)
      let hadMadeBridge = hasMadeBridge
      if findings.bridge == nil { hasMadeBridge = true }
      do throws(OVSDBError) {
        return AttachedPort(
          plan: plan, externalIDs: externalIDs, target: target,
          commit: try commit.confirm(until: deadline), datapath: datapath,
          tree: findings.bridge?.tree)
      } catch {
        if let port = joining?.gateway.port, attaching.gateway?.isElsewhere(error) ?? false {
          throw port.refusal(.failed, port.isElsewhere(than: plan.bridge))
        }
        guard attaching.isPreconditionGone(error), !deadline.hasPassed else {
          throw AttachmentError(error, AttachedPort.attempt(plan))
        }
        hasMadeBridge = hadMadeBridge
      }
      findings = try self.findings(RowSurvey(plan))
    }
  }

  /// Waits until the datapath forwards for the port, which is plugged in again where ovs-vswitchd
  /// has taken its link for an earlier one of the same name.
  ///
  /// ovs-vswitchd knows links by name, and an attachment's has the same in every life. Where a port
  /// goes and comes back in one look, ovs-vswitchd goes on with the socket of the link that is
  /// gone; where it has not let go of that link yet, it gives the new one its flags.
  func waitUntilForwarding(_ port: AttachedPort, _ link: ContainerLink, _ context: Context)
    throws(AttachmentError)
  {
    var port = port
    while let mismatch = try port.mismatch(link, context) {
      context.log.write(.warning, "\(mismatch): plugging it in again")
      let findings = try findings(RowSurvey(port.plan))
      try remove(
        findings.ports.filter { $0.record?.key == port.plan.key }, port.plan, port.target, link)
      port = try plugIn(
        port.plan, port.externalIDs, port.target, findings, replacing: [])
    }
  }

  /// What the bridge has, or is made with. Refuses a bridge that is missing and may not be made.
  func datapath(_ plan: Plan, _ findings: RowSurvey.Findings) throws(AttachmentError)
    -> DatapathType
  {
    if let bridge = findings.bridge { return bridge.datapath }
    guard plan.configuration.createBridge else {
      let refusal: AttachmentError
      do { refusal = try MissingBridge.refusal(plan, connection, until: deadline) } catch {
        throw AttachmentError(error, "cannot ask Open vSwitch")
      }
      throw refusal
    }
    do {
      return try .ofNewBridge(plan.configuration.datapath, until: deadline)
    } catch { throw AttachmentError(error, "cannot ask the kernel for Open vSwitch's module") }
  }

  private static let cannotReplace = "cannot remove what an earlier ADD left"

  /// Takes ports that a new one replaces off their bridges, and waits until ovs-vswitchd has let go
  /// of their links: the port that comes has the same name and another link.
  private func remove(
    _ rows: [RowSurvey.Port], _ plan: Plan, _ target: GatewayTarget?, _ link: ContainerLink
  ) throws(AttachmentError) {
    guard !rows.isEmpty else { return }
    do {
      let removed = try connection.remove(
        rows.map { $0.row }, ratesOf: Set(rows.compactMap { $0.record?.key }),
        "replace \(plan.key)", keeping: target?.gateway.port.name, isAwaited: true,
        until: deadline)
      for commit in removed.commits { _ = try commit.outcome(until: deadline) }
    } catch { throw AttachmentError(error, Self.cannotReplace) }
    // Letting go of a port, ovs-vswitchd gives the link of that name the flags that it found.
    do { try link.bringHostEndUp(until: deadline) } catch {
      throw AttachmentError(error, AttachedPort.attempt(plan))
    }
  }

  /// Takes the port of this run off again, and a bridge that was made for it and has no other port.
  ///
  /// Over a connection of its own, because the first one may be the reason for the failure: where
  /// ovsdb-server restarts, it is back within the deadline.
  private func undo(_ plan: Plan, _ externalIDs: [String: String], until deadline: Deadline)
    -> String?
  {
    var pairs = plan.key.externalIDs
    // Rows of earlier ADDs, which may be there still, began at another time.
    pairs[AttachmentRecord.Key.began] = externalIDs[AttachmentRecord.Key.began]
    while true {
      do throws(OVSDBError) {
        let connection = try Connection(plan.endpoint, until: deadline)
        let removed = try connection.beginDetaching(pairs, "undo \(plan.key)", until: deadline)
        if hasMadeBridge { try connection.removeUnusedBridge(plan.bridge, until: deadline) }
        return removed.removed?.failures.first?.description
      } catch {
        switch error {
        case .cannotConnect, .connectionLost:
          if deadline.hasPassed { return error.description }
          Clock.sleep(.milliseconds(20))
        default: return error.description
        }
      }
    }
  }

  // MARK: - Removing what is stale

  /// Removes the ports of `interfaces`, whose links ovs-vswitchd did not find, where the kernel
  /// says so too.
  ///
  /// That the links are gone is looked up here: while ovs-vswitchd restarts it knows of none. The
  /// rows are those that were found, whatever has their names by now.
  func removeStalePorts(
    _ interfaces: [LostInterface], _ links: RouteSocket, _ log: Log,
    where mayGo: (AttachmentRecord) -> Bool
  ) {
    let lost = interfaces.filter { interface in
      do throws(RouteError) {
        return try links.linkIfPresent(.named(interface.name), until: deadline) == nil
      } catch { return false }
    }
    guard !lost.isEmpty else { return }
    do throws(OVSDBError) {
      let removed = try connection.removePorts(of: lost, where: mayGo, until: deadline)
      for failure in removed.failures { log.write(.warning, "\(failure)") }
      log.write(.info, "removed ports without links, but those that tell where leases are")
    } catch {
      log.write(.warning, "cannot remove ports that have lost their links: \(error)")
    }
  }
}

extension Connection {
  /// Takes the ports that have these pairs off their bridges; returns their rows, and what became
  /// of them, which is nil where there were none.
  func beginDetaching(_ pairs: [String: String], _ comment: String, until deadline: Deadline)
    throws(OVSDBError) -> (rows: [Row<PortTable>], removed: RemovedPorts?)
  {
    var (question, ports) = Detaching.find(pairs)
    let rates = Rates.Rows(where: pairs, in: &question)
    let results = try transact(question, until: deadline)
    let (rows, limited) = (results[ports], rates.attachments(results))
    guard !rows.isEmpty || !limited.isEmpty else { return (rows, nil) }
    return (rows, try remove(rows, ratesOf: limited, comment, until: deadline))
  }

  /// Removes a bridge of ours, unless it has ports besides its own.
  func removeUnusedBridge(_ name: String, until deadline: Deadline) throws(OVSDBError) {
    let isOurs: Condition<BridgeTable> = .includes(.externalIDs, AttachmentRecord.mark)
    var question = Transaction()
    let bridges = question.select(
      from: .bridge, where: [.equal(.name, name), isOurs], .columns(.uuid, .ports))
    guard let bridge = try transact(question, until: deadline)[bridges].first,
      bridge[.ports].count <= 1
    else { return }
    var removal = Transaction()
    // Another ADD may have found the bridge meanwhile.
    let isUnused = removal.require(
      .bridge, where: [.equal(.uuid, bridge[.uuid]), .equal(.ports, bridge[.ports])])
    removal.removeBridge(bridge[.uuid])
    do throws(OVSDBError) { _ = try transact(removal, until: deadline) } catch {
      if !isUnused.isUnmet(error) { throw error }
    }
  }

  /// Takes the ports of these interfaces of ours off their bridges, of attachments that may go.
  func removePorts(
    of interfaces: [LostInterface], where mayGo: (AttachmentRecord) -> Bool,
    until deadline: Deadline
  ) throws(OVSDBError) -> RemovedPorts {
    var question = Transaction()
    let selections = interfaces.map { interface in
      question.select(
        from: .port,
        where: [
          .includes(.interfaces, [interface.row]),
          .includes(.externalIDs, AttachmentRecord.mark),
        ], .columns(.uuid, .name, .externalIDs))
    }
    let results = try transact(question, until: deadline)
    let rows = selections.flatMap { results[$0] }.filter {
      AttachmentRecord($0[.externalIDs]).map(mayGo) ?? true
    }
    guard !rows.isEmpty else { return RemovedPorts() }
    let attachments = rows.compactMap { AttachmentRecord($0[.externalIDs])?.key }
    return try remove(
      rows, ratesOf: Set(attachments), "remove ports without links", until: deadline)
  }
}
