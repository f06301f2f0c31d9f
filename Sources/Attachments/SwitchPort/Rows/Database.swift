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
  var hasMadeBridge = false

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
