import Addresses
import CNI
import Linux
import Netlink
import OVSDB
import OpenVSwitch
import PluginCore
import Unixctl

/// The rows that make the picture, and only their columns that do.
struct PictureRows {
  let version: String?
  let problems: [String]
  private let bridges: [Row<BridgeTable>]
  private let ports: [Reference: Row<PortTable>]
  private let interfaces: [Reference: Row<InterfaceTable>]
  private let daemon: SwitchDaemon

  init(_ endpoint: Endpoint, until deadline: Deadline) throws(OVSDBError) {
    var transaction = Transaction()
    let root = transaction.select(
      from: .openVSwitch, .columns(.version, .nextConfiguration, .currentConfiguration))
    let bridge = transaction.select(
      from: .bridge, .columns(.name, .datapathType, .ports, .failMode, .controllers))
    let port = transaction.select(
      from: .port,
      .columns(
        .uuid, .name, .interfaces, .vlanMode, .tag, .trunks, .externalIDs, .status,
        .rapidSpanningTreeStatus))
    let interface = transaction.select(
      from: .interface,
      .columns(.uuid, .name, .type, .ofport, .ofportRequest, .ifindex, .error))
    let connection = try Connection(endpoint, until: deadline)
    let results = try connection.transact(transaction, until: deadline)
    daemon = SwitchDaemon(connection, endpoint, until: deadline)

    let configuration = results[root].first
    version = configuration?[.version]
    let next = configuration?[.nextConfiguration] ?? 0
    let current = configuration?[.currentConfiguration] ?? 0
    var problems = daemon.problem.map { [$0] } ?? []
    if next != current {
      problems.append(
        "ovs-vswitchd has not taken over the last changes (cur_cfg \(current), next_cfg \(next))"
          + (problems.isEmpty ? ": is it running?" : ""))
    }
    self.problems = problems
    bridges = results[bridge]
    ports = Dictionary(results[port].map { ($0[.uuid], $0) }) { first, _ in first }
    interfaces = Dictionary(results[interface].map { ($0[.uuid], $0) }) { first, _ in first }
  }

  func bridges(_ links: [String: Link]) -> [Picture.Bridge] {
    bridges.map { row in
      let name = row[.name]
      let ports = row[.ports].compactMap { self.ports[$0] }.map { port($0, of: name, links) }
      var problems: [String] = []
      if row[.failMode] == "secure", row[.controllers].isEmpty, daemon.hasFlows(name) == false {
        problems.append(
          "fail_mode is secure, and there is neither a controller nor a flow: nothing is forwarded; "
            + "ovs-vsctl del-fail-mode \(name) lets it switch by itself")
      }
      return Picture.Bridge(
        name: name, datapath: row.datapath,
        ports: ports.sorted { $0.name == name || $1.name != name && $0.name < $1.name },
        problems: problems)
    }.sorted { $0.name < $1.name }
  }

  private func port(_ row: Row<PortTable>, of bridge: String, _ links: [String: Link])
    -> Picture.Port
  {
    let externalIDs = row[.externalIDs]
    let gatewayAddresses = Self.gatewayAddresses(externalIDs)
    var problems = Self.blockades(row)
    let interfaces = row[.interfaces].compactMap { self.interfaces[$0] }.map { interface in
      let type = interface[.type].isEmpty ? "system" : interface[.type]
      let link = links[interface[.name]]
      // Any other internal port may be meant to be down, or have its link in a container.
      let isOfHost =
        type == "system"
        || type == "internal" && (interface[.name] == bridge || !gatewayAddresses.isEmpty)
      problems += Self.problems(interface, isOfHost: isOfHost, isSystem: type == "system", link)
      if type == "internal", !gatewayAddresses.isEmpty, let link, !link.isUp {
        problems.append("link \(link.name), the gateway of a network, is down")
      }
      return Picture.Interface(
        name: interface[.name], type: type, openFlowPort: interface[.ofport], link: link)
    }
    return Picture.Port(
      name: row[.name],
      vlans: .init(mode: row[.vlanMode], tag: row[.tag], trunks: row[.trunks]),
      interfaces: interfaces, record: AttachmentRecord(externalIDs: { externalIDs[$0] }),
      owner: externalIDs[AttachmentRecord.Key.owner], gatewayAddresses: gatewayAddresses,
      problems: problems)
  }

