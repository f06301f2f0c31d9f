import JSON
import Linux

/// The rows about attachments.
enum Attachments {
  static func measure(_ options: Options, _ directory: String, into table: inout Table) throws {
    let ports = try Ports()
    if options.wants("concurrency") { try Concurrency(ports).measure(options, into: &table) }
    guard options.wants("ports") else { return }
    for name in ["ovs-bridge", "host-local"] {
      try weigh(name, ports, into: &table)
    }
    var plot = Plot("ADD: time over ports of the bridge", over: "ports", "patchbay", "by hand")
    let none = try Work(ports)
    let commands = ["ADD", "DEL"]
    let early = try commands.map { try Profile($0, ports, turns: options.turns) }
    for count in options.isQuick ? [0, 500] : [0, 50, 100, 200, 300, 400, 500] {
      try ports.addPorts(to: count)
      let isRow = count == 0 || count == 500
      let times = try ports.compare(isRow ? options.turns : options.turns / 3)
      plot.lines[0].points.append((Double(count), times.add.ours))
      plot.lines[1].points.append((Double(count), times.add.other))
      guard isRow else { continue }
      for (command, comparison) in [("ADD", times.add), ("DEL", times.del)] {
        table.add(
          Row(
            "`ovs-bridge` + `host-local` \(command), \(count) other ports", comparison,
            against: "by hand", atMost: 1))
      }
    }
    try Work(ports).compare(with: none, into: &table)
    let late = try commands.map { try Profile($0, ports, turns: options.turns) }
    let profiles = zip(early, late).map { Profile.table($0, $1) }.joined(separator: "\n")
    try fill("\(directory)/profile.md", with: profiles)
    progress("\n\(profiles)")
    try fill("\(directory)/ports.svg", with: plot.svg)
  }

  private static func weigh(_ name: String, _ ports: Ports, into table: inout Table) throws {
    let program =
      name == "ovs-bridge"
      ? ports.run("ADD", "weighed")
      : Plugin(name: name, configuration: ports.plugin.configuration)
        .program("ADD", "weighed", sandbox: "ours")
    var series = Series()
    for _ in 0..<5 {
      series.add(try Memory.peak(of: program))
      try ports.run("DEL", "weighed").checked()
    }
    table.add(
      Row("peak memory of `\(name)` ADD", series.median, " MiB", atMost: 12, raw: series.json))
  }
}

/// What an ADD does, counted: system calls, and octets that ovsdb-server sends.
struct Work {
  private let calls: Series
  private let octets: Series

  init(_ ports: Ports) throws {
    var calls = Series()
    var octets = Series()
    for index in 0..<5 {
      let containerID = "counted-\(index)"
      let add = ports.run("ADD", containerID)
      var counted = add
      counted.arguments = ["-f", "-c", "-o", "/run/bench/calls", add.path]
      counted = Program(
        path: "strace", arguments: counted.arguments, environment: add.environment,
        input: add.input, output: add.output)
      try counted.checked()
      calls.add(try Self.total(text("/run/bench/calls")))
      try ports.run("DEL", containerID).checked()
      var traced = add
      traced.environment.append("CNI_TRACE=ovsdb")
      traced.errors = "/run/bench/trace"
      try traced.checked()
      let answers = text("/run/bench/trace").split(separator: "\n").filter { $0.hasPrefix("<- ") }
      octets.add(Double(answers.map { $0.utf8.count - 3 }.reduce(0, +)))
      try ports.run("DEL", containerID).checked()
    }
    self.calls = calls
    self.octets = octets
  }

  /// The number of calls in the last line of `strace -c`.
  private static func total(_ table: String) throws -> Double {
    let words = table.split(separator: "\n").last.map { $0.split(separator: " ") } ?? []
    guard words.last == "total", words.count >= 4, let count = Double(words[3]) else {
      throw BenchError("strace -c ends otherwise than was expected:\n\(table)")
    }
    return count
  }

  /// Adds the rows that compare this with what was done without other ports.
  func compare(with none: Work, into table: inout Table) {
    for (what, here, there) in [
      ("system calls of ADD, 500 other ports", calls, none.calls),
      ("octets from ovsdb-server in ADD, 500 other ports", octets, none.octets),
    ] {
      table.add(
        Row(
          what, here.median / max(there.median, 1), "", atMost: 1.05,
          ours: here.median.rounded(0), other: "no other port \(there.median.rounded(0))",
          raw: .object([("ours", here.json), ("other", there.json)])))
    }
  }
}
