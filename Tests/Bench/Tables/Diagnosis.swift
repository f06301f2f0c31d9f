import Linux

/// How long `patchbay trace` and `patchbay doctor` take on a host with many attachments.
enum Diagnosis {
  static func measure(_ ports: Ports, turns: Int, into table: inout Table) throws {
    let count = 200
    let names = (1...count).map { "seen-\($0)" }
    for name in names {
      try Place.addSandbox(name)
      try ports.run("ADD", name, sandbox: name).checked()
    }
    // What the containers said when they came has left the datapath's cache by then: `max-idle` in
    // ovs-vswitchd.conf.db(5) is 10 s.
    Clock.sleep(.seconds(12))
    let tool = "\(Place.ours)/patchbay"
    let questions: [(String, Program, Double)] = [
      ("trace", .tool(tool, "trace", names[0], names[count - 1]), 150),
      ("doctor", .tool(tool, "doctor"), 300),
    ]
    for (what, program, limit) in questions {
      var program = program
      program.output = "\(Place.directory)/\(what).out"
      program.environment.append("CNI_PATH=\(Place.ours)")
      var times = Series()
      for _ in 0..<turns { times.add(try program.checked()) }
      table.add(
        Row(
          "`patchbay \(what)`, \(count) attachments", times.median, " ms", atMost: limit,
          raw: times.json))
    }
    for name in names {
      try ports.run("DEL", name, sandbox: name).checked()
      try Program.tool("ip", "netns", "del", name).checked()
    }
  }
}
