package import CNI
internal import Linux
package import OpenVSwitch
package import PluginCore

/// The host end as a port of its bridge: rows of Open vSwitch's database, and what ovs-vswitchd
/// makes of them.
package struct SwitchPort {
  let database: Database
  private let port: AttachedPort
  package var datapath: DatapathType { port.datapath }

  /// Makes the host end a port of its bridge, which is made where that is asked for. ovs-vswitchd
  /// is still at work then.
  ///
  /// - Parameters:
  ///   - end: The container end; the rows tell of it.
  ///   - link: Nil where it is made next, for which the survey must say `isPortFirst`.
  ///   - addresses: The container's; the rows tell them.
  ///   - ipam: What the rows remember for the IPAM plugin.
  ///   - features: What features have in `external_ids`.
  package init(
    _ end: ContainerEnd, _ link: ContainerLink?, _ plan: Plan,
    _ survey: Survey, _ addresses: [AttachmentResult.Address],
    remembering ipam: RememberedIPAM?, _ features: [String: String],
    _ gateway: GatewayTarget?, _ context: Context, _ rollback: inout Rollback
  ) throws(AttachmentError) {
    let pairs = Self.externalIDs(end, plan, addresses, ipam, features, context)
    database = survey.database
    port = try database.attach(
      plan, pairs, gateway, survey.findings, replacing: survey.leftovers, link, &rollback)
    context.log.write(.debug, "put the port on its bridge")
  }

  private static func externalIDs(
    _ end: ContainerEnd, _ plan: Plan, _ addresses: [AttachmentResult.Address],
    _ ipam: RememberedIPAM?, _ features: [String: String], _ context: Context
  ) -> [String: String] {
    var record = plan.record(sandbox: end.sandboxPath, addresses: addresses, mac: end.mac)
    record.began = context.began
    record.ipam = ipam
    let runtime = Process.environment(AttachmentRecord.runtimeVariable) ?? ""
    record.runtime = runtime.isEmpty ? nil : runtime
    return record.externalIDs(plan).adding(features)
  }

  /// Has the rows of a port that forwards say what came by the wire, and gives it its gateway.
  package func complete(
    _ link: ContainerLink, _ plan: Plan, _ addresses: [AttachmentResult.Address],
    remembering ipam: RememberedIPAM?, _ features: [String: String],
    _ gateway: GatewayTarget?,
    _ context: Context, _ rollback: inout Rollback
  ) throws(AttachmentError) {
    // Its own part in the gateway would keep the undoing of the port from taking that away.
    rollback.onFailure("leave the gateway to others") { _ in
      gateway?.presence.end()
      return nil
    }
    let pairs = Self.externalIDs(link.end, plan, addresses, ipam, features, context)
    try database.complete(plan, pairs, gateway, until: context.deadline)
    context.log.write(.debug, "completed the rows of the port")
  }

  /// Waits until the datapath forwards for the port.
  package func waitUntilForwarding(_ link: ContainerLink, _ context: Context)
    throws(AttachmentError)
  {
    try database.waitUntilForwarding(port, link, context)
    context.log.write(.debug, "ovs-vswitchd forwards for the port")
  }

  /// Waits until no spanning tree keeps the port from forwarding. Returns what the rest of the
  /// command has, which gets the more time that this took.
  package func waitForSpanningTree(_ plan: Plan, _ context: Context) throws(AttachmentError)
    -> Context
  {
    try port.tree?.waitUntilForwarding(plan, database.connection, context) ?? context
  }
}
