import Glibc
import JSON
import Linux

/// The plugins whose state all hosts share, on databases alone: `cluster` beside `host-local`, and
/// `ovn` with `cluster` beside `ovs-bridge` with `host-local`.
enum SharedState {
  /// By their names.
  static let plugins = ["cluster", "ovn"]
  private static let socket = "\(Place.directory)/ipam.sock"

  static func measure(_ options: Options, into table: inout Table) throws {
    try serve("ipam", schema: nil)
    let files = try plugin("host-local", "files", Ports.ipam)
    let none = try plugin("cluster", "pool", ipam("10.250.0.0/16"))
    var leases = Comparison()
    for index in 0..<options.turns {
      leases.ours.add(try none.program("ADD", "c\(index)").checked())
      leases.other.add(try files.program("ADD", "c\(index)").checked())
      try none.program("DEL", "c\(index)").checked()
      try files.program("DEL", "c\(index)").checked()
    }
    table.add(Row("`cluster` ADD, one server", leases, against: "`host-local`", atMost: 2))
    for clients in [1, 3, 6] {
      table.add(try rate(none, files, clients, of: options.isQuick ? 10 : 60))
    }
    try compareWithMany(none, options, into: &table)
    try compareSwitches(options, into: &table)
  }

  /// Leases that so many clients get in a second, each one after the other: of `cluster`, beside
  /// those of `host-local`.
  private static func rate(_ ours: Plugin, _ files: Plugin, _ clients: Int, of count: Int) throws
    -> Row
  {
    var rates: [Double] = []
    for plugin in [ours, files] {
      let started = Clock.monotonic
      let children = try (0..<clients).map { client -> Int32 in
        if let pid = try Process.fork() { return pid }
        var status: Int32 = 0
        for number in 0..<count where status == 0 {
          let run = try? plugin.program(
            "ADD", "r\(clients)-\(client)-\(number)", output: "client\(client)"
          ).checked()
          status = run?.status ?? 1
        }
        Process.exit(status)
      }
      for pid in children {
        guard try Process.waitForEnd(of: pid) == .exited(0) else {
          throw BenchError("a client of \(plugin.name) did not get its leases")
        }
      }
      let seconds = Double((Clock.monotonic - started).nanoseconds) / 1e9
      rates.append(Double(clients * count) / seconds)
      for client in 0..<clients {
        for number in 0..<count {
          try plugin.program("DEL", "r\(clients)-\(client)-\(number)").checked()
        }
      }
    }
    return Row(
      "leases in a second of `cluster`, \(clients) \(clients == 1 ? "client" : "clients")",
      rates[0],
      " /s", atMost: nil, other: "`host-local` \(rates[1].rounded(0)) /s")
  }

  /// Where a pool has 60,000 leases, and where it has none.
  private static func compareWithMany(_ none: Plugin, _ options: Options, into table: inout Table)
    throws
  {
    for start in stride(from: 0, to: 60_000, by: 250) { try insertLeases(start..<start + 250) }
    let many = try plugin("cluster", "full", ipam("10.0.0.0/15"))
    var add = Comparison()
    for index in 0..<options.turns {
      add.ours.add(try many.program("ADD", "s\(index)").checked())
      add.other.add(try none.program("ADD", "s\(index)").checked())
      try many.program("DEL", "s\(index)").checked()
      try none.program("DEL", "s\(index)").checked()
    }
    table.add(Row("`cluster` ADD, 60000 leases", add, against: "0 leases", atMost: 1.3))
  }

  private static func insertLeases(_ numbers: Range<Int>) throws {
    let rows = numbers.map { number in
      let address = "10.\((number * 2) >> 16).\((number * 2) >> 8 & 255).\(number * 2 & 255)"
      return #"{"op":"insert","table":"Lease","row":{"pool":"full","address":"\#(address)","#
        + #""holder":"h/full/o\#(number)/eth0","slot":"0","host":"h","network":"full","#
        + #""container":"o\#(number)","interface":"eth0","boot":"b","created":1}}"#
    }
    var program = Program.tool("ovsdb-client")
    program.arguments += [
      "transact", "unix:\(socket)", #"["CNI_IPAM",\#(rows.joined(separator: ","))]"#,
    ]
    try program.checked()
  }

