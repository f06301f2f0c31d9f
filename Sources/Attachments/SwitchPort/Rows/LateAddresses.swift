internal import Linux
internal import OVSDB
internal import OpenVSwitch
internal import PluginCore

extension Database {
  /// Has the rows of an attachment say what came when its port forwarded already, and gives it its
  /// gateway.
  func complete(
    _ plan: Plan, _ externalIDs: [String: String], _ target: GatewayTarget?,
    until deadline: Deadline
  ) throws(AttachmentError) {
    let attempt = "cannot complete port \"\(plan.hostLink.name)\" on bridge \"\(plan.bridge)\""
    // The gateway's port may come or go between question and answer.
    while true {
      let findings = try findings(RowSurvey(plan))
      guard let bridge = findings.bridge else {
        throw AttachmentError(.failed, attempt, details: "the bridge is gone")
      }
      let joining = target.map { GatewayJoining($0, plan, findings.gateway) }
      try joining?.checkPort()
      var transaction = Transaction()
      let isThere = transaction.require(
        .port,
        where: [
          .equal(.name, plan.hostLink.name), .includes(.externalIDs, plan.key.externalIDs),
        ])
      let preconditions = joining?.join(bridge.reference, &transaction)
      transaction.mutate(
        .port, where: [.equal(.name, plan.hostLink.name)],
        [.insert(externalIDs, into: .externalIDs)])
      transaction.mutate(
        .interface, where: [.equal(.name, plan.hostLink.name)],
        [.insert(externalIDs, into: .externalIDs)])
      transaction.append(.comment("patchbay: complete \(plan.key)"))
      do throws(OVSDBError) {
        _ = try connection.commit(transaction, until: deadline)
        return
      } catch {
        if let port = joining?.gateway.port, preconditions?.isElsewhere(error) ?? false {
          throw port.refusal(.failed, port.isElsewhere(than: plan.bridge))
        }
        if isThere.isUnmet(error) {
          throw AttachmentError(
            .failed, attempt, details: "another process removed its row from the database meanwhile"
          )
        }
        guard preconditions?.areGone(error) ?? false, !deadline.hasPassed else {
          throw AttachmentError(error, attempt)
        }
      }
    }
  }
}
