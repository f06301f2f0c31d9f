import Linux

/// The Open vSwitch of a playground: a database, its server and the switch, in `/run/openvswitch`.
struct PlaygroundSwitch {
  static let directory = "/run/openvswitch"

  private let tool: String
  private let server: String
  private let daemon: String
  private let environment: [String]
  /// What ovs-vswitchd says it is, such as `3.1.0`.
  let version: String

  /// Finds the programs.
  init() throws {
    let path = Executables.path(Process.environment("PATH") ?? "")
    func find(_ name: String) throws -> String {
      guard let file = Executables.find(name, in: path) else {
        throw Failure(
          "there is no \(name) in PATH (\(path)): install Open vSwitch, which Debian and Ubuntu have "
            + "as the package openvswitch-switch")
      }
      return file
    }
    tool = try find("ovsdb-tool")
    server = try find("ovsdb-server")
    daemon = try find("ovs-vswitchd")
    environment = PlaygroundEnvironment.withoutSwitch(Process.environment) + Self.variables
    let words = try Self.run(daemon, ["--version"], environment).split { $0 == " " || $0 == "\n" }
    version = words.first { $0.first?.isNumber == true }.map { String($0) } ?? ""
  }

  /// Where every program of Open vSwitch, however it was built, looks for sockets and files.
  static let variables = ["OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR"].map { "\($0)=\(directory)" }

  /// Starts both daemons and returns when they answer.
  ///
  /// They detach from this process when they are ready, and end with the playground.
  func start() throws {
    _ = try Directory.create(path: Self.directory, mode: 0o755)
    do { _ = try FileDescriptor.open("/dev/net/tun", .readWrite) } catch {
      say(
        "Open vSwitch will refuse bridges of the userspace datapath: \(error); on most systems "
          + "the file is there and everybody may open it (sudo chmod 666 /dev/net/tun)",
        .warning)
    }
    let database = "\(Self.directory)/conf.db"
    try run(tool, ["create", database])
    // As `ovs-ctl start` does: without the row ovs-vswitchd does nothing.
    let row = "{\"ovs_version\": \"\(version)\"}"
    let insert = "{\"op\": \"insert\", \"table\": \"Open_vSwitch\", \"row\": \(row)}"
    try run(tool, ["transact", database, "[\"Open_vSwitch\", \(insert)]"])
    try run(server, [database, "--remote=punix:\(Self.directory)/db.sock"] + options)
    try run(daemon, ["unix:\(Self.directory)/db.sock"] + options)
  }

  private var options: [String] {
    [
      "-vconsole:emer", "-vsyslog:off", "-vfile:info", "--log-file", "--pidfile", "--no-chdir",
      "--detach",
    ]
  }

  private func run(_ program: String, _ arguments: [String]) throws {
    _ = try Self.run(program, arguments, environment)
  }

  /// What `program` prints.
  private static func run(_ program: String, _ arguments: [String], _ environment: [String]) throws
    -> String
  {
    let reason: String
    do {
      let output = try ChildProcess(
        start: program, arguments: arguments, environment: environment, input: []
      ).finish(until: .after(.seconds(30)))
      if output.status == .exited(0) { return String(decoding: output.bytes, as: UTF8.self) }
      reason = "\(output.status)"
    } catch { reason = "\(error)" }
    throw Failure(
      "\(program) did not succeed: \(reason)",
      hint: "Its arguments were: \(arguments.joined(separator: " "))")
  }
}
