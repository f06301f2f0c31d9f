import Glibc
import JSON
import Linux

/// What is wanted of a run.
struct Options {
  /// Fewer points and turns: for a look, not for figures to tell.
  var isQuick = false
  /// Parts to run; empty for all.
  var parts: [String] = []
  /// How often each thing is measured.
  var turns: Int { isQuick ? 15 : 51 }

  static let usage = """
    usage: bench DIRECTORY [--quick] [PART…]
    parts: start leases shared published embedded weight guard concurrency diagnosis ports

    """

  func wants(_ part: String) -> Bool { parts.isEmpty || parts.contains(part) }
}

/// `bench`: measures what the contract promises, and writes the table, the samples and the plots
/// into a directory. Exit status 0 only where all is reached.
@main enum Bench {
  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard let directory = arguments.first, !directory.hasPrefix("-") else {
      try? StandardStream.error.write(Array(Options.usage.utf8))
      exit(2)
    }
    var options = Options()
    for argument in arguments.dropFirst() {
      if argument == "--quick" { options.isQuick = true } else { options.parts.append(argument) }
    }
    do {
      let isReached = try measure(options, into: directory)
      exit(isReached ? 0 : 1)
    } catch {
      progress("bench: \(error)")
      exit(1)
    }
  }

  private static func measure(_ options: Options, into directory: String) throws -> Bool {
    try Place.prepare()
    var table = Table()
    if options.wants("start") { try Starts.measure(options.turns * 2, into: &table) }
    if options.wants("leases") {
      try fill("\(directory)/leases.svg", with: Leases.measure(options, into: &table).svg)
    }
    if options.wants("shared") { try SharedState.measure(options, into: &table) }
    if options.wants("published") { try PublishedPorts.measure(options, into: &table) }
    try Attachments.measure(options, directory, into: &table)
    let rows = JSONValue.array(table.rows.map(\.json))
    try fill(
      "\(directory)/bench.json",
      with: String(decoding: rows.encoded(indentedBy: 2), as: UTF8.self) + "\n")
    try fill("\(directory)/bench.md", with: table.text)
    try StandardStream.output.write(Array("\n\(table.text)".utf8))
    let missed = table.rows.filter { !$0.isReached }
    progress(
      missed.isEmpty
        ? "all is reached" : "not reached: \(missed.map(\.what).joined(separator: "; "))")
    return missed.isEmpty
  }
}
