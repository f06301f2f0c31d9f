internal import CNI
internal import JSON
internal import Linux
internal import OVSDB
internal import OpenVSwitch
internal import PluginConfigurations
internal import PluginCore

/// What a port is to the spanning tree of its bridge.
enum SpanningTree {
  /// `Port.other_config` of a port behind which there is a host and no other bridge: by the rapid
  /// protocol it forwards within 3 s. The older one knows no such ports; and a port that takes no
  /// part (`stp-enable=false`) gets no broadcast on a bridge that does (seen with Open vSwitch
  /// 3.1.0).
  static let edge = ["rstp-port-admin-edge": "true"]

  /// What ovs-vswitchd says of a port that forwards: `stp_state`, `rstp_port_state`.
  private static let forwarding = ["forwarding", "Forwarding"]

  /// How long an ADD may take without `timeout`: the older protocol keeps a port that comes from
  /// forwarding for 30 s.
  private static let patience = Duration.seconds(45)

  /// Waits until no spanning tree keeps the port from forwarding. Returns what the rest of the
  /// command has, which gets the more time that this took.
  static func waitUntilForwarding(
    _ plan: Plan, _ connection: Connection, _ context: Context
  ) throws(AttachmentError) -> Context {
    var context = context
    do throws(OVSDBError) {
      var question = Transaction()
      let bridges = question.select(
        from: .bridge, where: [.equal(.name, plan.bridge)],
        .columns(.hasSpanningTree, .hasRapidSpanningTree))
      let results = try connection.transact(question, until: context.deadline)
      guard let bridge = results[bridges].first,
        bridge[.hasSpanningTree] || bridge[.hasRapidSpanningTree]
      else { return context }
      if plan.json["timeout"].isAbsent {
        context = Context(
          deadline: .after(patience), log: context.log, began: context.began)
      }
      let isRapid = bridge[.hasRapidSpanningTree]
      let name = plan.hostLink.name
      let monitor = connection.monitor([
        .rows(
          of: .port, where: [.equal(.name, name)], .columns(.status, .rapidSpanningTreeStatus))
      ])
      connection.flush()
      defer { monitor.cancel() }
      try monitor.waitForConsequence(
        until: context.deadline, for: "the spanning tree to let port \"\(name)\" forward"
      ) {
        guard let port = $0.rows(of: .port).first else { return true }
        let state =
          isRapid
          ? port[.rapidSpanningTreeStatus]["rstp_port_state"] : port[.status]["stp_state"]
        return state.map { forwarding.contains($0) } ?? false
      }
      return context
    } catch {
      throw AttachmentError(
        error,
        "port \"\(plan.hostLink.name)\" is blocked by the spanning tree of bridge "
          + "\"\(plan.bridge)\"; rstp_enable instead of stp_enable takes 3 s")
    }
  }
}
