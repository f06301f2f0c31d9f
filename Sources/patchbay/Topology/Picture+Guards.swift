import JSON
import Netlink
import PluginCore
import PortGuard

extension Picture {
  /// What polices what a container sends.
  struct Guard: Hashable {
    /// How much of a frame is looked at: `full` or `mac`.
    let mode: String
    /// What does it; nil where nothing does.
    var mechanism: GuardMechanism?
    /// How many frames it has dropped; nil where that is unknown.
    var dropped: UInt64?

    /// `full, by XDP`, `3 frames dropped`
    var facts: [String] {
      guard let mechanism else { return ["\(mode), and it is gone"] }
      let name = mechanism == .xdp ? "XDP" : "nftables"
      let count = dropped.map { "\($0) \($0 == 1 ? "frame" : "frames") dropped" }
      return ["\(mode), by \(name)"] + (count.map { [$0] } ?? [])
    }

    var json: JSONValue {
      .object([
        ("mode", .string(mode)), ("mechanism", mechanism.map { .string($0.rawValue) }),
        ("dropped", dropped.map { .integer(Int64(clamping: $0)) }),
      ])
    }
  }
}

extension Picture.Port {
  /// Reads what polices the port, where its row says that something does.
  mutating func readGuard(_ bridge: DatabaseReading.Bridge, on host: HostReading) {
    guard let mode = guarding?.mode, let link = interfaces.first?.link else { return }
    switch GuardReading(of: link, on: bridge, host) {
    case .present(let mechanism, let dropped):
      guarding = .init(mode: mode, mechanism: mechanism, dropped: dropped)
    case .gone(let mechanism):
      problems.append(
        "its guard is gone, and \(mechanism.loss(at: link.name)); patchbay repair "
          + "\(record?.network ?? "") puts it back")
    case .unreadable(let error): problems.append("its guard cannot be read: \(error)")
    }
  }
}
