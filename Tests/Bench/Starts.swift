import JSON
import Linux

/// How long a plugin takes to do next to nothing, and what it takes of disk and memory.
struct Starts {
  /// All plugins, by their executables.
  static func plugins() throws -> [String] {
    let names = try Directory(path: Place.ours).names().sorted()
    return names.filter { name in
      guard let status = try? FileStatus(path: "\(Place.ours)/\(name)") else { return false }
      return status.kind == .regular && status.permissions & 0o111 != 0 && name != "patchbay"
    }
  }

  static func measure(_ count: Int, into table: inout Table) throws {
    let input = try Place.write("version", ["cniVersion": "1.1.0"])
    let reference = Plugin(name: "host-local", isReference: true, configuration: input)
      .program("VERSION")
    for name in try plugins() {
      let ours = Plugin(name: name, configuration: input).program("VERSION")
      var comparison = Comparison()
      try comparison.measure(count, { try ours.checked() }, { try reference.checked() })
      table.add(
        Row(
          "start of `\(name)` (VERSION)", comparison, against: "reference `host-local`",
          atMost: 0.6))
    }
  }

  static func weigh(into table: inout Table) throws {
    for name in try plugins() {
      let size = try FileStatus(path: "\(Place.ours)/\(name)").size
      table.add(
        Row("executable of `\(name)`", Double(size) / 1_048_576, " MiB", atMost: 8))
    }
  }
}

/// The most memory that a program had.
///
/// It is asked for by a process of our own that is small: what the kernel tells of a program that
/// was started includes what its parent had at that moment (getrusage(2), `ru_maxrss`).
enum Memory {
  /// In MiB.
  static func peak(of program: Program) throws -> Double {
    var inner = program
    inner.arguments = ["peak", program.path] + program.arguments
    let outer = Program(
      path: "/proc/self/exe", arguments: inner.arguments, environment: program.environment,
      input: program.input, output: "\(Place.directory)/peak.out")
    try outer.checked()
    guard let kibibytes = Double(text(outer.output).split(separator: "\n").last ?? "") else {
      throw BenchError("no peak of \(program.path): \(text(outer.output))")
    }
    return kibibytes / 1024
  }
}
