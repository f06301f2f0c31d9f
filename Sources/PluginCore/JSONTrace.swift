internal import Linux

/// The JSON texts that a plugin is given and gives, on standard error, one line each.
struct JSONTrace {
  /// Who reads and writes them, and for which command: `ovs-bridge ADD`.
  private let subject: String

  /// Nil unless the environment variable `CNI_TRACE` names `json` among others.
  init?(_ subject: String) {
    guard Process.isTraced("json") else { return nil }
    self.subject = subject
  }

  func received(_ text: [UInt8]) { write("->", text) }
  func sent(_ text: [UInt8]) { write("<-", text) }

  private func write(_ direction: String, _ text: [UInt8]) {
    // A line feed in a JSON text stands between its parts, never in a string.
    let line = text.filter { $0 != 0x0a }
    try? StandardStream.error.write(Array("\(direction) \(subject) ".utf8) + line + [0x0a])
  }
}
