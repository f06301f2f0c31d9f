import JSON
import Linux

/// Many attachments at once, of different containers on one bridge and one range.
struct Concurrency {
  private static let number = 64
  private let ports: Ports

  init(_ ports: Ports) throws {
    self.ports = ports
    for index in 0..<Self.number { try Place.addSandbox("many-\(index)") }
  }

  private func programs(_ command: String) -> [Program] {
    (0..<Self.number).map { ports.run(command, "many-\($0)", sandbox: "many-\($0)") }
  }

  /// All at once, or one after the other.
  private func all(_ command: String, atOnce: Bool) throws -> Program.Run {
    let programs = programs(command)
    if atOnce {
      let (run, statuses) = try Program.together(programs)
      if let index = statuses.firstIndex(where: { $0 != 0 }) {
        throw BenchError(
          "\(statuses.filter { $0 != 0 }.count) of \(Self.number) \(command)s at once failed; "
            + "the first:\n\(text(programs[index].output))")
      }
      return run
    }
    let started = Clock.monotonic
    for program in programs { try program.checked() }
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
      for atOnce in turn.isMultiple(of: 2) ? [true, false] : [false, true] {
        let added = try all("ADD", atOnce: atOnce)
        let addresses = try addresses()
        duplicates += Self.number - Set(addresses).count
        let deleted = try all("DEL", atOnce: atOnce)
        if atOnce {
          add.ours.add(added)
          del.ours.add(deleted)
        } else {
          add.other.add(added)
          del.other.add(deleted)
        }
      }
    }
    table.add(
      Row("\(Self.number) ADDs at once", add, against: "one after the other", atMost: 0.5))
    table.add(Row("\(Self.number) DELs at once", del, against: "one after the other", atMost: nil))
    table.add(Row("addresses given twice in these", Double(duplicates), "", atMost: 0))
  }
}
