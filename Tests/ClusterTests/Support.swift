import Foundation
import TestSupport

/// A database of addresses: one server, or three that keep it together (Raft).
final class AddressDatabase: Sendable {
  let directory: TemporaryDirectory
  let count: Int
  private let members: [Member]

  /// A server that may be killed and started again.
  private final class Member: @unchecked Sendable { var daemon: Daemon? }

  static let schema = Project.path("conf/cluster/cni_ipam.ovsschema")

  /// - Parameter other: The text of another schema, for a database alone.
  init(members count: Int = 1, schema other: String? = nil) throws {
    try PrivateHost.require()
    directory = try TemporaryDirectory()
    self.count = count
    members = (0..<count).map { _ in Member() }
    let addresses = (1...count).map { "unix:\(directory.path)/\($0).raft" }
    if let other {
      let path = try directory.write(other, to: "schema")
      try run("ovsdb-tool", ["create", file(1, "db"), path]).checked()
    } else if count == 1 {
      try run(
        "\(Plugin.directory)/patchbay", ["cluster", "init", "--file", file(1, "db")]
      ).checked()
    } else {
      // By the tool members listen at ports only, and these another test might have.
      try run(
        "ovsdb-tool", ["create-cluster", file(1, "db"), Self.schema, addresses[0]]
      ).checked()
    }
    for number in 1...count where number > 1 {
      let others = addresses.filter { $0 != addresses[number - 1] }
      try run(
        "ovsdb-tool",
        ["join-cluster", file(number, "db"), "CNI_IPAM", addresses[number - 1]] + others
      ).checked()
    }
    for number in 1...count { try start(number) }
    try eventually("a database that takes transactions") { self.leader != nil }
  }

  private func file(_ number: Int, _ ending: String) -> String {
    "\(directory.path)/\(number).\(ending)"
  }
  /// The socket of the first.
  var socket: String { file(1, "sock") }
  /// Where the members listen.
  var endpoints: [Document] { (1...count).map { .string("unix:\(file($0, "sock"))") } }

  func start(_ number: Int) throws {
    members[number - 1].daemon = try Daemon(
      "ovsdb-server",
      [
        file(number, "db"), "--remote=punix:\(file(number, "sock"))",
        "--unixctl=\(file(number, "ctl"))", "-vconsole:off", "-vsyslog:off", "-vfile:info",
        "--log-file=\(file(number, "log"))",
      ], environment: ProcessInfo.processInfo.environment, log: file(number, "out"))
    try eventually("a socket of member \(number)") {
      FileManager.default.fileExists(atPath: self.file(number, "sock"))
    }
  }
  func kill(_ number: Int) {
    members[number - 1].daemon?.stop(SIGKILL)
    try? FileManager.default.removeItem(atPath: file(number, "sock"))
  }
  func suspend(_ number: Int) { members[number - 1].daemon?.suspend() }
  func resume(_ number: Int) { members[number - 1].daemon?.resume() }

  /// The member that leads; that of a database alone is its own leader.
  var leader: Int? {
    if count == 1 { return (try? rows(1)) == nil ? nil : 1 }
    return (1...count).first { number in
      let output = try? run(
        "ovs-appctl", ["-t", file(number, "ctl"), "-T", "1", "cluster/status", "CNI_IPAM"])
      return output?.stdout.contains("Role: leader") == true
    }
  }

  func transact(_ operations: String, member number: Int = 1) throws -> Document {
    let output = try run(
      "ovsdb-client",
      [
        "-t", "5", "transact", "unix:\(file(number, "sock"))", "[\"CNI_IPAM\",\(operations)]",
      ]
    ).checked()
    return try Document(parsing: output.bytes)
  }

  /// Takes a snapshot and restores it, which gives every row another UUID; see ovsdb-client(1).
  func restore() throws {
    let (server, snapshot) = ("unix:\(socket)", file(1, "snapshot"))
    let script = """
      ovsdb-client backup "$1" CNI_IPAM >"$2" && ovsdb-client restore "$1" CNI_IPAM <"$2"
      """
    try run("sh", ["-c", script, "sh", server, snapshot]).checked()
  }

  /// Address and holder of each lease, as one member has them.
  func rows(_ number: Int = 1) throws -> [String: String] {
    let found = try transact(
      #"{"op":"select","table":"Lease","where":[],"columns":["address","holder"]}"#,
      member: number)
    var rows: [String: String] = [:]
    for row in found[0]["rows"].array { rows[row["address"].text ?? ""] = row["holder"].text }
    return rows
  }
}

/// A network whose addresses are in the database.
struct Pool: Sendable {
  let database: AddressDatabase
  var name = "net"
  var host = "h1"
  var ipam: Document = ["ranges": [[["subnet": "10.1.0.0/24"]]]]

  /// The member `ipam` of its configuration.
  var document: Document {
    ipam.with([
      "type": "cluster", "database": .array(database.endpoints), "host": .string(host),
    ])
  }

  /// The same as another host sees it.
  func on(_ host: String) -> Pool {
    var copy = self
    copy.host = host
    return copy
  }

  func call(
    _ command: String, _ id: String, ifname: String = "eth0", args: String? = nil,
    with members: [String: Document] = [:], ipam others: [String: Document] = [:]
  ) throws -> PluginResult {
    let configuration: Document = [
      "cniVersion": "1.1.0", "name": .string(name), "type": "x", "ipam": document.with(others),
    ]
    return try Plugin("cluster").call(
      command, configuration.with(members), containerID: id, sandbox: "/nowhere", ifname: ifname,
      args: args)
  }

  /// ADD, and the addresses it gave, without their lengths.
  func add(
    _ id: String, ifname: String = "eth0", args: String? = nil,
    with members: [String: Document] = [:], ipam: [String: Document] = [:]
  ) throws -> [String] {
    try call("ADD", id, ifname: ifname, args: args, with: members, ipam: ipam).checked()["ips"]
      .array.map { String(($0["address"].text ?? "").prefix { $0 != "/" }) }
  }
}
