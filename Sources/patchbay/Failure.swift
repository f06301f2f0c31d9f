import CNI
import CNIRuntime
import Linux

/// Why a subcommand could not do what it was asked for, and what to do next.
struct Failure: Error, CustomStringConvertible {
  let description: String

  /// A sentence; `hint` says what to do next.
  ///
  /// For a user who is not root and was refused, that is what is wrong, and is said first.
  ///
  /// - Parameter isAboutRoot: Whether that may be said; `hint` says it otherwise.
  init(_ message: String, hint: String? = nil, isAboutRoot: Bool = true) {
    var text = hint.map { "\(message)\n\($0)" } ?? message
    if hint == nil, text.contains("is ovsdb-server running?"), Self.privilege(for: text) == nil {
      text += "\nstart Open vSwitch: \(SwitchService.cure)"
    }
    let privilege = isAboutRoot ? Self.privilege(for: text) : nil
    description = privilege.map { "\($0)\n\(text)" } ?? text
  }

  /// What a runtime says, and what to do about it.
  init(_ error: RuntimeError) {
    let hint: String? =
      switch error {
      case .attached(let attachment, let network):
        "patchbay del \(network) --container-id \(attachment.containerID) --ifname "
          + "\(attachment.interfaceName) detaches it; add --ifname NAME attaches it once more"
      case .configuration(let file, _)
      where [".conflist", ".conf", ".json"].contains(where: { file.hasSuffix($0) }):
        "every runtime stops at this file before it reads the next; mend it or take it away: "
          + "patchbay validate \(file) names its faults"
      case .notAttached: "patchbay list shows what is attached"
      case .noNetworks:
        "a network is a file NAME.conflist there; --conf-dir or NETCONFPATH names another directory"
      default: nil
      }
    self.init(error.description, hint: hint)
  }

  /// That it needs root, where the kernel refused this to an ordinary user; nil elsewhere.
  static func privilege(for text: String) -> String? {
    guard Process.effectiveUser != 0 else { return nil }
    let lowercased = text.lowercased()
    let refusals = ["eperm", "eacces", "permission denied", "operation not permitted"]
    guard refusals.contains(where: { lowercased.contains($0) }) else { return nil }
    return "this needs root: run it with sudo, or in \"patchbay playground\""
  }
}