  /// The addresses that `ovs-bridge` has put on a port as a gateway's, by the marks in its row:
  /// `patchbay-gateway/NETWORK/ADDRESS/LENGTH`.
  private static func gatewayAddresses(_ externalIDs: [String: String]) -> [IPPrefix] {
    let texts = externalIDs.keys.compactMap { key -> String? in
      let parts = key.split(separator: "/")
      guard parts.count == 4, parts[0] == "patchbay-gateway" else { return nil }
      return "\(parts[2])/\(parts[3])"
    }
    return Set(texts).sorted().compactMap { try? IPPrefix($0) }
  }

  /// Whether spanning tree keeps the port from forwarding.
  private static func blockades(_ row: Row<PortTable>) -> [String] {
    let state = row[.status]["stp_state"] ?? row[.rapidSpanningTreeStatus]["rstp_port_state"] ?? ""
    guard ["blocking", "listening", "learning", "discarding"].contains(state.lowercased()) else {
      return []
    }
    return ["spanning tree does not let the port forward: it is \(state.lowercased())"]
  }

  private static func problems(
    _ row: Row<InterfaceTable>, isOfHost: Bool, isSystem: Bool, _ link: Link?
  ) -> [String] {
    let name = row[.name]
    var problems: [String] = []
    if let error = row[.error] {
      problems.append("ovs-vswitchd cannot use interface \(name): \(error)")
    } else if row[.ofport] == nil {
      problems.append("ovs-vswitchd has not seen interface \(name) yet: is it running?")
    } else if row[.ofport] == -1 {
      problems.append("ovs-vswitchd cannot use interface \(name): its ofport is -1")
    } else if let wanted = row[.ofportRequest], let given = row[.ofport], wanted != given {
      problems.append(
        "interface \(name) asks for OpenFlow port \(wanted) and has \(given): another port has it")
    }
    // Those of other types have no link, or may have it in a container's namespace.
    guard isOfHost else { return problems }
    // Where there is no link, ovs-vswitchd says so, too, once it has noticed.
    guard let link else { return problems.isEmpty ? ["there is no link \(name) here"] : problems }
    guard isSystem else { return problems }
    let index = row[.ifindex] ?? 0
    if index != 0, index != Int64(link.index) {
      problems.append(
        "ovs-vswitchd uses a link with index \(index), but \(name) has index \(link.index)")
    } else if index == 0, row[.error] == nil, row[.ofport] != nil {
      problems.append("ovs-vswitchd does not see the link \(name), which has index \(link.index)")
    }
    if !link.isUp { problems.append("link \(name) is down") }
    return problems
  }
}

/// The ovs-vswitchd that serves a database.
struct SwitchDaemon {
  /// Why it does not work; nil if it does, as far as it can be told.
  let problem: String?
  private let control: ControlConnection?
  private let deadline: Deadline

  /// It holds a lock of the database while it is connected, and on this host it responds on its
  /// control socket.
  init(_ connection: Connection, _ endpoint: Endpoint, until deadline: Deadline) {
    self.deadline = deadline
    let isConnected = (try? connection.isLockHeld("ovs_vswitchd", until: deadline)) ?? true
    var path: String?
    if case .unix(let socket) = endpoint { path = socket }
    var problem: String?
    var control: ControlConnection?
    do throws(ControlError) {
      // A daemon that is stopped accepts, and never responds.
      let patience = min(deadline, .after(.seconds(2)))
      let found = try ControlConnection(
        ControlSocket(ofSwitchIn: ControlSocket.directory(database: path)), until: patience)
      _ = try found.run("version", until: patience)
      control = found
    } catch {
      if case .timedOut = error { problem = "ovs-vswitchd does not respond: \(error)" }
    }
    if !isConnected {
      problem =
        "ovs-vswitchd is not running: a userspace datapath forwards nothing, the kernel's nothing "
        + "new; systemctl restart openvswitch-switch starts it, without systemd "
        + "/usr/share/openvswitch/scripts/ovs-ctl start"
    }
    self.problem = problem
    self.control = problem == nil ? control : nil
  }

  /// Whether the bridge has flows, but for those that every bridge has; nil where it cannot be told.
  func hasFlows(_ bridge: String) -> Bool? {
    guard let control,
      let text = try? control.run("bridge/dump-flows", [bridge], until: deadline)
    else { return nil }
    return text.split(separator: "\n").contains { !$0.contains("table_id=254") }
  }
}
