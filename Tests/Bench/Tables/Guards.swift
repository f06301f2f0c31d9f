import Addresses
import JSON
import Linux
import Netlink
import PortGuard

/// The rows about the guard of a port, on the userspace datapath: by XDP. On the kernel's it is a
/// table of nftables, which is measured here on the host end of an attachment without a guard.
enum Guards {
  /// An attachment of `ovs-bridge` with or without a guard, in a sandbox of its own.
  private static func plugin(_ name: String, _ members: [(String, JSONValue?)]) throws -> Plugin {
    try Place.addSandbox(name)
    return Plugin(
      name: "ovs-bridge",
      configuration: try Place.write(
        name,
        .object(
          [
            ("cniVersion", "1.1.0"), ("name", "bench"), ("type", "ovs-bridge"),
            ("bridge", .string(Place.bridge)), ("ipam", Ports.ipam),
          ] + members)))
  }

  static func measure(_ options: Options, into table: inout Table) throws {
    let guarded = try plugin("guarded", [("guard", true)])
    let plain = try plugin("unguarded", [])
    func attach(_ plugin: Plugin, _ sandbox: String, thenEnforce isGuarded: Bool = false) throws
      -> Program.Run
    {
      let id = "c-\(sandbox)"
      var run = try plugin.program("ADD", id, sandbox: sandbox, output: id).settled()
      if isGuarded { run.nanoseconds += try enforce(on: "\(Place.directory)/\(id).out") }
      try plugin.program("DEL", id, sandbox: sandbox, output: id).checked()
      return run
    }
    func compare() throws -> Comparison {
      var add = Comparison()
      try add.measure(
        options.turns, { try attach(guarded, "guarded") }, { try attach(plain, "unguarded") })
      return add
    }
    table.add(Row("ADD with `guard`, by XDP", try compare(), against: "without", atMost: nil))
    // The kernel waits at every change of its table of programs, which is full with 48:
    // BPF_DISPATCHER_MAX in linux/bpf.h.
    let others = (1...48).map { "g\($0)" }
    try Place.addSandbox("guards")
    func forOthers(_ command: String) throws {
      for name in others {
        try guarded.program(command, "c-\(name)", sandbox: "guards", ifname: name).checked()
      }
    }
    try forOthers("ADD")
    table.add(
      Row("ADD with `guard`, by XDP, beside 48", try compare(), against: "without", atMost: 1.3))
    try forOthers("DEL")
    var rules = Comparison()
    try rules.measure(
      options.turns, { try attach(plain, "unguarded", thenEnforce: true) },
      { try attach(plain, "unguarded") })
    table.add(Row("ADD, and a guard by nftables", rules, against: "without", atMost: 1.6))

    try Place.addSandbox("server")
    let server = try plugin("server-end", [])
    let output = "server"
    try server.program("ADD", output, sandbox: "server", output: output).checked()
    let address =
      try Program.tool(
        "ip", "-n", "server", "-4", "-o", "address", "show", "dev", "eth0"
      ).printed().split(separator: " ").first { $0.contains("/") }?.prefix { $0 != "/" } ?? ""
    // Seconds for the same content, so that less is better, as in the other rows.
    var transfer = Comparison()
    try guarded.program("ADD", "t1", sandbox: "guarded", output: "t1").checked()
    try plain.program("ADD", "t2", sandbox: "unguarded", output: "t2").checked()
    try Program.tool("ip", "netns", "exec", "server", "iperf3", "-s", "-D").checked()
    func send(_ sandbox: String) throws -> Program.Run {
      try Program.tool(
        "ip", "netns", "exec", sandbox, "iperf3", "-c", String(address), "-n", "100M", "-J"
      ).checked()
    }
    Clock.sleep(.milliseconds(500))
    try Reconfigurations.settle()
    try transfer.measure(
      options.isQuick ? 4 : 10, { try send("guarded") }, { try send("unguarded") })
    table.add(
      Row("100 MB by iperf3 with `guard`, by XDP", transfer, against: "without", atMost: 1.25))
    for (plugin, id, sandbox) in [
      (guarded, "t1", "guarded"), (plain, "t2", "unguarded"), (server, "server", "server"),
    ] {
      try plugin.program("DEL", id, sandbox: sandbox, output: id).checked()
    }
  }

  /// Makes and removes the table that guards an attachment by its result in `file`; returns how
  /// long the making took, in nanoseconds.
  private static func enforce(on file: String) throws -> Int64 {
    let result = try JSONValue(parsing: Array(text(file).utf8))
    let interfaces = result["interfaces"]?.array ?? []
    guard let name = interfaces.first?["name"]?.text,
      let mac = interfaces.dropFirst().first?["mac"]?.text.flatMap({ MACAddress($0) }),
      let address = result["ips"]?.array?.first?["address"]?.text
    else { throw BenchError("no result of ADD in \(file)") }
    let sender = GuardPolicy.Sender(
      mac, [IPPrefix(single: try IPPrefix(address).address), .linkLocal(of: mac)])
    let deadline = Deadline.after(.seconds(10))
    let socket = try RouteSocket()
    let index = try socket.link(.named(name), until: deadline).index
    let own = LinkGuard(.nftables, of: name, comment: "bench")
    let started = Clock.monotonic
    try own.enforce(GuardPolicy(.full, [sender]), on: index, socket, until: deadline)
    let duration = (Clock.monotonic - started).nanoseconds
    try LinkGuard.remove(of: name, comment: "bench", until: deadline)
    return duration
  }
}
