internal import Linux
internal import OVSDB
internal import OpenVSwitch
internal import PluginConfigurations

/// What is said of a bridge that is missing, and that the plugin may not make.
enum MissingBridge {
  /// Why `plan` has no bridge, which bridges there are, and what makes one.
  static func refusal(_ plan: Plan, _ connection: Connection, until deadline: Deadline)
    throws(OVSDBError) -> AttachmentError
  {
    var question = Transaction()
    let bridges = question.select(from: .bridge, .columns(.name))
    let rows = question.select(from: .openVSwitch, .columns(.externalIDs))
    let results = try connection.transact(question, until: deadline)
    let names = results[bridges].map { $0[.name] }.sorted()
    let found = names.isEmpty ? "none" : names.map { "\"\($0)\"" }.joined(separator: ", ")
    let isOVN = plan.configuration.isIntegrationBridge
    // See ovn-controller(8).
    let made = results[rows].first?[.externalIDs]["ovn-bridge"] ?? "br-int"
    let cure =
      isOVN
      ? "ovn-controller makes the one that external_ids:ovn-bridge of Open vSwitch names, here "
        + "\"\(made)\", when it runs" : "\"createBridge\": true makes it"
    return AttachmentError(
      .invalid,
      "\(isOVN ? "integrationBridge" : "bridge"): there is no bridge \"\(plan.bridge)\"",
      details: "ovsdb-server at \(plan.endpoint) has \(found); \(cure)")
  }
}
