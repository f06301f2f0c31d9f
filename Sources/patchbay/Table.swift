import Linux

/// Rows under a heading, their columns as wide as they need to be. A column in which no row has
/// anything is left out.
///
/// What would be wider than the terminal, 80 columns without one, is made to fit: names and paths
/// are cut and sentences broken, down to a limit, and then rows take several lines each.
struct Table {
  private var rows: [[String]]
  /// The columns with identifiers, of which the beginning says enough.
  private let identifiers: Set<Int>
  /// The columns with names and paths that may be cut.
  private let names: Set<Int>
  /// The last column, where it has sentences.
  private let prose: Int?
  /// Whether everything is printed as it is, however wide.
  private let isWhole: Bool

  /// What a cell has that has nothing.
  private static let nothing = "-"
  /// What is left of a name at least, and of a line of a sentence.
  private static let shortest = 16
  private static let shortestLine = 22
  /// How far the further lines of a row stand in.
  private static let margin = 4

  /// - Parameters:
  ///   - shortening: The headings of columns whose long identifiers are cut in any case.
  ///   - cutting: The headings of columns that are cut where the table is too wide.
  ///   - endsInProse: The last column has sentences.
  ///   - isWhole: Nothing is cut or broken.
  init(
    _ heading: [String], shortening: Set<String> = [], cutting: Set<String> = [],
    endsInProse: Bool = false, isWhole: Bool = false
  ) {
    rows = [heading]
    func columns(_ titles: Set<String>) -> Set<Int> {
      isWhole ? [] : Set(heading.indices.filter { titles.contains(heading[$0]) })
    }
    identifiers = columns(shortening)
    names = columns(cutting)
    prose = endsInProse ? heading.count - 1 : nil
    self.isWhole = isWhole
  }

  /// Adds a row; control characters in it are escaped.
  mutating func add(_ row: [String]) {
    rows.append(
      row.enumerated().map { column, cell in
        let text = cell.controlCharactersEscaped
        return identifiers.contains(column) ? text.shortIdentifier : text
      })
  }

  /// The lines, the heading faint where `stream` has colours.
  func text(for stream: StandardStream = .output) -> String {
    let used = rows[0].indices.filter { column in
      rows.count == 1
        || rows.dropFirst().contains { !["", Self.nothing].contains($0[column]) }
    }
    let room = isWhole ? .max : max(Terminal.width(stream) ?? 80, 40)
    let widths = widths(of: used, in: room)
    let groups = Self.groups(of: widths, in: room)
    let lines = rows.enumerated().flatMap { index, row in
      let cells = zip(used, widths).map { $0 == prose ? row[$0] : Self.cut(row[$0], to: $1) }
      return groups.enumerated().flatMap { position, group -> [String] in
        // A further line says something, and a row that goes on with what a column has more of
        // begins with nothing.
        let isEmpty = cells[group].allSatisfy {
          $0.isEmpty || position > 0 && index > 0 && $0 == Self.nothing
        }
        guard groups.count == 1 || !isEmpty else { return [] }
        let margin = String(repeating: " ", count: position == 0 ? 0 : Self.margin)
        return Self.lines(cells[group], widths[group]).map {
          stream.styled(margin + $0, index == 0 ? .faint : nil)
        }
      }
    }
    return lines.joined(separator: "\n")
  }

  /// How wide the columns are: names are cut, the widest first, as long as that is needed.
  private func widths(of used: [Int], in room: Int) -> [Int] {
    var widths = used.map { column in rows.map { $0[column].count }.max() ?? 0 }
    while Self.width(widths[...]) > room {
      let widest = used.indices.filter { names.contains(used[$0]) }
        .max { widths[$0] < widths[$1] }
      guard let widest, widths[widest] > Self.shortest else { break }
      widths[widest] -= 1
    }
    if let last = widths.last, used.last == prose {
      let rest = room == .max ? .max : room - Self.width(widths.dropLast()) - 2
      widths[widths.count - 1] = min(last, max(rest, Self.shortestLine))
    }
    return widths
  }

  /// Which columns share a line.
  private static func groups(of widths: [Int], in room: Int) -> [Range<Int>] {
    var groups: [Range<Int>] = []
    var start = 0
    for column in widths.indices.dropFirst() {
      let margin = groups.isEmpty ? 0 : Self.margin
      guard margin + width(widths[start...column]) > room else { continue }
      groups.append(start..<column)
      start = column
    }
    return groups + [start..<widths.count]
  }

  private static func width(_ widths: ArraySlice<Int>) -> Int {
    widths.reduce(0, +) + 2 * max(0, widths.count - 1)
  }

  private static func cut(_ cell: String, to width: Int) -> String {
    cell.count > width ? cell.prefix(width - 1) + "…" : cell
  }

  /// Cells beside each other. What is longer than the last column, a sentence, goes on below.
  private static func lines(_ cells: ArraySlice<String>, _ widths: ArraySlice<Int>) -> [String] {
    var line = ""
    var end = 0
    for (cell, width) in zip(cells, widths).dropLast() {
      if !cell.isEmpty { line += String(repeating: " ", count: max(0, end - line.count)) + cell }
      end += width + 2
    }
    guard let last = cells.last, let width = widths.last, !last.isEmpty else { return [line] }
    var lines: [String] = []
    for word in last.split(separator: " ") {
      if !lines.isEmpty, lines[lines.count - 1].count + 1 + word.count <= width {
        lines[lines.count - 1] += " \(word)"
      } else {
        lines.append(String(word))
      }
    }
    let margin = String(repeating: " ", count: end)
    line += String(repeating: " ", count: max(0, end - line.count))
    return lines.enumerated().map { ($0 == 0 ? line : margin) + $1 }
  }
}
