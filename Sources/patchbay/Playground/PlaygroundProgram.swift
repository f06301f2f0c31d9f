import Linux

/// A program of Open vSwitch or OVN, as a playground runs it.
struct PlaygroundProgram {
  let path: String

  /// Finds it.
  ///
  /// - Parameter source: What it is a part of, and how Debian and Ubuntu have that.
  init(_ name: String, of source: String) throws {
    let path = Executables.path(Process.environment("PATH") ?? "")
    guard let file = Executables.find(name, in: path) else {
      throw Failure("there is no \(name) in PATH (\(path)): install \(source)")
    }
    self.path = file
  }

  /// What a daemon gets so that it detaches from this process when it is ready. It ends with the
  /// playground.
  static let daemonOptions = [
    "-vconsole:emer", "-vsyslog:off", "-vfile:info", "--log-file", "--pidfile", "--no-chdir",
    "--detach",
  ]

  /// What it prints; throws if it does not succeed.
  @discardableResult
  func run(_ arguments: [String], as directory: String = PlaygroundPaths.openvswitch) throws
    -> String
  {
    try Self.run(path, arguments, in: Self.environment(directory))
  }

  /// What `file` prints; throws if it does not succeed.
  @discardableResult
  static func run(_ file: String, _ arguments: [String], in environment: [String]) throws -> String
  {
    let reason: String
    do {
      let output = try ChildProcess(
        start: file, arguments: arguments, environment: environment, input: []
      ).finish(until: .after(.seconds(60)))
      if output.status == .exited(0) { return String(decoding: output.bytes, as: UTF8.self) }
      reason = "\(output.status)"
    } catch { reason = "\(error)" }
    throw Failure(
      "\(file) did not succeed: \(reason)",
      hint: "Its arguments were: \(arguments.joined(separator: " "))")
  }

  /// Where programs look for sockets and files, however they were built: those of OVN in
  /// `directory`.
  static func environment(_ directory: String) -> [String] {
    PlaygroundPaths.withoutSwitch(Process.environment) + PlaygroundPaths.variables
      + ["OVN_RUNDIR", "OVN_LOGDIR", "OVN_DBDIR"].map { "\($0)=\(directory)" }
  }
}
