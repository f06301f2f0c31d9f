import JSON
import Linux
import Synchronization

/// How a text stands out, where a person reads it.
enum Style: String {
  case error = "\u{1b}[31m"
  case good = "\u{1b}[32m"
  case warning = "\u{1b}[33m"
  case strong = "\u{1b}[1m"
  case faint = "\u{1b}[2m"

  /// What ends each of them.
  static let end = "\u{1b}[0m"
  private static let escape: Unicode.Scalar = "\u{1b}"
  private static let all = [error, good, warning, strong, faint].map(\.rawValue) + [end]

  /// `line` with its control characters escaped, but for styles.
  static func escapingOthers(in line: String) -> String {
    let parts = line.unicodeScalars.split(separator: escape, omittingEmptySubsequences: false)
      .map { String($0) }
    return parts.dropFirst().reduce((parts.first ?? "").controlCharactersEscaped) { text, part in
      let sequence = "\(escape)\(part)"
      guard let style = all.first(where: { sequence.hasPrefix($0) }) else {
        return text + sequence.controlCharactersEscaped
      }
      return text + style + String(sequence.dropFirst(style.count)).controlCharactersEscaped
    }
  }
}

extension StandardStream {
  /// Whether colours are for this stream: a terminal, and no `NO_COLOR` (https://no-color.org).
  var isColourful: Bool {
    isTerminal && (Process.environment("NO_COLOR") ?? "").isEmpty
      && Process.environment("TERM") != "dumb"
  }

  /// `text` in `style`, where this stream has colours.
  func styled(_ text: String, _ style: Style?) -> String {
    guard let style, isColourful else { return text }
    return "\(style.rawValue)\(text)\(Style.end)"
  }
}

/// Writes a line to standard error, or several with line feeds between. Other control characters
/// are escaped.
func say(_ text: String, _ style: Style? = nil) {
  let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
    String($0).controlCharactersEscaped
  }
  let first = StandardStream.error.styled(lines.first ?? "", style)
  let whole = ([first] + lines.dropFirst()).joined(separator: "\n")
  try? StandardStream.error.write(Array((whole + "\n").utf8))
}

/// What another program wrote to standard error, with its control characters escaped, but for line
/// feeds and tabs.
func printable(_ octets: [UInt8]) -> [UInt8] {
  let isPlain = octets.allSatisfy { (0x20..<0x7f).contains($0) || $0 == 0x0a || $0 == 0x09 }
  guard !isPlain else { return octets }
  let lines = String(decoding: octets, as: UTF8.self).unicodeScalars
    .split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.split(separator: "\t", omittingEmptySubsequences: false)
        .map { String($0).controlCharactersEscaped }.joined(separator: "\t")
    }
  return Array(lines.joined(separator: "\n").utf8)
}

/// Writes `text` to standard output. Its control characters are escaped, but for line feeds and the
/// styles of this program.
func show(_ text: String) {
  let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map {
    Style.escapingOthers(in: String($0))
  }
  do throws(SystemError) {
    try StandardStream.output.write(Array((lines.joined(separator: "\n") + "\n").utf8))
  } catch {
    // A reader that has gone, as head(1) does, has what it wants.
    if error.errno != .brokenPipe { outputIsLost.store(true, ordering: .relaxed) }
  }
}

/// Whether standard output did not take what was shown.
let outputIsLost = Atomic(false)

/// Writes `document` to standard output, in lines.
func show(_ document: JSONValue) {
  show(String(decoding: document.encoded(indentedBy: 2), as: UTF8.self))
}

extension String {
  /// An identifier, or the first 12 characters of a long one, as runtimes write them for people.
  var shortIdentifier: String {
    let prefix = "cnitool-"
    guard !hasPrefix(prefix) else {
      return utf8.count > prefix.utf8.count + 12 ? "\(self.prefix(prefix.count + 6))…" : self
    }
    return utf8.count > 16 ? "\(self.prefix(12))…" : self
  }
}
