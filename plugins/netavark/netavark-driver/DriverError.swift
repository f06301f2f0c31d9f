import CNIRuntime
import Linux

/// Why a driver could not do what it was asked for: one sentence.
struct DriverError: Error, Hashable, Sendable, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description.controlCharactersEscaped }

  /// What a plugin or the runtime says, in one line, as netavark shows it in one.
  init(_ error: RuntimeError) {
    var cause = error
    if case .rolledBack(let first, let failures) = error, failures.isEmpty { cause = first }
    let lines = cause.description.split(separator: "\n").map { String($0) }
    self.init(lines.joined(separator: "; "))
  }
}
