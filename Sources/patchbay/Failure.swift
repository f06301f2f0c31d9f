import CNI
import CNIRuntime
import Linux

/// Why a subcommand could not do what it was asked for, and what to do next.
struct Failure: Error, CustomStringConvertible {
  let description: String

  /// A sentence; `hint` says what to do next.
  init(_ message: String, hint: String? = nil) {
    description = hint.map { "\(message)\n\($0)" } ?? message
  }

  /// What a runtime says, and what to do about it, or that it may be for want of privileges.
  init(_ error: RuntimeError) {
    let hint: String? =
      switch error {
      case .attached(let attachment, let network):
        "patchbay del \(network) --container-id \(attachment.containerID) --ifname "
          + "\(attachment.interfaceName) detaches it; add --ifname NAME attaches it once more"
      case .notAttached: "patchbay list shows what is attached"
      case .noNetworks:
        "a network is a file NAME.conflist there; --conf-dir or NETCONFPATH names another directory"
      default: nil
      }
    self.init(error.description, hint: hint ?? Self.hint(for: error.description))
  }

  /// What to do next when only root may do it; nil for root.
  static var rootHint: String? {
    Process.effectiveUser == 0
      ? nil : "you are not root: run it by sudo, or in \"patchbay playground\""
  }

  /// The hint for an error that the kernel gave to somebody who is not root.
  static func hint(for text: String) -> String? {
    let lowercased = text.lowercased()
    let refusals = ["eperm", "eacces", "permission denied", "operation not permitted"]
    return refusals.contains { lowercased.contains($0) } ? rootHint : nil
  }
}
