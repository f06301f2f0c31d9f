internal import JSON
internal import Netlink
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
      throw AttachmentError.unavailable(error)
    }
    guard let row = findings.row else { return }
    if let reason = port.objection(to: row) { throw port.refusal(.unavailable, reason) }
    if !findings.isOnBridge {
      throw port.refusal(.unavailable, port.isElsewhere(than: plan.bridge))
    }
    try requireFreeAddresses(plan, context)
  }

  /// The link of the gateway's port has no address in the way of every one that it may get.
  private static func requireFreeAddresses(_ plan: Plan, _ context: Context)
    throws(AttachmentError)
  {
    let gateway: Gateway?
    do { gateway = try Gateway(configured: plan) } catch {
      throw AttachmentError(.invalid, error.description)
    }
    guard let gateway else { return }
    let link: GatewayLink?
    do throws(RouteError) {
      link = try GatewayLink(gateway.port.name, RouteSocket(), until: context.deadline)
    } catch { throw AttachmentError(error, "cannot read the gateway \"\(gateway.port.name)\"") }
    do throws(AttachmentError) { try gateway.checkAddresses(link, plan) } catch {
      throw AttachmentError(.unavailable, error.message, details: error.details)
    }
  }
}
