import Foundation
import Synchronization
import TestSupport
import Testing

/// A central of OVN and two hosts, each a network namespace with its own daemons, joined by tunnels
/// (Geneve) over a network of their own. The hosts take addresses from one database.
final class Lab: Sendable {
  /// The central's databases and their sockets.
  let directory: TemporaryDirectory
  let central: Sandbox
  let hosts: [LabHost]
  private let daemons: Mutex<[String: Daemon]>

  /// One for all tests of this process: each has a switch of its own.
  static var shared: Lab { get throws { try started.get() } }
  private static let started: Result<Lab, any Error> = Result {
    let lab = try Lab()
    // Nothing lets go of it before this process ends, and what is left then is a failure.
    _ = atexit { try? Lab.started.get().deleteNamespaces() }
    return lab
  }

  private func deleteNamespaces() {
    for namespace in [central] + hosts.map(\.namespace) { namespace.delete() }
  }

  var northbound: String { "unix:\(directory.path)/nb.sock" }
  var addresses: String { "unix:\(directory.path)/ipam.sock" }

  /// The members of the northbound database.
  private let members: [String]
  /// Where they listen, as a configuration has it.
  var northboundMembers: [Document] {
    members.map { .string("unix:\(directory.path)/\($0).sock") }
  }

  /// - Parameters:
  ///   - count: How many members the northbound database has: one, or several that keep it
  ///     together.
  ///   - hostCount: How many hosts there are.
  init(members count: Int = 1, hosts hostCount: Int = 2) throws {
    try PrivateHost.require()
    directory = try TemporaryDirectory()
    members = count == 1 ? ["nb"] : (1...count).map { "nb\($0)" }
    central = try Sandbox()
    try central.runs("ip", "link", "add", "ul", "type", "bridge").checked()
    try central.runs("ip", "address", "add", "172.31.0.10/24", "dev", "ul").checked()
    try central.runs("ip", "link", "set", "ul", "up").checked()
    // Datapaths in userspace get packets of veth pairs with unfinished checksums.
    try central.runs("ethtool", "-K", "ul", "tx", "off").checked()
    var daemons: [String: Daemon] = [:]
    let path = directory.path
    for name in members { try Self.create("nb", of: name, members, in: path) }
    try Self.create("sb", of: "sb", ["sb"], in: path)
    for name in members + ["sb"] {
      let remotes = name == "sb" ? ["--remote=ptcp:6642:0.0.0.0"] : []
      let database = name == "sb" ? "OVN_Southbound" : "OVN_Northbound"
      daemons[name] = try Self.server(name, remotes, in: central, path)
      try eventually("a socket of \(name)") {
        FileManager.default.fileExists(atPath: "\(path)/\(name).sock")
      }
      // Of several, the first is alone for now.
      guard name == "sb" || count == 1 else { continue }
      try Self.wait(for: database, at: "unix:\(path)/\(name).sock")
    }
    for name in members where count > 1 {
      try Self.wait(for: "OVN_Northbound", at: "unix:\(path)/\(name).sock")
    }
    try run("\(Plugin.directory)/patchbay", ["cluster", "init", "--file", "\(path)/ipam.db"])
      .checked()
    daemons["ipam"] = try Self.server("ipam", [], in: central, path)
    daemons["northd"] = try Self.daemon(
      "ovn-northd",
      [
        "--ovnnb-db=\(Self.remotes(members, in: path))", "--ovnsb-db=unix:\(path)/sb.sock",
        "--unixctl=\(path)/northd.ctl",
      ], in: central, path)
    self.daemons = Mutex(daemons)
    var hosts: [LabHost] = []
    for number in 1...hostCount { hosts.append(try LabHost(number, central)) }
    self.hosts = hosts
    try ovn("nb", "init")
    for host in hosts {
      try eventually("chassis \(host.name)", timeout: .seconds(20)) {
        try ovn("sb", "--bare", "--columns=name", "list", "chassis").contains(host.name)
      }
    }
  }

  private static func remotes(_ members: [String], in path: String) -> String {
    members.map { "unix:\(path)/\($0).sock" }.joined(separator: ",")
  }

  /// Makes the file of a member.
  private static func create(
    _ schema: String, of name: String, _ members: [String], in path: String
  ) throws {
    let file = "\(path)/\(name).db"
    let schema = "/usr/share/ovn/ovn-\(schema).ovsschema"
    func address(_ name: String) -> String { "unix:\(path)/\(name).raft" }
    let arguments =
      members.count == 1
      ? ["create", file, schema]
      : name == members[0]
        ? ["create-cluster", file, schema, address(name)]
        : ["join-cluster", file, "OVN_Northbound", address(name), address(members[0])]
    try run("ovsdb-tool", arguments).checked()
  }