  /// `ovn` with `cluster` beside `ovs-bridge` with `host-local`, without other ports.
  private static func compareSwitches(_ options: Options, into table: inout Table) throws {
    guard (try? FileStatus(path: "/usr/bin/ovn-controller")) != nil else {
      return progress("no OVN here: without its row")
    }
    try startOVN()
    for name in ["logical", "plain"] { try Place.addSandbox(name) }
    let logical = try plugin(
      "ovn", "logical", ipam("10.250.0.0/16"),
      [("switch", "bench"), ("nb", .string("unix:\(Place.directory)/nb.sock"))])
    let plain = try plugin("ovs-bridge", "plain", Ports.ipam, [("bridge", .string(Place.bridge))])
    var add = Comparison()
    var del = Comparison()
    for index in 0..<options.turns {
      add.ours.add(try logical.program("ADD", "l\(index)", sandbox: "logical").settled())
      add.other.add(try plain.program("ADD", "p\(index)", sandbox: "plain").settled())
      del.ours.add(try logical.program("DEL", "l\(index)", sandbox: "logical").settled())
      del.other.add(try plain.program("DEL", "p\(index)", sandbox: "plain").settled())
    }
    let other = "`ovs-bridge` + `host-local`"
    table.add(Row("`ovn` + `cluster` ADD", add, against: other, atMost: 2))
    table.add(Row("`ovn` + `cluster` DEL", del, against: other, atMost: 2))
    try stopOVN()
  }

  private static func startOVN() throws {
    for name in ["nb", "sb"] { try serve(name, schema: "/usr/share/ovn/ovn-\(name).ovsschema") }
    let (nb, sb) = ("unix:\(Place.directory)/nb.sock", "unix:\(Place.directory)/sb.sock")
    try daemon("ovn-northd", ["--ovnnb-db=\(nb)", "--ovnsb-db=\(sb)"])
    try tool(
      "ovs-vsctl", "set", "Open_vSwitch", ".", "external_ids:system-id=bench",
      "external_ids:hostname=bench", "external_ids:ovn-remote=\"\(sb)\"",
      "external_ids:ovn-encap-type=geneve", "external_ids:ovn-encap-ip=127.0.0.1",
      "external_ids:ovn-bridge-datapath-type=netdev")
    try daemon("ovn-controller", [])
    try tool("ovn-nbctl", "--db=\(nb)", "ls-add", "bench")
    try tool(
      "ovn-sbctl", "--db=\(sb)", "--timeout=20", "wait-until", "chassis", "bench", "name=bench")
  }

  /// Ends it: ovn-controller would be at work at each port of the other parts.
  private static func stopOVN() throws {
    for name in ["ovn-controller", "ovn-northd", "nb", "sb"] {
      let file = "\(Place.directory)/\(name).pid"
      try tool("kill", String(text(file).prefix { $0.isNumber }))
      // It removes that when it ends.
      while (try? FileStatus(path: file)) != nil { Clock.sleep(.milliseconds(20)) }
    }
    try tool("ovs-vsctl", "del-br", "br-int")
  }

  // MARK: - Programs

  private static func ipam(_ subnet: String) -> JSONValue {
    [
      "type": "cluster", "database": .string("unix:\(socket)"), "host": "bench",
      "ranges": [[["subnet": .string(subnet)]]],
    ]
  }

  private static func plugin(
    _ type: String, _ network: String, _ ipam: JSONValue, _ members: [(String, JSONValue?)] = []
  ) throws -> Plugin {
    let all: [(String, JSONValue?)] = [
      ("cniVersion", "1.1.0"), ("name", .string(network)), ("type", .string(type)),
      ("ipam", ipam), ("mtu", type == "ovn" ? 1400 : nil),
    ]
    return Plugin(
      name: type,
      configuration: try Place.write("shared-\(type)-\(network)", .object(all + members)))
  }

  private static func tool(_ name: String, _ arguments: String...) throws {
    var program = Program.tool(name)
    program.arguments += arguments
    try program.checked()
  }

  /// Starts an ovsdb-server; without a schema, for the database of addresses.
  private static func serve(_ name: String, schema: String?) throws {
    let path = "\(Place.directory)/\(name)"
    if let schema {
      try tool("ovsdb-tool", "create", "\(path).db", schema)
    } else {
      let make = Program(
        path: "\(Place.ours)/patchbay", arguments: ["cluster", "init", "--file", "\(path).db"])
      try make.checked()
    }
    try daemon("ovsdb-server", ["--remote=punix:\(path).sock", "\(path).db"], as: name)
  }

  private static func daemon(_ program: String, _ arguments: [String], as name: String? = nil)
    throws
  {
    let path = "\(Place.directory)/\(name ?? program)"
    var daemon = Program.tool(program)
    daemon.arguments += [
      "--pidfile=\(path).pid", "--log-file=\(path).log", "-vconsole:off", "--detach",
      "--no-chdir",
    ]
    // The one of Debian 12 has no such option, and is told by its variable.
    if program != "ovn-controller" { daemon.arguments.append("--unixctl=\(path).ctl") }
    // Its files are found by that.
    daemon.environment.append("OVN_RUNDIR=\(Place.directory)")
    daemon.arguments += arguments
    try daemon.checked()
  }
}
