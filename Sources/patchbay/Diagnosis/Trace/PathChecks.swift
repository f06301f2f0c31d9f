import Addresses
import Linux
import Unixctl

/// Checks of one way through a bridge, by `ofproto/trace` and the database.
struct PathChecks {
  let host: HostReading
  let path: FramePath

  /// Asks ovs-vswitchd for each frame; stops at the first that does not arrive.
  func check(_ frames: inout [TracedFrame], _ findings: inout Findings) {
    guard let control = host.control else { return }
    var cachedDrops: [String]?
    for (name, flow) in path.frames {
      let text: String
      do throws(ControlError) { text = try trace(flow, control) } catch {
        findings.skipped(
          "trace", "bridge \(path.bridge.name)", "ovs-vswitchd does not trace: \(error)")
        return
      }
      let trace = FlowTrace(text)
      frames.append(
        TracedFrame(
          bridge: path.bridge.name, name: name, flow: flow, text: text, trace: trace))
      let before = findings.all.count
      judge(name, trace, &findings)
      if findings.all.count > before { return }
      if name != "ARP", name != "neighbour solicitation" {
        let drops = cachedDrops ?? self.cachedDrops(control)
        cachedDrops = drops
        checkCache(drops, &findings)
      }
    }
  }

  private func trace(_ flow: String, _ control: ControlConnection) throws(ControlError) -> String {
    do throws(ControlError) {
      return try control.run(
        "ofproto/trace", [path.bridge.name, flow, "--names"], until: host.deadline)
    } catch {
      // Releases before 3.1 do not know the option, and write numbers of ports.
      guard case .refused(_, let words) = error, words.contains("--names") else { throw error }
      return try control.run("ofproto/trace", [path.bridge.name, flow], until: host.deadline)
    }
  }

  private var subject: String { "bridge \(path.bridge.name)" }

