import JSON
import Linux

/// `portmap`, ours and the reference, on a container behind a veth pair.
struct PublishedPorts {
  private static let sandbox = "published"

  init() throws {
    try Place.addSandbox(Self.sandbox)
    for line in [
      "link add pm0 type veth peer name eth0 netns \(Self.sandbox)", "link set pm0 up",
      "address add 10.248.0.1/16 dev pm0", "-n \(Self.sandbox) link set eth0 up",
    ] {
      var program = Program.tool("ip")
      program.arguments += line.split(separator: " ").map(String.init)
      try program.checked()
    }
  }

  /// What a runtime says that publishes `count` ports from `first` on.
  private static func mappings(from first: Int, _ count: Int) -> JSONValue {
    let mappings = (0..<count).map { port -> JSONValue in
      ["hostPort": .integer(Int64(first + port)), "containerPort": 80, "protocol": "tcp"]
    }
    return ["portMappings": .array(mappings)]
  }

  /// The plugin with `count` ports of the container `number`, from `first` on.
  private static func plugin(
    _ number: Int, ports first: Int, _ count: Int, reference: Bool = false
  ) throws -> Plugin {
    let address = "10.248.\(number >> 8 & 255).\(number & 255)/16"
    let path = try Place.write(
      "portmap-\(number)-\(first)",
      [
        "cniVersion": "1.0.0", "name": "bench", "type": "portmap",
        "runtimeConfig": mappings(from: first, count),
        "prevResult": [
          "cniVersion": "1.0.0",
          "interfaces": [["name": "eth0", "sandbox": .string(Place.sandboxPath(sandbox))]],
          "ips": [["address": .string(address), "interface": 0]],
        ],
      ])
    return Plugin(
      name: "portmap", directory: reference ? Place.references : Place.ours, configuration: path)
  }

  /// ADD and DEL of ten ports by turns with those of the reference.
  private func compare(_ turns: Int) throws -> (add: Comparison, del: Comparison) {
    let ours = try Self.plugin(60_000, ports: 2000, 10)
    let reference = try Self.plugin(60_001, ports: 2100, 10, reference: true)
    var times = (add: Comparison(), del: Comparison())
    for turn in 0..<turns {
      times.add.ours.add(try Self.run(ours, "ADD", "c\(turn)"))
      times.add.other.add(try Self.run(reference, "ADD", "r\(turn)"))
      times.del.ours.add(try Self.run(ours, "DEL", "c\(turn)"))
      times.del.other.add(try Self.run(reference, "DEL", "r\(turn)"))
    }
    return times
  }

  /// ADD and DEL of ten ports, beside what is there.
  private static func timesAlone(_ turns: Int) throws -> [Series] {
    let own = try plugin(60_000, ports: 2000, 10)
    var times = [Series(), Series()]
    for turn in 0..<turns {
      for (index, command) in ["ADD", "DEL"].enumerated() {
        times[index].add(try run(own, command, "own-\(turn)"))
      }
    }
    return times
  }

  @discardableResult
  private static func run(_ plugin: Plugin, _ command: String, _ container: String) throws
    -> Program.Run
  {
    try plugin.program(command, container, sandbox: sandbox).checked()
  }

  static func measure(_ options: Options, into table: inout Table) throws {
    let place = try PublishedPorts()
    let times = try place.compare(options.turns)
    table.add(
      Row("`portmap` ADD, 10 ports", times.add, against: "reference `portmap`", atMost: 0.5))
    table.add(
      Row("`portmap` DEL, 10 ports", times.del, against: "reference `portmap`", atMost: 0.5))
    // With none ADD makes the table and DEL removes it; with one it is there already.
    let none = try timesAlone(options.turns)
    try run(plugin(2, ports: 4000, 1), "ADD", "holder-0")
    let one = try timesAlone(options.turns)
    for number in 1..<500 {
      try run(plugin(2 + number, ports: 4000 + number, 1), "ADD", "holder-\(number)")
    }
    let full = try timesAlone(options.turns)
    for (index, command) in ["ADD", "DEL"].enumerated() {
      for (other, name, limit) in [(none, "none", 1.3), (one, "1 port of others", nil)] {
        var times = Comparison()
        (times.ours, times.other) = (full[index], other[index])
        table.add(
          Row("`portmap` \(command), 500 ports of others", times, against: name, atMost: limit))
      }
    }
    for number in 0..<500 {
      try run(plugin(2 + number, ports: 4000 + number, 1), "DEL", "holder-\(number)")
    }
  }
}

extension PublishedPorts {
  /// A container that is attached and has ten ports published, against one that is attached only.
  static func measure(_ ports: Ports, turns: Int, into table: inout Table) throws {
    // No traffic goes there, but a published port needs a way to its container.
    try Program.tool("ip", "route", "replace", "10.250.0.0/16", "dev", "pm0").checked()
    func attach(isPublished: Bool) throws -> Program.Run {
      let attachment = ports.run("ADD", "published")
      var run = try attachment.settled()
      if isPublished {
        let plugin = Plugin(
          name: "portmap",
          configuration: try Place.write(
            "published",
            [
              "cniVersion": "1.1.0", "name": "bench", "type": "portmap",
              "runtimeConfig": mappings(from: 2200, 10),
              "prevResult": try JSONValue(parsing: Array(text(attachment.output).utf8)),
            ]))
        run.nanoseconds += try plugin.program("ADD", "published", sandbox: "ours").checked()
          .nanoseconds
        try plugin.program("DEL", "published", sandbox: "ours").checked()
      }
      try ports.run("DEL", "published").checked()
      return run
    }
    var add = Comparison()
    try add.measure(turns, { try attach(isPublished: true) }, { try attach(isPublished: false) })
    table.add(Row("ADD with `portmap`, 10 ports", add, against: "without", atMost: 2.5))
  }
}
