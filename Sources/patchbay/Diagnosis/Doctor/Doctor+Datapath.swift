import Unixctl

/// What the datapath has not forwarded.
extension Doctor {
  /// Packets that the datapath could not hand to ovs-vswitchd.
  func checkLosses(_ findings: inout Findings) {
    guard let text = try? host.control?.run("dpctl/show", until: host.deadline) else { return }
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard
        let lost = fields.last(where: { $0.hasPrefix("lost:") }).flatMap({ Int64($0.dropFirst(5)) }
        ),
        lost > 0
      else { continue }
      findings.doubt(
        "lost-upcalls", "datapath",
        "\(lost) packet\(lost == 1 ? " was" : "s were") lost on the way to ovs-vswitchd, which was "
          + "too busy.",
        remedy: "ovs-appctl dpctl/show")
    }
  }

  /// Counters that count while all is well: a broadcast that no other port takes, spanning tree, a
  /// meter, a port that goes, a bridge that is being changed, a busy moment.
  private static let harmlessCounters: Set<String> = [
    "drop_action_of_pipeline", "drop_action_forwarding_disabled", "drop_action_congestion",
    "datapath_drop_meter", "datapath_drop_invalid_port", "datapath_drop_lock_error",
    "datapath_drop_upcall_error", "datapath_drop_rx_invalid_packet",
  ]

  /// What ovs-vswitchd counts of packets that were dropped, since it was started (`coverage/show`,
  /// ovs-vswitchd(8)). Those that show a fault of flows or of the datapath are doubts; the others
  /// are returned as a remark.
  func checkDrops(_ findings: inout Findings) -> String? {
    guard let text = try? host.control?.run("coverage/show", until: host.deadline) else {
      return nil
    }
    var remarks: [String] = []
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard let name = fields.first.map({ String($0) }),
        name.hasPrefix("drop_action_") || name.hasPrefix("datapath_drop_"),
        let total = fields.last.flatMap({ Int64($0) }), total > 0
      else { continue }
      guard !Self.harmlessCounters.contains(name) else {
        remarks.append("\(total) \(name)")
        continue
      }
      findings.doubt(
        "drops", "datapath",
        "\(total) packet\(total == 1 ? " was" : "s were") dropped since ovs-vswitchd was started, "
          + "counted as \(name).", remedy: "ovs-appctl coverage/show")
    }
    guard !remarks.isEmpty else { return nil }
    let remark = "dropped since ovs-vswitchd was started: \(remarks.joined(separator: ", "))"
    findings.good("drops", "datapath", remark)
    return remark
  }
}
