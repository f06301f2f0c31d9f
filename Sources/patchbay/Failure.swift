import CNIRuntime
import Linux

/// Why a subcommand could not do what it was asked for, and what to do next.
struct Failure: Error, CustomStringConvertible {
  let description: String

  /// A sentence; `hint` says what to do next.
  init(_ message: String, hint: String? = nil) {
    description = hint.map { "\(message)\n\($0)" } ?? message
  }

  /// What a runtime says, and that it may be for want of privileges.
  init(_ error: RuntimeError) {
    let text = error.description
    let refusals = ["EPERM", "EACCES", "permission denied", "operation not permitted"]
    let isRefused = refusals.contains { text.contains($0) || text.lowercased().contains($0) }
    let isOrdinary = Process.effectiveUser != 0
    self.init(
      text,
      hint: isRefused && isOrdinary
        ? "you are not root: run it by sudo, or in \"patchbay playground\"" : nil)
  }
}