  /// Waits until a member can take transactions.
  private static func wait(for database: String, at socket: String) throws {
    try eventually("a database \(database)", timeout: .seconds(20)) {
      try run("ovsdb-client", ["-t", "2", "list-tables", socket, database]).status == 0
    }
  }

  private static func server(
    _ name: String, _ remotes: [String], in sandbox: Sandbox, _ path: String
  )
    throws -> Daemon
  {
    try daemon(
      "ovsdb-server",
      [
        "\(path)/\(name).db", "--remote=punix:\(path)/\(name).sock",
        "--unixctl=\(path)/\(name).ctl",
      ]
        + remotes, in: sandbox, path)
  }

  /// A daemon of Open vSwitch or OVN, whose files are in `path`.
  static func daemon(_ name: String, _ arguments: [String], in sandbox: Sandbox, _ path: String)
    throws -> Daemon
  {
    var environment = ProcessInfo.processInfo.environment
    for kind in ["RUNDIR", "DBDIR", "LOGDIR"] {
      environment["OVS_\(kind)"] = path
      environment["OVN_\(kind)"] = path
    }
    return try Daemon(
      "ip",
      ["netns", "exec", sandbox.name, executable(name)] + arguments + [
        "-vconsole:off", "-vsyslog:off", "-vfile:info", "--log-file=\(path)/\(name).\(UUID()).log",
      ], environment: environment, log: "\(path)/\(name).out")
  }

  /// One of the central's daemons: `nb` (`nb1` and so on, of several), `sb`, `ipam`, `northd`.
  func daemon(_ name: String) -> Daemon? { daemons.withLock { $0[name] } }

  /// The member of the northbound database that leads; nil while none does.
  var leader: String? {
    members.first { name in
      let output = try? run(
        "ovs-appctl",
        ["-t", "\(directory.path)/\(name).ctl", "-T", "1", "cluster/status", "OVN_Northbound"])
      return output?.stdout.contains("Role: leader") == true
    }
  }

  /// Kills a member of the northbound database.
  func kill(_ member: String) {
    daemon(member)?.stop(SIGKILL)
    try? FileManager.default.removeItem(atPath: "\(directory.path)/\(member).sock")
  }
  /// Starts one again that was killed.
  func start(_ member: String) throws {
    let started = try Self.server(member, [], in: central, directory.path)
    daemons.withLock { $0[member] = started }
    try Self.wait(for: "OVN_Northbound", at: "unix:\(directory.path)/\(member).sock")
  }

  /// Runs ovn-nbctl (`nb`) or ovn-sbctl (`sb`), which must succeed; returns its words.
  @discardableResult
  func ovn(_ database: String, _ arguments: String...) throws -> [String] {
    let socket =
      database == "nb"
      ? Self.remotes(members, in: directory.path) : "unix:\(directory.path)/sb.sock"
    return try run(
      "ovn-\(database)ctl",
      ["--db=\(socket)", "--timeout=\(10 * slowness)"] + arguments
    ).checked().stdout.split { $0.isWhitespace }.map { String($0) }
  }

  /// A logical switch of its own for one test.
  func addSwitch() throws -> String {
    let name = uniqueName("ls")
    try ovn("nb", "ls-add", name)
    return name
  }

  /// The logical ports of a switch, each by column.
  func ports(of name: String) throws -> [Document] {
    // A member that does not lead passes it on; one that is gone is passed by.
    let ports = try run(
      "ovsdb-client",
      [
        "-t", "\(10 * slowness)", "transact", Self.remotes(members, in: directory.path),
        #"["OVN_Northbound",{"op":"select","table":"Logical_Switch","where":[["name","==","#
          + #""\#(name)"]],"columns":["ports"]},"#
          + #"{"op":"select","table":"Logical_Switch_Port","where":[]}]"#,
      ]
    ).checked()
    let result = try Document(parsing: ports.bytes)
    let references = result[0]["rows"][0]["ports"].description
    return result[1]["rows"].array.filter { references.contains($0["_uuid"][1].text ?? "-") }
  }

  /// Address and holder of each lease of a network.
  func leases(_ network: String) throws -> [String: String] {
    let rows = try run(
      "ovsdb-client",
      [
        "-t", "5", "transact", addresses,
        #"["CNI_IPAM",{"op":"select","table":"Lease","where":[["network","==","\#(network)"]]}]"#,
      ]
    ).checked()
    let found = try Document(parsing: rows.bytes)[0]["rows"].array
    return Dictionary(
      found.map { ($0["address"].text ?? "", $0["holder"].text ?? "") }
    ) { $1 }
  }
}
