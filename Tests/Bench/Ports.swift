import JSON
import Linux

/// Attachments to a bridge: by our plugins, and by hand.
final class Ports {
  let plugin: Plugin
  private let layer2: Plugin
  private let logged: Plugin
  private let hand: ByHand
  /// How many ports the bridge has besides those that are measured.
  private(set) var count = 0

  static let ipam: JSONValue = [
    "type": "host-local", "dataDir": "/run/bench/leases",
    "ranges": [[["subnet": "10.250.0.0/16"]]], "routes": [["dst": "0.0.0.0/0"]],
  ]

  init() throws {
    for name in ["ours", "hand", "crowd"] { try Place.addSandbox(name) }
    let configuration: [(String, JSONValue?)] = [
      ("cniVersion", "1.1.0"), ("name", "bench"), ("type", "ovs-bridge"),
      ("bridge", .string(Place.bridge)),
    ]
    let ipam = Self.ipam
    plugin = Plugin(
      name: "ovs-bridge",
      configuration: try Place.write("plugged", .object(configuration + [("ipam", ipam)])))
    let log: [(String, JSONValue?)] = [("logLevel", "debug"), ("logFile", "/run/bench/plugin.log")]
    logged = Plugin(
      name: "ovs-bridge",
      configuration: try Place.write(
        "logged", .object(configuration + [("ipam", ipam)] + log)))
    layer2 = Plugin(
      name: "ovs-bridge", configuration: try Place.write("layer-2", .object(configuration)))
    hand = try ByHand("hand", address: "10.250.255.2")
    // Makes the bridge, which stays.
    try run("ADD", "first").checked()
    try run("DEL", "first").checked()
  }

  func run(
    _ command: String, _ containerID: String, sandbox: String = "ours", isLogged: Bool = false,
    isAddressed: Bool = true, directory: String = Place.ours
  ) -> Program {
    var plugin = isAddressed ? isLogged ? logged : plugin : layer2
    plugin.directory = directory
    return plugin.program(command, containerID, sandbox: sandbox, output: containerID)
  }

  /// Adds ports until there are that many.
  func addPorts(to number: Int) throws {
    while count < number {
      count += 1
      try layer2.program(
        "ADD", "crowd-\(count)", sandbox: "crowd", ifname: "c\(count)"
      ).checked()
    }
  }

  struct Times {
    var add = Comparison()
    var del = Comparison()
  }

  /// The system calls of ADD and DEL, and of the same by hand: of five each, since the kernel has a
  /// write to `disable_ipv6` restarted as long as another process holds its lock (RTNL).
  func calls() throws -> [(ours: Series, other: Series)] {
    var counts = ["ADD", "DEL"].map { (command: $0, ours: Series(), other: Series()) }
    func counted(_ program: Program) throws -> Double {
      try Reconfigurations.settle()
      return try Counter.systemCalls.count(program)
    }
    for _ in 0..<5 {
      for place in counts.indices {
        let command = counts[place].command
        counts[place].ours.add(try counted(run(command, "called")))
        counts[place].other.add(try counted(hand.program(command)))
      }
    }
    return counts.map { ($0.ours, $0.other) }
  }

  /// ADD and DEL against the same by hand, by turns.
  ///
  /// - Parameter settled: Each begins when ovs-vswitchd has done with the one before. Otherwise it
  ///   begins at once, and ADD waits until ovs-vswitchd has done with the DEL before.
  func compare(_ turns: Int, settled: Bool = true) throws -> Times {
    var times = Times()
    func timed(_ program: Program) throws -> Program.Run {
      try settled ? program.settled() : program.checked()
    }
    func attachOurs(_ index: Int) throws {
      times.add.ours.add(try timed(run("ADD", "c\(index)")))
      times.del.ours.add(try timed(run("DEL", "c\(index)")))
    }
    func attachByHand() throws {
      times.add.other.add(try timed(hand.program("ADD")))
      times.del.other.add(try timed(hand.program("DEL")))
    }
    for index in 0..<turns {
      if index.isMultiple(of: 2) {
        try attachOurs(index)
        try attachByHand()
      } else {
        try attachByHand()
        try attachOurs(index)
      }
    }
    return times
  }
}
