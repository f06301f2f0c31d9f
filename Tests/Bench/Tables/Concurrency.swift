import JSON
import Linux

/// Many attachments at once, of different containers on one bridge and one range.
struct Concurrency {
  private static let number = 64
  private let ports: Ports
  private let hands: [ByHand]

  init(_ ports: Ports) throws {
    self.ports = ports
    for index in 0..<Self.number { try Place.addSandbox("many-\(index)") }
    hands = try (0..<Self.number).map {
      try ByHand("many-\($0)", address: "10.250.254.\($0 + 1)")
    }
  }

  private func programs(_ command: String) -> [Program] {
    (0..<Self.number).map { ports.run(command, "many-\($0)", sandbox: "many-\($0)") }
  }

  /// All at once.
  private func atOnce(_ command: String) throws -> Program.Run {
    let programs = programs(command)
    let (run, statuses) = try Program.together(programs)
    if let index = statuses.firstIndex(where: { $0 != 0 }) {
      throw BenchError(
        "\(statuses.filter { $0 != 0 }.count) of \(Self.number) \(command)s at once failed; "
          + "the first:\n\(text(programs[index].output))")
    }
    return run
  }

  /// By hand, one after the other.
  private func byHand(_ command: String) throws -> Program.Run {
    let started = Clock.monotonic
    for hand in hands { try hand.program(command).checked() }
    return Program.Run(nanoseconds: (Clock.monotonic - started).nanoseconds, status: 0)
  }

  /// The addresses that the last ADDs gave.
  private func addresses() throws -> [String] {
    try programs("ADD").flatMap { program in
      let result = try JSONValue(parsing: Array(text(program.output).utf8))
      return (result["ips"]?.array ?? []).compactMap { $0["address"]?.text }
    }
  }

  func measure(_ options: Options, into table: inout Table) throws {
    var add = Comparison()
    var del = Comparison()
    var duplicates = 0
    for turn in 0..<(options.isQuick ? 2 : 5) {
      for isOurs in turn.isMultiple(of: 2) ? [true, false] : [false, true] {
        if isOurs {
          add.ours.add(try atOnce("ADD"))
          duplicates += Self.number - Set(try addresses()).count
          del.ours.add(try atOnce("DEL"))
        } else {
          add.other.add(try byHand("ADD"))
          del.other.add(try byHand("DEL"))
        }
      }
    }
    let other = "by hand, one after the other,"
    table.add(Row("\(Self.number) ADDs at once", add, against: other, atMost: 0.25))
    table.add(Row("\(Self.number) DELs at once", del, against: other, atMost: 0.15))
    table.add(Row("addresses given twice in these", Double(duplicates), "", atMost: 0))
  }
}
