internal import CNI
internal import JSON
internal import Linux
internal import OVSDB
internal import OpenVSwitch
internal import PluginConfigurations
internal import PluginCore

/// The spanning tree of a bridge, and what a port is to it.
enum SpanningTree {
  /// IEEE 802.1D-1998.
  case older
  /// IEEE 802.1D-2004.
  case rapid

  /// That of a bridge; nil where it has none.
  init?(_ bridge: Row<BridgeTable>) {
    if bridge[.hasRapidSpanningTree] {
      self = .rapid
    } else if bridge[.hasSpanningTree] {
      self = .older
    } else {
      return nil
    }
  }

  /// `Port.other_config` of a port behind which there is a host and no other bridge: by the rapid
  /// protocol it forwards within 3 s. The older one knows no such ports; and a port that takes no
  /// part (`stp-enable=false`) gets no broadcast on a bridge that does (seen with Open vSwitch
  /// 3.1.0).
  static let edge = ["rstp-port-admin-edge": "true"]

  /// States of `stp_state` that end by themselves.
  private static let transient = ["listening", "learning"]

  /// How long an ADD may take without `timeout`: the older protocol keeps a port that comes from
  /// forwarding for 30 s.
  private static let patience = Duration.seconds(45)

  /// Waits until it no longer keeps the port from forwarding. Returns what the rest of the command
  /// has, which gets the more time that this took.
  func waitUntilForwarding(_ plan: Plan, _ connection: Connection, _ context: Context)
    throws(AttachmentError) -> Context
  {
    var context = context
    if plan.json[NetworkConfiguration.Member.timeout].isAbsent {
      context = Context(
        deadline: .after(Self.patience), log: context.log, began: context.began)
    }
    let monitor = connection.monitor([
      .rows(of: .port, .columns(.name, .status, .rapidSpanningTreeStatus))
    ])
    connection.flush()
    defer { monitor.cancel() }
    let name = plan.hostLink.name
    do throws(OVSDBError) {
      try monitor.waitForConsequence(
        until: context.deadline, for: "the spanning tree to let port \"\(name)\" forward"
      ) {
        let ports = $0.rows(of: .port)
        guard let port = ports.first(where: { $0[.name] == name }) else { return true }
        return switch self {
        case .older: Self.forwards(port[.status], among: ports.map { $0[.status] })
        case .rapid: port[.rapidSpanningTreeStatus]["rstp_port_state"] == "Forwarding"
        }
      }
    } catch {
      throw AttachmentError(
        error,
        "port \"\(name)\" is blocked by the spanning tree of bridge \"\(plan.bridge)\"; "
          + "rstp_enable instead of stp_enable takes 3 s")
    }
    return context
  }

  /// Whether a port forwards by the older protocol, and each other port of its bridge, too, unless
  /// it is blocked: a port that comes may take over the number, and with it the state, of one that
  /// forwarded and now listens.
  private static func forwards(_ status: [String: String], among all: [[String: String]]) -> Bool {
    guard status["stp_state"] == "forwarding" else { return false }
    return !all.contains { other in
      other["stp_bridge_id"] == status["stp_bridge_id"]
        && other["stp_state"].map { transient.contains($0) } ?? false
    }
  }
}

extension SpanningTree {
  /// The number of a port on a bridge whose administrator gives numbers: as long as one port has
  /// `stp-port-num` and another one has not, Open vSwitch switches the protocol off for the bridge
  /// (`bridge_configure_stp()` in vswitchd/bridge.c).
  struct PortNumber {
    let value: Int
    /// The ports whose numbers are known; with another port beside them it may be taken.
    let ports: [Reference]

    /// As Open vSwitch has it (`STP_MAX_PORTS`).
    private static let range = 1...255
    private static let key = "stp-port-num"

    /// A free one on a bridge with the older protocol; nil where Open vSwitch numbers the ports.
    init?(
      on bridge: Reference, _ connection: Connection, until deadline: Deadline
    ) throws(AttachmentError) {
      var question = Transaction()
      let members = question.select(
        from: .bridge, where: [.equal(.uuid, bridge)], .columns(.ports))
      let numbered = question.select(from: .port, .columns(.uuid, .otherConfiguration))
      let results: TransactionResults
      do { results = try connection.transact(question, until: deadline) } catch {
        throw AttachmentError(error, "cannot ask Open vSwitch")
      }
      ports = results[members].first?[.ports] ?? []
      let own = Set(ports)
      let taken = results[numbered].compactMap { port in
        own.contains(port[.uuid]) ? port[.otherConfiguration][Self.key].flatMap { Int($0) } : nil
      }
      guard !taken.isEmpty else { return nil }
      guard let free = Self.range.first(where: { !taken.contains($0) }) else {
        throw AttachmentError(
          .failed, "no number is left for the port in the spanning tree of its bridge",
          details: "there are \(Self.range.count), and each is the \(Self.key) of a port")
      }
      value = free
    }

    /// What the port has in `other_config`.
    var setting: [String: String] { [Self.key: String(value)] }
  }
}
