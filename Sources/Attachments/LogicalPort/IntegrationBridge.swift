internal import OVSDB
internal import OpenVSwitch
package import PluginCore

extension LogicalPort {
  /// Refuses an integration bridge that is missing: this plugin makes none, ovn-controller does.
  package static func requireBridge(_ plan: Plan, _ context: Context) throws(AttachmentError) {
    let fault: AttachmentError?
    do throws(OVSDBError) { fault = try missingBridge(plan, context) } catch {
      throw AttachmentError(error, "cannot ask Open vSwitch")
    }
    if let fault { throw fault }
  }

  /// The same for STATUS. Why Open vSwitch cannot be asked, what comes after it says.
  package static func requireBridgeForStatus(_ plan: Plan, _ context: Context)
    throws(AttachmentError)
  {
    let fault: AttachmentError?
    do throws(OVSDBError) { fault = try missingBridge(plan, context) } catch { return }
    if let fault {
      throw AttachmentError(.unavailable, fault.message, details: fault.details)
    }
  }

  private static func missingBridge(_ plan: Plan, _ context: Context) throws(OVSDBError)
    -> AttachmentError?
  {
    var question = Transaction()
    let bridges = question.select(from: .bridge, .columns(.name))
    let rows = question.select(from: .openVSwitch, .columns(.externalIDs))
    let results = try Connection(plan.endpoint, until: context.deadline)
      .transact(question, until: context.deadline)
    let names = results[bridges].map { $0[.name] }.sorted()
    if names.contains(plan.bridge) { return nil }
    let found = names.isEmpty ? "none" : names.map { "\"\($0)\"" }.joined(separator: ", ")
    // See ovn-controller(8).
    let made = results[rows].first?[.externalIDs]["ovn-bridge"] ?? "br-int"
    return AttachmentError(
      .invalid, "integrationBridge: there is no bridge \"\(plan.bridge)\"",
      details: "ovsdb-server at \(plan.endpoint) has \(found); ovn-controller makes the one that "
        + "external_ids:ovn-bridge of Open vSwitch names, here \"\(made)\", when it runs")
  }
}
