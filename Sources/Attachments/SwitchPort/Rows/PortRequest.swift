internal import Linux
internal import OVSDB
internal import OpenVSwitch
internal import PluginCore

/// A port that was asked for: the transaction is on its way to ovsdb-server.
final class PortRequest {
  private let database: Database
  private let plan: Plan
  private let externalIDs: [String: String]
  private let target: GatewayTarget?
  private let leftovers: [RowSurvey.Port]
  /// Whether its link is made after the port was asked for.
  private let precedesLink: Bool
  private var pending: Pending
  private var isAnswered = false

  /// One transaction, and what was found before.
  private struct Pending {
    let bridge: RowSurvey.Bridge?
    let datapath: DatapathType
    let joining: GatewayJoining?
    let attaching: Attaching
    let commit: PendingCommit

    init(
      _ database: Database, _ plan: Plan, _ externalIDs: [String: String],
      _ target: GatewayTarget?, _ findings: RowSurvey.Findings, replacing: [RowSurvey.Port]
    ) throws(AttachmentError) {
      let (connection, deadline) = (database.connection, database.deadline)
      bridge = findings.bridge
      datapath = try database.datapath(plan, findings)
      joining = target.map { GatewayJoining($0, plan, findings.gateway) }
      try joining?.checkPort()
      let number = try findings.bridge.flatMap { bridge throws(AttachmentError) in
        bridge.tree != .older
          ? nil : try SpanningTree.PortNumber(on: bridge.reference, connection, until: deadline)
      }
      attaching = Attaching(
        plan, externalIDs, replacing: replacing, to: findings.bridge?.reference,
        datapath: datapath, number: number, joining)
      commit = connection.begin(attaching.transaction, watching: plan.hostLink.name)
    }
  }

  /// Sends the transaction.
  init(
    _ database: Database, _ plan: Plan, _ externalIDs: [String: String], _ target: GatewayTarget?,
    _ findings: RowSurvey.Findings, replacing leftovers: [RowSurvey.Port], precedesLink: Bool
  ) throws(AttachmentError) {
    self.database = database
    self.plan = plan
    self.externalIDs = externalIDs
    self.target = target
    self.leftovers = leftovers
    self.precedesLink = precedesLink
    pending = try Pending(database, plan, externalIDs, target, findings, replacing: leftovers)
  }

  /// Waits until ovs-vswitchd has heard of the port, so that it hears of the link after that.
  func waitUntilTold() throws(AttachmentError) {
    do throws(OVSDBError) { try pending.commit.waitUntilTold(until: database.deadline) } catch {
      // What does not come now does not come later.
      isAnswered = true
      throw AttachmentError(error, AttachedPort.attempt(plan))
    }
  }

  /// Waits until ovsdb-server has the port. ovs-vswitchd is still at work then.
  func confirm() throws(AttachmentError) -> AttachedPort {
    // The bridge may come or go between question and answer; each time there is a new question.
    while true {
      isAnswered = true
      let hadMadeBridge = database.hasMadeBridge
      if pending.bridge == nil { database.hasMadeBridge = true }
      do throws(OVSDBError) {
        return AttachedPort(
          plan: plan, externalIDs: externalIDs, target: target, precedesLink: precedesLink,
          commit: try pending.commit.confirm(until: database.deadline),
          datapath: pending.datapath, tree: pending.bridge?.tree)
      } catch {
        if let port = pending.joining?.gateway.port,
          pending.attaching.gateway?.isElsewhere(error) ?? false
        {
          throw port.refusal(.failed, port.isElsewhere(than: plan.bridge))
        }
        guard pending.attaching.isPreconditionGone(error), !database.deadline.hasPassed else {
          throw AttachmentError(error, AttachedPort.attempt(plan))
        }
        database.hasMadeBridge = hadMadeBridge
      }
      pending = try Pending(
        database, plan, externalIDs, target, database.findings(RowSurvey(plan)),
        replacing: leftovers)
      isAnswered = false
    }
  }

  /// Waits until ovsdb-server has answered, unless that was waited for: what takes the port off
  /// again goes over another connection, and must not come first.
  func end(until deadline: Deadline) {
    guard !isAnswered else { return }
    if pending.bridge == nil { database.hasMadeBridge = true }
    // Most of the time is for taking the port off.
    _ = try? pending.commit.confirm(until: min(deadline, .after(.seconds(1))))
  }
}
