import Glibc
import JSON
import Linux

/// `host-local`, ours and the reference, on leases of the same kind.
struct Leases {
  let ours: Plugin
  let reference: Plugin
  private let directories: [String]

  /// - Parameters:
  ///   - name: Names the directories of this measurement.
  ///   - count: How many leases there are, scattered over the range.
  ///   - isExhausted: Whether these are all that the range has.
  init(_ name: String, count: Int, isExhausted: Bool = false) throws {
    var plugins: [Plugin] = []
    directories = ["ours", "reference"].map { "\(Place.directory)/leases-\(name)-\($0)" }
    let addresses = isExhausted ? Array(1...max(count, 1)) : Self.scattered(count)
    for (index, directory) in directories.enumerated() {
      let network = "bench"
      mkdir(directory, 0o755)
      mkdir("\(directory)/\(network)", 0o755)
      for number in addresses.prefix(count) {
        let address = Self.address(number)
        try fill("\(directory)/\(network)/\(address)", with: "other-\(number)\r\neth0")
      }
      var range: [(String, JSONValue?)] = [("subnet", "10.0.0.0/15")]
      if isExhausted { range.append(("rangeEnd", .string(Self.address(max(count, 1))))) }
      let configuration: JSONValue = [
        "cniVersion": "1.0.0", "name": .string(network), "type": "ovs-bridge",
        "ipam": [
          "type": "host-local", "dataDir": .string(directory),
          "ranges": [[.object(range)]],
        ],
      ]
      let path = try Place.write("leases-\(name)-\(index)", configuration)
      plugins.append(
        Plugin(
          name: "host-local", directory: index == 1 ? Place.references : Place.ours,
          configuration: path))
    }
    (ours, reference) = (plugins[0], plugins[1])
    // What is done once, when a directory is taken over, is not what is compared.
    if isExhausted && count > 0 {
      try refused("warm")
    } else {
      try ours.program("ADD", "warm").checked()
      try ours.program("DEL", "warm").checked()
    }
  }

  /// An ADD that finds no address.
  @discardableResult
  private func refused(_ id: String) throws -> Program.Run {
    var program = ours.program("ADD", id)
    program.errors = "/dev/null"
    return try program.checked(status: 1)
  }

  /// Numbers of addresses in 10.0.0.0/15, each once, as a busy host leaves them behind.
  private static func scattered(_ count: Int) -> [Int] {
    // 69069 and 2^17 have no common factor, so that none comes twice.
    // Neither the subnet's own number, nor its gateway, nor its broadcast address.
    Array(
      (1...0x1ffff).lazy.map { $0 * 69069 & 0x1ffff }.filter { (2..<0x1ffff).contains($0) }
        .prefix(count))
  }
  /// The address of that number in 10.0.0.0/15.
  private static func address(_ number: Int) -> String {
    "10.\(number >> 16).\(number >> 8 & 255).\(number & 255)"
  }

  /// ADD and DEL of one attachment.
  struct Times {
    var add = Comparison()
    var del = Comparison()
  }

  /// Ours and the reference by turns.
  func compare(_ count: Int, reference others: Int? = nil) throws -> Times {
    var times = Times()
    for index in 0..<count {
      times.add.ours.add(try ours.program("ADD", "c\(index)").checked())
      times.del.ours.add(try ours.program("DEL", "c\(index)").checked())
      guard index < others ?? count else { continue }
      times.add.other.add(try reference.program("ADD", "c\(index)").checked())
      times.del.other.add(try reference.program("DEL", "c\(index)").checked())
    }
    return times
  }

  func remove() {
    for directory in directories { _ = try? Program.tool("rm", "-rf", directory).checked() }
  }

  static func measure(_ options: Options, into table: inout Table) throws -> Plot {
    var plot = Plot(
      "host-local ADD: time over leases", over: "leases", isLogarithmic: true, "patchbay",
      "reference")
    let empty = try Leases("0", count: 0)
    let points = [0, 1_000, 3_000, 10_000, 30_000, 60_000]
    for count in options.isQuick ? [0, 10_000, 60_000] : points {
      let leases = count == 0 ? empty : try Leases("\(count)", count: count)
      let turns = count == 0 ? options.turns : count <= 10_000 ? 15 : 5
      let times = try leases.compare(options.turns, reference: turns)
      plot.lines[0].points.append((Double(count), times.add.ours))
      plot.lines[1].points.append((Double(count), times.add.other))
      let target = [0: 0.35, 10_000: 0.02][count]
      if let target {
        let name = "`host-local` %, \(count) leases"
        table.add(
          Row(name.replacing("ADD"), times.add, against: "reference", atMost: target))
        table.add(
          Row(name.replacing("DEL"), times.del, against: "reference", atMost: target))
      }
      if count == 60_000 { try compareWithItself(leases, empty, options, into: &table) }
      if count > 0 { leases.remove() }
    }
    empty.remove()
    return plot
  }

  /// At many leases against none, by turns, and an ADD to an exhausted range.
  private static func compareWithItself(
    _ full: Leases, _ empty: Leases, _ options: Options, into table: inout Table
  ) throws {
    var add = Comparison()
    var del = Comparison()
    for index in 0..<options.turns {
      add.ours.add(try full.ours.program("ADD", "s\(index)").checked())
      add.other.add(try empty.ours.program("ADD", "s\(index)").checked())
      del.ours.add(try full.ours.program("DEL", "s\(index)").checked())
      del.other.add(try empty.ours.program("DEL", "s\(index)").checked())
    }
    let name = "`host-local` %, 60000 leases, scattered"
    table.add(Row(name.replacing("ADD"), add, against: "0 leases", atMost: 1.3))
    table.add(Row(name.replacing("DEL"), del, against: "0 leases", atMost: 1.3))
    try count(full, empty, into: &table)

    let exhausted = try Leases("exhausted", count: 60_000, isExhausted: true)
    var refusal = Comparison()
    for index in 0..<options.turns {
      refusal.ours.add(try exhausted.refused("s\(index)"))
      refusal.other.add(try empty.ours.program("ADD", "s\(index)").checked())
      try empty.ours.program("DEL", "s\(index)").checked()
    }
    table.add(
      Row(
        "`host-local` ADD, range exhausted by 60000 leases", refusal, against: "0 leases",
        atMost: 1.3))
    exhausted.remove()
  }
}

extension Leases {
  /// That it is no walk: what does not depend on how busy the machine is.
  private static func count(_ full: Leases, _ empty: Leases, into table: inout Table) throws {
    for counter in Counter.allCases {
      var counted = [("ADD", Series(), Series()), ("DEL", Series(), Series())]
      for _ in 0..<5 {
        for place in counted.indices {
          let command = counted[place].0
          counted[place].1.add(try counter.count(full.ours.program(command, "counted")))
          counted[place].2.add(try counter.count(empty.ours.program(command, "counted")))
        }
      }
      for (command, many, none) in counted {
        table.add(
          Row(
            "\(counter.rawValue) of `host-local` \(command), 60000 leases", many, none,
            against: "0 leases", atMost: 1.3))
      }
    }
  }
}

extension String {
  /// With `word` in the place of the first `%`.
  func replacing(_ word: String) -> String {
    split(separator: "%", maxSplits: 1).joined(separator: word)
  }
}
