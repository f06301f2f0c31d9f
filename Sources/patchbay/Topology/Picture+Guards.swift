import JSON
import Linux
import Netlink
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
  mutating func readGuard(_ socket: RouteSocket, until deadline: Deadline) {
    guard let mode = guarding?.mode, let link = interfaces.first?.link else { return }
    let isProgram = link.program != nil
    let mechanism: GuardMechanism = isProgram ? .xdp : .nftables
    do {
      let dropped = try LinkGuard(mechanism, of: link.name).dropped(socket, until: deadline)
      if isProgram || dropped != nil {
        guarding = .init(mode: mode, mechanism: mechanism, dropped: dropped)
        return
      }
      problems.append(
        "its guard is gone, and the container can send from any address: something removed the XDP "
          + "program or the nftables rules of \(link.name); patchbay repair puts it back")
    } catch { problems.append("its guard cannot be read: \(error)") }
  }
}
