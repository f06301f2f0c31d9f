import JSON

/// One line of the table: what was measured, and what was to be reached.
struct Row {
  let what: String
  let ours: String
  let other: String
  /// What is compared with the target.
  let value: Double
  /// `value` is to be at most this; nil where it is only told.
  let limit: Double?
  /// How `value` and `limit` are written.
  var unit = ""
  var raw: JSONValue = .null
  /// Whether what is counted beside it has reached its target, which decides where `value` is
  /// above its own by no more than noise can be; nil where nothing is.
  var isReachedByCount: Bool?
  /// Below this no program can be on this machine; nil where that is not measured.
  var least: Double?

  /// By how much the medians of two runs on a machine that others use have differed.
  static let noise = 0.2

  /// A time that noise could tip is decided by what was counted, which is exact.
  var isReached: Bool {
    guard let limit, value > limit else { return true }
    return isReachedByCount == true && value <= max(limit, least ?? 0) * (1 + Self.noise)
  }

  /// Times that are compared by the ratio of their medians.
  init(_ what: String, _ comparison: Comparison, against name: String, atMost limit: Double?) {
    self.what = what
    ours = Self.time(comparison.ours)
    other = "\(name) \(Self.time(comparison.other))"
    value = comparison.ratio
    self.limit = limit
    raw = .object([("ours", comparison.ours.json), ("other", comparison.other.json)])
  }

  /// Counts that are compared by the ratio of their medians.
  init(
    _ what: String, _ ours: Series, _ other: Series, against name: String, atMost limit: Double?
  ) {
    self.init(
      what, ours.median / max(other.median, 1), "", atMost: limit, ours: ours.median.rounded(0),
      other: "\(name) \(other.median.rounded(0))",
      raw: .object([("ours", ours.json), ("other", other.json)]))
  }

  /// A figure that is compared with a fixed one.
  init(
    _ what: String, _ value: Double, _ unit: String, atMost limit: Double?, ours: String? = nil,
    other: String = "", raw: JSONValue = .null
  ) {
    self.what = what
    self.ours = ours ?? value.rounded(2) + unit
    self.other = other
    self.value = value
    self.limit = limit
    self.unit = unit
    self.raw = raw
  }

  private static func time(_ series: Series) -> String {
    func digits(_ value: Double) -> String { value.rounded(value < 10 ? 2 : value < 100 ? 1 : 0) }
    return "\(digits(series.median)) ms (\(digits(series.quantile(0.25)))…"
      + "\(digits(series.quantile(0.75))))"
  }

  var cells: [String] {
    let digits = value > 0 && value < 0.1 ? 3 : 2
    return [
      what, ours, other, value.rounded(digits) + unit,
      limit.map { "≤ \($0.shortest)\(unit)" } ?? "",
      limit.map { value <= $0 ? "yes" : isReached ? "by count" : "**no**" } ?? "",
    ]
  }

  var json: JSONValue {
    .object([
      ("what", .string(what)), ("ours", .string(ours)), ("other", .string(other)),
      ("value", .real(value)), ("unit", .string(unit)), ("limit", limit.map { .real($0) }),
      ("isReached", .bool(isReached)), ("raw", raw == .null ? nil : raw),
    ])
  }
}

/// All lines, as Markdown that is also read easily as it is.
struct Table {
  private(set) var rows: [Row] = []

  mutating func add(_ row: Row) {
    rows.append(row)
    progress(row.cells.joined(separator: " | "))
  }

  /// Adds a time, and counts that decide where noise could.
  mutating func add(_ time: Row, decidedBy counts: [Row]) {
    var time = time
    time.isReachedByCount = counts.allSatisfy { $0.isReached }
    for row in [time] + counts { add(row) }
  }

  var text: String {
    let lines =
      [["what", "ours (quartiles)", "other", "ratio or figure", "target", "reached"]]
      + rows.map(\.cells)
    let widths = (0..<6).map { column in lines.map { $0[column].count }.max() ?? 0 }
    func line(_ cells: [String]) -> String {
      let padded = zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      return "| " + padded.joined(separator: " | ") + " |\n"
    }
    let rule = widths.map { String(repeating: "-", count: $0) }
    return line(lines[0]) + line(rule) + lines.dropFirst().map { line($0) }.joined()
  }
}

extension Double {
  /// In decimal notation with as few decimals as it needs, and two at most.
  fileprivate var shortest: String {
    rounded(rounded() == self ? 0 : (self * 10).rounded() == self * 10 ? 1 : 2)
  }

  /// In decimal notation with this many decimals.
  func rounded(_ decimals: Int) -> String {
    var scale = 1
    for _ in 0..<decimals { scale *= 10 }
    let scaled = Int((self * Double(scale)).rounded())
    guard decimals > 0 else { return "\(scaled)" }
    let fraction = "\(scaled.magnitude % scale.magnitude)"
    return (scaled < 0 ? "-" : "") + "\(scaled.magnitude / scale.magnitude)."
      + String(repeating: "0", count: decimals - fraction.count) + fraction
  }
}
