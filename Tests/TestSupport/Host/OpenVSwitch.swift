import Foundation
import Synchronization

/// An ovsdb-server and an ovs-vswitchd of our own, with their files in a directory of their own.
///
/// They end with this value, and with this process however it ends. Bridges that `addBridge` makes
/// are on the datapath of this run; see `Datapath`.
public final class OpenVSwitch: Sendable {
  /// Where database, sockets and logs are.
  public let directory: TemporaryDirectory
  /// The network namespace it works in; nil for that of this process.
  public let host: Sandbox?
  private let daemons = Mutex<(server: Daemon?, switching: Daemon?)>((nil, nil))

  /// The server's socket, as a path.
  public var socket: String { "\(directory.path)/db.sock" }
  /// The server's socket, as `ovs-vsctl --db=` and `socket_file` take it.
  public var endpoint: String { "unix:\(socket)" }

  /// One for all tests of this process that get on with others' bridges beside their own.
  public static var shared: OpenVSwitch { get throws { try started.get() } }
  private static let started = Result { try OpenVSwitch.start() }

  /// Starts one. There can be one ovs-vswitchd in a network namespace (the names of its datapaths'
  /// links are always the same): give it a `host` of its own, or do `without switching`, where a
  /// database server without ovs-vswitchd is what is wanted.
  public static func start(in host: Sandbox? = nil, switching: Bool = true) throws -> OpenVSwitch {
    let openVSwitch = try OpenVSwitch(host)
    try openVSwitch.startServer()
    if switching { try openVSwitch.startSwitching() }
    return openVSwitch
  }

  private init(_ host: Sandbox?) throws {
    try PrivateHost.require()
    self.host = host
    directory = try TemporaryDirectory()
    let schema = "/usr/share/openvswitch/vswitch.ovsschema"
    try run("ovsdb-tool", ["create", "\(directory.path)/conf.db", schema]).checked()
  }

  deinit {
    stopSwitching()
    stopServer()
  }

  // MARK: - The two programs

  /// The environment in which the programs of Open vSwitch find these.
  public var environment: [String: String] {
    var environment = ProcessInfo.processInfo.environment
    for name in ["OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR"] { environment[name] = directory.path }
    return environment
  }

  /// The server, for `suspend()` and `resume()`; nil while it is stopped.
  public var server: Daemon? { daemons.withLock { $0.server } }
  /// The switch, likewise.
  public var switching: Daemon? { daemons.withLock { $0.switching } }

  /// Starts ovsdb-server, and waits until it answers.
  public func startServer() throws {
    let started = try daemon(
      "ovsdb-server",
      [
        "\(directory.path)/conf.db", "--remote=punix:\(socket)",
        "--unixctl=\(directory.path)/server.ctl",
      ])
    daemons.withLock { $0.server = started }
    try wait(for: started, "ovsdb-server") { try vsctl(["--no-wait", "init"]).status == 0 }
  }

  /// Starts ovs-vswitchd, and waits until it has served the database.
  public func startSwitching() throws {
    let started = try daemon(
      "ovs-vswitchd", [endpoint, "--unixctl=\(directory.path)/switching.ctl"])
    daemons.withLock { $0.switching = started }
    try wait(for: started, "ovs-vswitchd") {
      try vsctl(["--timeout=\(5 * slowness)", "get", "Open_vSwitch", ".", "cur_cfg"]).status == 0
        && FileManager.default.fileExists(atPath: "\(directory.path)/switching.ctl")
    }
    try vsctl([
      "--timeout=\(10 * slowness)", "set", "Open_vSwitch", ".", "external_ids:started=yes",
    ]).checked()
  }

  /// Ends ovsdb-server.
  public func stopServer() {
    daemons.withLock {
      let daemon = $0.server
      $0.server = nil
      return daemon
    }?.stop()
  }

  /// Ends ovs-vswitchd.
  public func stopSwitching() {
    daemons.withLock {
      let daemon = $0.switching
      $0.switching = nil
      return daemon
    }?.stop()
  }

  /// Ends ovs-vswitchd, which removes its datapaths and their links first; without that they stay.
  public func removeDatapaths() throws {
    try appctl("exit", "--cleanup")
    // A signal would end it before it is done.
    try eventually("ovs-vswitchd has ended") { switching?.hasEnded ?? true }
    stopSwitching()
  }