  private func judge(_ name: String, _ trace: FlowTrace, _ findings: inout Findings) {
    let (from, to, bridge) = (path.from, path.to, path.bridge)
    if let output = trace.outputs.first(where: { $0.link == to.interface.name }) {
      guard let tag = output.tag, to.attachment != nil else { return }
      if to.port.vlans.carries(Int64(tag)), to.port.vlans.mode != "trunk" || tag == 0 { return }
      findings.fault(
        "vlan-tagged", subject,
        "Frames of \(from.name) reach \(to.name) with the tag of VLAN \(tag), which \(to.name) "
          + "(\(to.port.vlans.description)) does not take off.",
        remedy: "ovs-vsctl set Port \(to.port.name.shellWord) vlan_mode=access tag=\(tag)")
      return
    }
    if blockedBySpanningTree(trace, &findings) { return }
    if let table = trace.lastTable, table.isMiss {
      missed(table, &findings)
      return
    }
    if from.port.isProtected, to.port.isProtected {
      findings.fault(
        "isolated", subject,
        "\(from.name) and \(to.name) are both isolated (portIsolation), so they reach the gateway "
          + "and not each other.",
        remedy: "ovs-vsctl set Port \(to.port.name.shellWord) protected=false")
      return
    }
    for end in [from, to] where bridge.mirrorOutputs.contains(end.port.name) {
      findings.fault(
        "mirror-output", subject,
        "\(end.port.name) is the output port of a mirror, and takes part in nothing else.",
        remedy:
          "ovs-vsctl clear Bridge \(bridge.name.shellWord) mirrors && ovs-appctl revalidator/purge")
      return
    }
    let vlan = from.port.vlans.native
    if trace.remarks.contains(where: { $0.hasPrefix("disallowed VLAN") }), from.attachment != nil,
      from.port.vlans.mode != "dot1q-tunnel"
    {
      let native = to.port.vlans.native
      findings.fault(
        "vlan-in", subject,
        "\(from.name) sends without a tag, and its port takes tagged frames alone "
          + "(\(from.port.vlans.description)).",
        remedy: native != 0 && from.port.vlans.carries(native)
          ? "ovs-vsctl set Port \(from.port.name.shellWord) vlan_mode=native-untagged tag=\(native)"
          : nil)
      return
    }
    if !to.port.vlans.carries(vlan) || to.port.vlans.native != vlan {
      findings.fault(
        "vlan", subject,
        "\(from.name) is in VLAN \(vlan) (\(from.port.vlans.description)), \(to.name) in VLAN "
          + "\(to.port.vlans.native) (\(to.port.vlans.description)).",
        remedy: vlan == 0
          ? "ovs-vsctl remove Port \(to.port.name.shellWord) tag \(to.port.vlans.tag ?? 0) -- "
            + "clear Port \(to.port.name.shellWord) vlan_mode"
          : "ovs-vsctl set Port \(to.port.name.shellWord) vlan_mode=access tag=\(vlan)")
      return
    }
    if trace.remarks.contains(where: { $0.contains("forwarding to learned port") })
      || trace.remarks.contains(where: { $0.contains("learned port is input port") })
    {
      learnedElsewhere(trace, &findings)
      return
    }
    if let failure = trace.blocks.last?.failure {
      findings.fault(
        "flow-drop", subject, "Open vSwitch drops \(name) of \(from.name): \(failure).")
      return
    }
    guard let table = trace.lastTable, !table.actions.isEmpty else {
      findings.fault(
        "port-no-receive", from.port.name,
        "\(from.port.name) takes no frames: OpenFlow set it to no-receive.",
        remedy: "ovs-ofctl mod-port \(bridge.name.shellWord) \(from.port.name.shellWord) receive")
      return
    }
    if trace.outputs.isEmpty,
      table.actions.contains(where: { $0.lowercased().hasPrefix("controller") })
    {
      findings.doubt(
        "controller", subject,
        "A flow of \(bridge.name) hands \(name) from \(from.name) to the controller, which "
          + "decides: table \(table.number), \(table.rule).",
        remedy: "ovs-vsctl get-controller \(bridge.name.shellWord)")
      return
    }
    // The switch itself has not sent it there: no flow to be taken away.
    guard !table.actions.contains("NORMAL") else {
      let reason = trace.remarks.last.map { " (\($0))" } ?? ""
      findings.fault(
        "flow-elsewhere", subject,
        "\(bridge.name) does not send \(name) from \(from.name) to \(to.name)\(reason).")
      return
    }
    let isDrop = table.actions.contains("drop") || trace.outputs.isEmpty
    findings.fault(
      isDrop ? "flow-drop" : "flow-elsewhere", subject,
      "A flow of \(bridge.name) \(isDrop ? "drops" : "sends elsewhere") \(name) from \(from.name) "
        + "to \(to.name): table \(table.number), \(table.rule).",
      remedy: "ovs-ofctl --strict del-flows \(bridge.name.shellWord) '\(strictMatch(table))'")
  }

  /// The rule as `ovs-ofctl --strict` names it.
  private func strictMatch(_ table: FlowTrace.Table) -> String {
    var parts: [String] = ["table=\(table.number)"]
    for part in table.rule.split(separator: ",") {
      let text = part.drop { $0 == " " }
      if text.hasPrefix("cookie ") { continue }
      parts.append(
        text.hasPrefix("priority ") ? "priority=\(text.dropFirst(9))" : String(text))
    }
    return parts.joined(separator: ",")
  }

  private func blockedBySpanningTree(_ trace: FlowTrace, _ findings: inout Findings) -> Bool {
    guard path.bridge.hasSpanningTree else { return false }
    for end in [path.from, path.to] {
      let state = end.port.status["stp_state"] ?? end.port.status["rstp_port_state"] ?? ""
      guard ["listening", "learning", "blocking", "discarding"].contains(state.lowercased()) else {
        continue
      }
      findings.fault(
        "stp", subject,
        "Spanning tree has \(end.port.name) in the state \(state.lowercased()); a new port waits "
          + "30 s.",
        remedy:
          "ovs-vsctl set Bridge \(path.bridge.name.shellWord) stp_enable=false rstp_enable=false")
      return true
    }
    guard trace.remarks.contains(where: { $0.contains("STP not in forwarding state") }) else {
      return false
    }
    findings.fault(
      "stp", subject, "Spanning tree keeps a port of \(path.bridge.name) from forwarding.",
      remedy:
        "ovs-vsctl set Bridge \(path.bridge.name.shellWord) stp_enable=false rstp_enable=false")
    return true
  }

