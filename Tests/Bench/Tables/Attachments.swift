import JSON
import Linux

/// The rows about attachments.
enum Attachments {
  static func measure(_ options: Options, _ directory: String, into table: inout Table) throws {
    let ports = try Ports()
    if options.wants("weight") { try Weight.measure(ports, into: &table) }
    if options.wants("embedded") { try Embedded.measure(ports, options, into: &table) }
    if options.wants("published") {
      try PublishedPorts.measure(ports, turns: options.turns, into: &table)
    }
    if options.wants("guard") { try Guards.measure(options, into: &table) }
    if options.wants("concurrency") { try Concurrency(ports).measure(options, into: &table) }
    if options.wants("diagnosis") {
      try Diagnosis.measure(ports, turns: options.turns / 3, into: &table)
    }
    guard options.wants("ports") else { return }
    var plot = Plot(
      "ADD: time over ports of the bridge", over: "ports", "patchbay", "by hand",
      "reference bridge, of Linux")
    let counts = options.isQuick ? [0, 200, 500] : [0, 50, 100, 200, 300, 400, 500]
    plot.lines[2].points = try LinuxBridge.measure(counts, turns: options.turns / 3)
    let none = try Work(ports)
    let commands = ["ADD", "DEL"]
    let early = try commands.map { try Profile($0, ports, turns: options.turns) }
    for count in counts {
      try ports.addPorts(to: count)
      if count == 200 {
        for isAddressed in [true, false] {
          try Reconfigurations(ports, turns: options.turns / 3, isAddressed: isAddressed)
            .add(to: &table, count)
        }
      }
      let isRow = [0, 200, 500].contains(count)
      let times = try ports.compare(isRow ? options.turns : options.turns / 3)
      plot.lines[0].points.append((Double(count), times.add.ours))
      plot.lines[1].points.append((Double(count), times.add.other))
      guard isRow else { continue }
      let limits = [0.35, count == 0 ? 0.6 : 0.3]
      for (place, calls) in try ports.calls().enumerated() {
        let what = "\(commands[place]), \(count) other ports"
        // Those of DEL are only told: its time is far below its target.
        let counted = Row(
          "system calls of \(what)", calls.ours, calls.other, against: "by hand",
          atMost: place == 0 ? limits[place] : nil)
        table.add(
          Row(
            "`ovs-bridge` + `host-local` \(what)", [times.add, times.del][place],
            against: "by hand", atMost: limits[place]),
          decidedBy: [counted])
      }
      let atOnce = try ports.compare(options.turns / 3, settled: false).add
      table.add(
        Row(
          "the same ADD right after a DEL, \(count) other ports", atOnce, against: "by hand",
          atMost: nil))
    }
    try Work(ports).compare(with: none, into: &table)
    let late = try commands.map { try Profile($0, ports, turns: options.turns) }
    let profiles = zip(early, late).map { Profile.table($0, $1) }.joined(separator: "\n")
    try fill("\(directory)/profile.md", with: profiles)
    progress("\n\(profiles)")
    try fill("\(directory)/ports.svg", with: plot.svg)
  }
}

/// What a command does, counted, and the bytes that ovsdb-server sends.
struct Work {
  private struct Counted {
    var counters = Counter.allCases.map { ($0, Series()) }
    var octets = Series()
  }
  private var commands = [("ADD", Counted()), ("DEL", Counted())]

  init(_ ports: Ports) throws {
    for index in 0..<5 {
      for counter in Counter.allCases.indices {
        for place in commands.indices {
          try Reconfigurations.settle()
          let program = ports.run(
            commands[place].0, "counted-\(index)",
            isAddressed: Counter.allCases[counter].countsDelegates)
          commands[place].1.counters[counter].1.add(
            try Counter.allCases[counter].count(program))
        }
      }
      for place in commands.indices {
        try Reconfigurations.settle()
        let program = ports.run(commands[place].0, "counted-\(index)")
        commands[place].1.octets.add(try Self.octets(to: program))
      }
    }
  }

  /// What the plugin's own trace shows.
  private static func octets(to program: Program) throws -> Double {
    var traced = program
    traced.environment.append("CNI_TRACE=ovsdb")
    traced.errors = "/run/bench/trace"
    try traced.checked()
    let answers = text("/run/bench/trace").split(separator: "\n").filter { $0.hasPrefix("<- ") }
    return Double(answers.map { $0.utf8.count - 3 }.reduce(0, +))
  }

  /// Adds the rows that compare this with what was done without other ports.
  func compare(with none: Work, into table: inout Table) {
    for (here, there) in zip(commands, none.commands) {
      for (ours, other) in zip(here.1.counters, there.1.counters) {
        let what = "\(ours.0.rawValue) of \(here.0)\(ours.0.countsDelegates ? "" : " without IPAM")"
        table.add(
          Row(
            "\(what), 500 other ports", ours.1, other.1, against: "no other port", atMost: 1.05))
      }
      table.add(
        Row(
          "bytes from ovsdb-server in \(here.0), 500 other ports", here.1.octets,
          there.1.octets, against: "no other port", atMost: 1.05))
    }
  }
}