  private func daemon(_ name: String, _ arguments: [String]) throws -> Daemon {
    let arguments =
      arguments + [
        "-vconsole:off", "-vsyslog:off", "-vfile:info", "--log-file=\(directory.path)/\(name).log",
      ]
    let inside = host.map { ["netns", "exec", $0.name, name] } ?? []
    return try Daemon(
      host == nil ? name : "ip", inside + arguments, environment: environment,
      log: "\(directory.path)/\(name).out")
  }

  private func wait(for daemon: Daemon, _ name: String, _ isReady: () throws -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(20 * slowness)
    while try !isReady() {
      guard !daemon.hasEnded, ContinuousClock.now < deadline else {
        let log = (directory.read("\(name).out") ?? "") + (directory.read("\(name).log") ?? "")
        throw RunError(description: "\(name) does not start:\n\(log)")
      }
      usleep(10_000)
    }
  }

  // MARK: - What is in the database

  /// Runs ovs-vsctl on this database.
  public func vsctl(_ arguments: [String]) throws -> Output {
    try run("ovs-vsctl", ["--db=\(endpoint)"] + arguments, environment: environment)
  }
  /// Runs ovs-vsctl on this database, which must succeed; answers its lines.
  @discardableResult
  public func vsctl(_ arguments: String...) throws -> [String] {
    try vsctl(["--timeout=\(10 * slowness)"] + arguments).checked().stdout.split(separator: "\n")
      .map(String.init)
  }
  /// Runs ovs-appctl on ovs-vswitchd (`"fdb/show", "br1"`), which must succeed.
  @discardableResult
  public func appctl(_ arguments: String...) throws -> String {
    try run(
      "ovs-appctl", ["--target=\(directory.path)/switching.ctl"] + arguments,
      environment: environment
    ).checked().stdout
  }

  /// The rows of a table, each by column: sets as arrays (a set of one as its element), maps as
  /// objects, UUIDs as text.
  public func rows(_ table: String) throws -> [Document] { try rows(of: [table])[0].rows }

  /// The rows of several tables, as they were at one time.
  public func rows(of tables: [String]) throws -> [(table: String, rows: [Document])] {
    let options = ["--timeout=\(10 * slowness)", "--no-wait", "--format=json"]
    let commands = tables.map { ["list", $0] }.joined(separator: ["--"])
    let lines = try vsctl(options + commands).checked().stdout.split(separator: "\n")
    guard lines.count == tables.count else {
      throw RunError(description: "ovs-vsctl list \(tables): \(lines.count) answers")
    }
    return try zip(tables, lines).map { table, line in
      let answer = try Document(parsing: Array(line.utf8))
      let names = answer["headings"].array.compactMap(\.text)
      return (
        table,
        answer["data"].array.map { row in
          .object(Dictionary(uniqueKeysWithValues: zip(names, row.array.map(\.withoutOVSDBTags))))
        }
      )
    }
  }

  /// The row of that name; `.absent` if there is none.
  public func row(_ table: String, _ name: String) throws -> Document {
    try rows(table).first { $0["name"] == .string(name) } ?? .absent
  }

  /// Makes a bridge on the datapath of this run and returns its name.
  @discardableResult
  public func addBridge(_ name: String = uniqueName("br"), _ settings: String...) throws -> String {
    try vsctl(
      [
        "--timeout=\(10 * slowness)", "add-br", name, "--", "set", "Bridge", name,
        "datapath_type=\(Datapath.current.rawValue)",
      ] + settings
    ).checked()
    return name
  }

  /// The names of the ports of a bridge, in order.
  public func ports(of bridge: String) throws -> [String] { try vsctl("list-ports", bridge) }
}

extension Document {
  /// Without the tags of RFC 7047 §5.1: `["set", […]]`, `["map", […]]`, `["uuid", "…"]`.
  var withoutOVSDBTags: Document {
    switch (self[0], self[1]) {
    case ("set", .array(let items)): .array(items.map(\.withoutOVSDBTags))
    case ("map", .array(let pairs)):
      .object(
        Dictionary(pairs.map { ("\($0[0].text ?? $0[0].description)", $0[1].withoutOVSDBTags) }) {
          $1
        })
    case ("uuid", let uuid): uuid
    default: self
    }
  }
}
