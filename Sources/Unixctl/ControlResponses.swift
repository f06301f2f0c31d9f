internal import JSON

/// What a daemon sends over its control socket: JSON texts without separators, in whatever pieces
/// they arrive.
package struct ControlResponses {
  private var splitter = JSONTextSplitter()

  /// Bytes; a longer response is refused.
  private static let limit = 16 << 20

  /// What became of one command.
  package enum Outcome: Hashable, Sendable {
    /// Its text, without the final newline.
    case text(String)
    /// The daemon refused it, in these words.
    case refused(String)
    /// What came is no response.
    case malformed(String)
  }

  package init() {}

  /// Takes what was received.
  package mutating func append(_ bytes: [UInt8]) { splitter.append(bytes) }

  /// The outcome of the command with this ID; nil while its response is not whole.
  package mutating func outcome(of id: Int64) -> Outcome? {
    while let text = splitter.next() {
      guard let value = try? JSONValue(parsing: text) else { return .malformed("it is not JSON") }
      // A response to what was given up earlier may still come.
      guard value["id"]?.integer == id else { continue }
      if let error = value["error"], error != .null {
        return .refused(Self.trimmed(error.text ?? "without a reason"))
      }
      guard let text = value["result"]?.text else {
        return .malformed("it has neither \"result\" nor \"error\"")
      }
      return .text(Self.trimmed(text))
    }
    guard splitter.pendingCount <= Self.limit else {
      return .malformed("it has more than \(Self.limit) bytes")
    }
    return nil
  }

  /// Releases before 3.4 end a text with a newline, later ones do not.
  private static func trimmed(_ text: String) -> String {
    var text = text[...]
    while text.last == "\n" { text.removeLast() }
    return String(text)
  }
}
