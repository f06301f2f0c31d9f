internal import OVSDB
internal import OpenVSwitch
package import PluginCore

extension Gateway {
  /// A port that has the name of the gateway's can be that.
  package static func require(_ plan: Plan, _ context: Context) throws(AttachmentError) {
    guard let port = plan.gatewayPort, !plan.bridge.isEmpty else { return }
    var question = Transaction()
    let survey = GatewaySurvey(port, on: plan.bridge, into: &question)
    let findings: GatewaySurvey.Findings
    do {
      let connection = try Connection(plan.endpoint, until: context.deadline)
      findings = survey.findings(try connection.transact(question, until: context.deadline))
    } catch {
      throw AttachmentError(
        .unavailable, "Open vSwitch is not available", details: error.description)
    }
    guard let row = findings.row else { return }
    if let reason = port.objection(to: row) { throw port.refusal(.unavailable, reason) }
    if !findings.isOnBridge {
      throw port.refusal(.unavailable, port.isElsewhere(than: plan.bridge))
    }
  }
}
