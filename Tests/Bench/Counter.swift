import Glibc
import Linux

/// What a program and those that it starts do, counted: that does not depend on how busy the
/// machine is.
enum Counter: String, CaseIterable {
  /// By strace(1), `-c`.
  case systemCalls = "system calls"
  /// Those for which nothing is read from a disk, by time(1), `%R`.
  case pageFaults = "page faults"
  /// As valgrind(1) counts them, in user mode.
  case instructions

  /// Whether the program may start others: valgrind (3.19) has no pidfd_open(2), by which a plugin
  /// waits for them.
  var countsDelegates: Bool { self != .instructions }

  /// Runs the program, which must end well.
  func count(_ program: Program) throws -> Double {
    switch self {
    case .systemCalls:
      let report = "\(Place.directory)/calls"
      try run(program, by: "strace", "-f", "-c", "-o", report)
      let words = text(report).split(separator: "\n").last?.split(separator: " ") ?? []
      guard words.last == "total", words.count >= 4, let count = Double(words[3]) else {
        throw BenchError("strace -c ends otherwise than was expected:\n\(text(report))")
      }
      return count
    case .pageFaults:
      let report = "\(Place.directory)/faults"
      try run(program, by: "/usr/bin/time", "--format=%R", "--output=\(report)")
      guard let count = Double(text(report).filter { $0 != "\n" }) else {
        throw BenchError("no page faults of \(program.path): \(text(report))")
      }
      return count
    case .instructions:
      let reports = "\(Place.directory)/instructions"
      try Program.tool("rm", "-rf", reports).checked()
      mkdir(reports, 0o755)
      try run(
        program, by: "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
        "--trace-children=yes", "--log-file=\(reports)/%p")
      let lines = try Directory(path: reports).names().flatMap {
        text("\(reports)/\($0)").split(separator: "\n")
      }
      let counts = lines.filter { $0.contains("Collected :") }.compactMap {
        $0.split(separator: " ").last.flatMap { Double($0) }
      }
      guard !counts.isEmpty else {
        throw BenchError("valgrind counts no instructions of \(program.path)")
      }
      return counts.reduce(0, +)
    }
  }

  private func run(_ program: Program, by counter: String, _ options: String...) throws {
    try Program(
      path: counter, arguments: options + [program.path] + program.arguments,
      environment: program.environment, input: program.input, output: program.output
    ).checked()
  }
}
