import Linux

/// How a text stands out, where a person reads it.
enum Style: String {
  case error = "\u{1b}[31m"
  case good = "\u{1b}[32m"
  case warning = "\u{1b}[33m"
  case strong = "\u{1b}[1m"
  case faint = "\u{1b}[2m"
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
    return "\(style.rawValue)\(text)\u{1b}[0m"
  }
}

/// Writes a line to standard error.
func say(_ text: String, _ style: Style? = nil) {
  let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
  let first = StandardStream.error.styled(String(lines.first ?? ""), style)
  let whole = ([first] + lines.dropFirst().map(String.init)).joined(separator: "\n")
  try? StandardStream.error.write(Array((whole + "\n").utf8))
}

/// Writes `text` to standard output.
func show(_ text: String) {
  try? StandardStream.output.write(Array((text + "\n").utf8))
}

/// Rows under a heading, their columns as wide as they need to be.
struct Table {
  private var rows: [[String]]

  init(_ heading: [String]) { rows = [heading] }

  mutating func add(_ row: [String]) { rows.append(row) }

  /// The lines, the heading faint where `stream` has colours.
  func text(for stream: StandardStream = .output) -> String {
    var widths: [Int] = []
    for row in rows {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], cell.count)
      }
    }
    let lines = rows.enumerated().map { index, row in
      let cells = row.enumerated().map { column, cell in
        column == row.count - 1
          ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
      }
      return stream.styled(cells.joined(separator: "  "), index == 0 ? .faint : nil)
    }
    return lines.joined(separator: "\n")
  }
}
