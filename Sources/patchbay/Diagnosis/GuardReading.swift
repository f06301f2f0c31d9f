import Attachments
import Linux
import Netlink
import OpenVSwitch
import PluginCore
import PortGuard

/// What polices what a container sends.
enum GuardReading {
  /// Nil where the number of frames that it has dropped is unknown.
  case present(GuardMechanism, dropped: UInt64?)
  case gone(GuardMechanism)
  case unreadable(GuardError)

  /// The guard of a port of `bridge` whose host end is `link`.
  init(of link: Link, on bridge: DatabaseReading.Bridge, _ host: HostReading) {
    let isProgram = link.program != nil
    let mechanism: GuardMechanism =
      isProgram
      ? .xdp
      : GuardMechanism(
        isUserspace: bridge.datapath == .netdev,
        isOffloaded: host.root.otherConfiguration["hw-offload"] == "true")
    do {
      let dropped = try LinkGuard(mechanism, of: link.name).dropped(
        host.outside, until: host.deadline)
      // The driver counts frames whether or not it runs a program.
      let isThere = mechanism == .xdp ? isProgram : dropped != nil
      self = isThere ? .present(mechanism, dropped: dropped) : .gone(mechanism)
    } catch { self = .unreadable(error) }
  }
}

extension GuardMechanism {
  /// What is missing where the guard of `link` is gone.
  func loss(at link: String) -> String {
    let what =
      self == .xdp ? "the XDP program" : "the table netdev \(LinkGuard.tableName(of: link))"
    return "the container can send from any address: something removed \(what) of \(link)"
  }
}

extension Findings {
  /// A fault where the port's row says that a guard polices the container, and none does.
  mutating func checkGuard(of attachment: AttachmentReading, _ host: HostReading) {
    guard attachment.port.externalIDs[AttachmentGuard.key] != nil, let link = attachment.hostLink
    else { return }
    let name = attachment.name
    switch GuardReading(of: link, on: attachment.bridge, host) {
    case .present: return
    case .gone(let mechanism):
      fault(
        "guard-gone", name, "The guard of \(name) is gone, and \(mechanism.loss(at: link.name)).",
        remedy: "patchbay repair \(attachment.record.network)")
    case .unreadable(let error):
      skipped("guard-gone", name, "The guard of \(name) cannot be read: \(error).")
    }
  }
}