  private func missed(_ table: FlowTrace.Table, _ findings: inout Findings) {
    let bridge = path.bridge
    let place = table.number == 0 ? "" : "table=\(table.number),"
    let remedy =
      "ovs-ofctl add-flow \(bridge.name.shellWord) \(place)priority=0,actions=NORMAL"
    if let controller = bridge.controllers.first(where: { !$0.isConnected }) {
      findings.fault(
        "no-flow", subject,
        "\(bridge.name) has no flow that takes this frame, and its controller \(controller.target) "
          + "is not connected.", remedy: remedy)
    } else if bridge.failMode == "secure" {
      findings.fault(
        "secure-without-flows", subject,
        "\(bridge.name) has fail_mode secure and no flow that takes this frame, so it drops it.",
        remedy: remedy)
    } else {
      findings.fault(
        "no-flow", subject,
        "No flow in table \(table.number) of \(bridge.name) takes this frame, so it is dropped.",
        remedy: remedy)
    }
  }

  private func learnedElsewhere(_ trace: FlowTrace, _ findings: inout Findings) {
    let (to, bridge) = (path.to, path.bridge)
    let place = trace.outputs.first?.link ?? path.from.interface.name
    let isStatic =
      (try? host.control?.run("fdb/show", [bridge.name], until: host.deadline))?.split(
        separator: "\n"
      ).contains { $0.contains(to.mac.description) && $0.contains("static") } ?? false
    findings.fault(
      "fdb-wrong", subject,
      "\(bridge.name) has learned the MAC address of \(to.name) at \(place): another container or "
        + "host has used it.",
      remedy: isStatic
        ? "ovs-appctl fdb/del \(bridge.name.shellWord) \(path.from.port.vlans.native) \(to.mac)"
        : "ovs-appctl fdb/flush \(bridge.name.shellWord)")
  }

  /// The datapath's cached flows that drop, a line each; none where ovs-vswitchd does not tell.
  ///
  /// On a bridge with hundreds of ports the flows are megabytes: what floods names each port.
  private func cachedDrops(_ control: ControlConnection) -> [String] {
    let text = try? control.run("dpctl/dump-flows", ["--names"], until: host.deadline)
    let end = Array("actions:drop".utf8)
    return (text ?? "").utf8.split(separator: UInt8(ascii: "\n")).filter {
      $0.suffix(end.count).elementsEqual(end)
    }.map { String(Substring($0)) }
  }

  /// Whether the datapath drops what its tables would forward now: some changes, of mirrors for
  /// one, do not revalidate its cached flows.
  private func checkCache(_ drops: [String], _ findings: inout Findings) {
    let port = "in_port(\(path.from.interface.name))"
    let source = path.from.mac.description
    for line in drops where line.contains(port) {
      guard !line.contains("eth(src=") || line.contains("src=\(source)") else { continue }
      // A flow to another destination says nothing of this one.
      guard
        !line.contains("dst=") || line.contains("dst=\(path.to.mac)")
          || line.contains("dst=ff:ff:ff:ff:ff:ff")
      else { continue }
      guard
        line.contains("eth_type(0x0806)") || line.contains("eth_type(0x0800)")
          || line.contains("eth_type(0x86dd)") || !line.contains("eth_type(")
      else { continue }
      findings.fault(
        "stale-cache", subject,
        "The datapath still drops frames of \(path.from.name) by an old flow, which Open vSwitch "
          + "has not revalidated.", remedy: "ovs-appctl revalidator/purge")
      return
    }
  }
}
