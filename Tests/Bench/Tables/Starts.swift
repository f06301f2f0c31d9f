import JSON
import Linux

/// How long a plugin takes to do next to nothing, and what it takes of disk and memory.
struct Starts {
  /// All plugins of `directory`, by their executables.
  static func plugins(_ directory: String = Place.ours) throws -> [String] {
    try Directory(path: directory).names().sorted().filter { name in
      guard let status = try? FileStatus(path: "\(directory)/\(name)") else { return false }
      return status.kind == .regular && status.permissions & 0o111 != 0 && name != "patchbay"
    }
  }

  static func measure(_ count: Int, into table: inout Table) throws {
    for name in try plugins() {
      let reference = "\(Place.references)/host-local"
      let times = try compare(count, "\(Place.ours)/\(name)", reference)
      let counts = try [Counter.systemCalls, .pageFaults].map { counter in
        var (ours, other) = (Series(), Series())
        for _ in 0..<3 {
          ours.add(try counter.count(version("\(Place.ours)/\(name)")))
          other.add(try counter.count(version(reference)))
        }
        return Row(
          "\(counter.rawValue) of that start", ours, other, against: "reference `host-local`",
          atMost: 0.25)
      }
      let least = try compare(count, "\(Place.ours)/\(name)", Place.empty)
      var row = Row(
        "start of `\(name)` (VERSION)", times, against: "reference `host-local`", atMost: 0.25)
      row.least = least.other.median / times.other.median
      table.add(row, decidedBy: counts)
      table.add(
        Row(
          "start of `\(name)` (VERSION)", least, against: "a C program that does nothing",
          atMost: 1.3))
    }
  }

  private static func version(_ path: String) -> Program {
    var program = Program(path: path, output: "\(Place.directory)/version")
    program.environment.append("CNI_COMMAND=VERSION")
    return program
  }

  /// VERSION of both executables, timed by hyperfine(1), ten runs at a time and by turns.
  static func compare(_ count: Int, _ ours: String, _ other: String) throws -> Comparison {
    var comparison = Comparison()
    for turn in 0..<(count + 9) / 10 {
      // The second one finds the caches warm.
      if turn.isMultiple(of: 2) {
        try time(ours).forEach { comparison.ours.add($0) }
        try time(other).forEach { comparison.other.add($0) }
      } else {
        try time(other).forEach { comparison.other.add($0) }
        try time(ours).forEach { comparison.ours.add($0) }
      }
    }
    return comparison
  }

  /// The milliseconds of ten runs. Standard input is empty, which VERSION takes.
  private static func time(_ path: String) throws -> [Double] {
    let report = "\(Place.directory)/hyperfine.json"
    var program = Program.tool(
      "hyperfine", "--shell=none", "--style=none", "--warmup=2", "--runs=10",
      "--export-json=\(report)", path)
    program.environment.append("CNI_COMMAND=VERSION")
    program.errors = "\(Place.directory)/hyperfine.log"
    try program.checked()
    let seconds = try JSONValue(parsing: Array(text(report).utf8))["results"]?.array?
      .first?["times"]?.array
    guard let seconds, !seconds.isEmpty else { throw BenchError("no times in \(report)") }
    return seconds.compactMap { if case .real(let value) = $0 { value * 1000 } else { nil } }
  }
}
