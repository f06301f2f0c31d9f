import Linux

/// How often ovs-vswitchd looks at all its ports for one command, and how many changes of links
/// make it look: by its own counters (ovs-appctl(8), `coverage/read-counter`), when it has settled
/// again.
struct Reconfigurations {
  private struct Counted {
    var looks = 0.0
    var events = 0.0
  }
  private var commands:
    [(name: String, looks: Series, events: Series, limits: (looks: Double?, events: Double))]
  /// Whether an IPAM plugin is run.
  private let isAddressed: Bool

  /// The means of so many ADDs and DELs, without the highest and the lowest tenth: where the
  /// machine stands still between two changes of a link, ovs-vswitchd looks once for each.
  ///
  /// What an IPAM plugin frees comes between the link and the row. So ovs-vswitchd, which hears of
  /// each for itself, looks once more in such a DEL: that is told, and without a target.
  init(_ ports: Ports, turns: Int, isAddressed: Bool) throws {
    self.isAddressed = isAddressed
    commands = [
      ("ADD", Series(), Series(), (2.5, 6)),
      ("DEL", Series(), Series(), (isAddressed ? nil : 2, 2)),
    ]
    var before = try Self.settled()
    for index in 0..<turns {
      for place in commands.indices {
        try ports.run(commands[place].name, "settled-\(index)", isAddressed: isAddressed).checked()
        let after = try Self.settled()
        commands[place].looks.add(after.looks - before.looks)
        commands[place].events.add(after.events - before.events)
        before = after
      }
    }
  }

  private static func count() throws -> Counted {
    func read(_ counter: String) throws -> Double {
      let program = Program.tool("ovs-appctl", "coverage/read-counter", counter)
      let text = try program.printed().filter { $0 != "\n" }
      guard let value = Double(text) else { throw BenchError("\(counter) is \"\(text)\"") }
      return value
    }
    return Counted(looks: try read("bridge_reconfigure"), events: try read("nln_changed"))
  }

  /// Waits until ovs-vswitchd has done with what was before.
  static func settle() throws { _ = try settled(looks: 2, every: 40) }

  /// The counters when so many looks at them, `interval` milliseconds apart, have shown no change.
  private static func settled(looks: Int = 4, every interval: Int = 100) throws -> Counted {
    var last = try count()
    var quiet = 0
    while quiet < looks {
      Clock.sleep(.milliseconds(interval))
      let now = try count()
      quiet = now.looks == last.looks && now.events == last.events ? quiet + 1 : 0
      last = now
    }
    return last
  }

  /// Adds what was counted with `count` other ports.
  func add(to table: inout Table, _ count: Int) {
    for (command, looks, events, limits) in commands {
      let what = "\(command)\(isAddressed ? "" : " without IPAM"), \(count) other ports"
      table.add(
        Row(
          "reconfigurations of ovs-vswitchd in \(what)", looks.middleMean, "",
          atMost: limits.looks))
      table.add(
        Row(
          "link events that ovs-vswitchd gets in \(what)", events.middleMean, "",
          atMost: limits.events))
    }
  }
}

extension Program {
  /// Runs it to its end, which must be a good one, when ovs-vswitchd has done with what was before.
  @discardableResult
  func settled() throws -> Run {
    try Reconfigurations.settle()
    return try checked()
  }
}
