import Linux

/// The Open vSwitch of a playground: a database, its server and the switch, in `/run/openvswitch`.
struct PlaygroundSwitch {
  private static let directory = PlaygroundPaths.openvswitch

  /// Where Open vSwitch's packages keep the name of the host.
  static let configurations = "/etc/openvswitch"

  private let tool: PlaygroundProgram
  private let server: PlaygroundProgram
  private let daemon: PlaygroundProgram
  /// What ovs-vswitchd says it is, such as `3.1.0`.
  let version: String

  /// Finds the programs.
  init() throws {
    let source = "Open vSwitch, which Debian and Ubuntu have as the package openvswitch-switch"
    tool = try PlaygroundProgram("ovsdb-tool", of: source)
    server = try PlaygroundProgram("ovsdb-server", of: source)
    daemon = try PlaygroundProgram("ovs-vswitchd", of: source)
    let words = try daemon.run(["--version"]).split { $0 == " " || $0 == "\n" }
    version = words.first { $0.first?.isNumber == true }.map { String($0) } ?? ""
  }

  /// Where its database listens.
  static let endpoint = "unix:\(directory)/db.sock"

  /// Starts both daemons and returns when they answer.
  func start() throws {
    _ = try Directory.create(path: Self.directory, mode: 0o755)
    do { _ = try FileDescriptor.open("/dev/net/tun", .readWrite) } catch {
      say(
        "Open vSwitch will refuse bridges of the userspace datapath: \(error); on most systems "
          + "the file is there and everybody may open it (sudo chmod 666 /dev/net/tun)",
        .warning)
    }
    let database = "\(Self.directory)/conf.db"
    try tool.run(["create", database])
    // As `ovs-ctl start` does: without the row ovs-vswitchd does nothing.
    let row = "{\"ovs_version\": \"\(version)\"}"
    let insert = "{\"op\": \"insert\", \"table\": \"Open_vSwitch\", \"row\": \(row)}"
    try tool.run(["transact", database, "[\"Open_vSwitch\", \(insert)]"])
    try serve(database, at: ["punix:\(Self.directory)/db.sock"])
    try daemon.run([Self.endpoint] + PlaygroundProgram.daemonOptions)
  }

  /// Makes a database of `schema`.
  func create(_ database: String, _ schema: String) throws {
    try tool.run(["create", database, schema])
  }

  /// Starts an ovsdb-server for `database`.
  ///
  /// - Parameter name: Of its files; nil for those that are looked for.
  func serve(_ database: String, at remotes: [String], as name: String? = nil) throws {
    let own = name.map { ["--pidfile=\($0).pid", "--log-file=\($0).log", "--unixctl=\($0).ctl"] }
    let options = PlaygroundProgram.daemonOptions + (own ?? [])
    try server.run([database] + remotes.map { "--remote=\($0)" } + options)
  }
}
