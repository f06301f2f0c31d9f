internal import Linux
internal import OVSDB
internal import OpenVSwitch
internal import PluginCore

/// The transaction that makes a port, on its way, and what was found before.
private struct PortRequest {
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

extension Database {
  /// Makes a port: returns when ovsdb-server has it. ovs-vswitchd is still at work then.
  ///
  /// - Parameter precedesLink: Whether its link is made next. Then ovs-vswitchd has heard of the
  ///   port, too, so that it hears of the link after that.
  func makePort(
    _ plan: Plan, _ externalIDs: [String: String], _ target: GatewayTarget?,
    _ found: RowSurvey.Findings, replacing leftovers: [RowSurvey.Port], precedesLink: Bool
  ) throws(AttachmentError) -> AttachedPort {
    var findings = found
    // The bridge may come or go between question and answer; each time there is a new question.
    while true {
      let request = try PortRequest(
        self, plan, externalIDs, target, findings, replacing: leftovers)
      let hadMadeBridge = hasMadeBridge
      if request.bridge == nil { hasMadeBridge = true }
      do throws(OVSDBError) {
        let commit = try request.commit.confirm(until: deadline)
        if precedesLink { try commit.waitUntilTold(until: deadline) }
        return AttachedPort(
          plan: plan, externalIDs: externalIDs, target: target, precedesLink: precedesLink,
          commit: commit, datapath: request.datapath, tree: request.bridge?.tree)
      } catch {
        if let port = request.joining?.gateway.port,
          request.attaching.gateway?.isElsewhere(error) ?? false
        {
          throw port.refusal(.failed, port.isElsewhere(than: plan.bridge))
        }
        guard request.attaching.isPreconditionGone(error), !deadline.hasPassed else {
          throw AttachmentError(error, AttachedPort.attempt(plan))
        }
        hasMadeBridge = hadMadeBridge
      }
      findings = try self.findings(RowSurvey(plan))
    }
  }
}
