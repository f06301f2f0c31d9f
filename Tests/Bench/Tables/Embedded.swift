import JSON
import Linux

/// The plugins as Embedded Swift builds them, which ship, beside those of the normal build.
///
/// Nothing is measured where there are none, and nothing is promised of the difference.
enum Embedded {
  static func measure(_ ports: Ports, _ options: Options, into table: inout Table) throws {
    guard (try? FileStatus(path: "\(Place.normal)/ovs-bridge")) != nil else {
      return progress("no \(Place.normal): .ci/build normal makes it")
    }
    for name in try Starts.plugins(Place.normal) {
      let size = try Weight.size(name)
      let normal = try Weight.size(name, Place.normal)
      table.add(
        Row(
          "Embedded Swift: executable of `\(name)`", size / normal, "", atMost: nil,
          ours: "\(size.rounded(2)) MiB", other: "normal build \(normal.rounded(2)) MiB"))
    }
    for name in try Starts.plugins(Place.normal) {
      let times = try Starts.compare(
        options.turns, "\(Place.ours)/\(name)", "\(Place.normal)/\(name)")
      add("start of `\(name)` (VERSION)", times, &table)
    }
    let memory = try Weight.peaks("ovs-bridge", ports).median
    let normal = try Weight.peaks("ovs-bridge", ports, Place.normal).median
    table.add(
      Row(
        "Embedded Swift: peak memory of `ovs-bridge` ADD", memory / normal, "", atMost: nil,
        ours: "\(memory.rounded(2)) MiB", other: "normal build \(normal.rounded(2)) MiB"))
    try compare("host-local", options, into: &table) { command, index, directory in
      Plugin(name: "host-local", directory: directory, configuration: ports.plugin.configuration)
        .program(command, "c\(index)", sandbox: "ours")
    }
    try compare("ovs-bridge` + `host-local", options, into: &table) { command, index, directory in
      try Reconfigurations.settle()
      return ports.run(command, "c\(index)", directory: directory)
    }
  }

  /// ADD and DEL of both by turns.
  private static func compare(
    _ name: String, _ options: Options, into table: inout Table,
    _ program: (String, Int, String) throws -> Program
  ) throws {
    var add = Comparison()
    var del = Comparison()
    for index in 0..<options.turns {
      let isOddTurn = !index.isMultiple(of: 2)
      for isEmbedded in isOddTurn ? [false, true] : [true, false] {
        let directory = isEmbedded ? Place.ours : Place.normal
        let added = try program("ADD", index, directory).checked()
        let deleted = try program("DEL", index, directory).checked()
        if isEmbedded {
          add.ours.add(added)
          del.ours.add(deleted)
        } else {
          add.other.add(added)
          del.other.add(deleted)
        }
      }
    }
    Self.add("`\(name)` ADD", add, &table)
    Self.add("`\(name)` DEL", del, &table)
  }

  private static func add(_ what: String, _ times: Comparison, _ table: inout Table) {
    table.add(
      Row("Embedded Swift: \(what)", times, against: "normal build", atMost: nil))
  }
}
