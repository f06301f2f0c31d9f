import Foundation

/// What a plugin answered.
public struct PluginResult: Sendable, CustomStringConvertible {
  /// Its exit status, both streams, and the command.
  public let output: Output
  /// What it printed; `.absent` where it printed nothing, or no JSON.
  public let json: Document

  /// What `output` says.
  public init(_ output: Output) {
    self.output = output
    json = (try? Document(parsing: output.bytes)) ?? .absent
  }

  /// 0 or 1.
  public var status: Int32 { output.status }
  /// The log.
  public var stderr: String { output.stderr }
  /// What the lines of the log say, each without its beginning: when, of what, and how long.
  public var logged: String {
    stderr.split(separator: "\n").map {
      $0.replacingOccurrences(
        of: #"^.* duration=[0-9.]+ms "#, with: "", options: .regularExpression)
    }.joined(separator: "\n")
  }
  /// The `code` of an error result.
  public var code: Int? { json["code"].integer }
  /// The `msg` and the `details` of an error result, as libcni shows them.
  public var message: String {
    let details = json["details"].text ?? ""
    return (json["msg"].text ?? "") + (details.isEmpty ? "" : "; " + details)
  }
  /// The result of a plugin that must have succeeded.
  @discardableResult
  public func checked() throws -> Document {
    try output.checked()
    return json
  }
  /// Command, status and both streams.
  public var description: String { output.description }
}

/// A built executable, run as a runtime runs it.
public struct Plugin: Sendable {
  /// Its `type`.
  public let name: String
  /// The file that is run.
  public let path: String
  /// What `CNI_PATH` is where a call does not say otherwise.
  public let searchPath: String
  /// The network namespace it is run in; nil for that of this process.
  public let host: Sandbox?

  /// Where the executables of the debug build are: beside the tests.
  public static let debugDirectory =
    URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
  /// Where the executables under test are: `PATCHBAY_BIN`, else those of the debug build.
  public static let directory =
    ProcessInfo.processInfo.environment["PATCHBAY_BIN"] ?? debugDirectory
  /// Where Debian has the reference plugins.
  public static let references = "/usr/lib/cni"

  /// The executable `name` of this build, or, where `reference`, the one that Debian has; delegates
  /// are looked for in the same order.
  public init(_ name: String, in host: Sandbox? = nil, reference: Bool = false) {
    let directories = [Self.directory, Self.references]
    self.init(name, in: host, reference ? directories.reversed() : directories)
  }

  /// The executable `name` in the first of `directories`; delegates are looked for in all of them.
  private init(_ name: String, in host: Sandbox?, _ directories: [String]) {
    self.name = name
    self.host = host
    path = "\(directories[0])/\(name)"
    searchPath = directories.joined(separator: ":")
  }

  /// The same of the debug build, which has symbols and is linked dynamically.
  public var ofDebugBuild: Plugin {
    Plugin(name, in: host, [Self.debugDirectory, Self.references])
  }

  /// Where the executables of an earlier release are; nil but for `make test-upgrade`.
  public static let earlierDirectory = ProcessInfo.processInfo.environment["PATCHBAY_EARLIER"]
  /// The same of the executables in `directory`.
  public func of(_ directory: String) -> Plugin {
    Plugin(name, in: host, [directory, Self.references])
  }

  /// Runs it with exactly these variables and octets.
  ///
  /// - Parameter starter: A program that goes on as the plugin, and its arguments; the path of the
  ///   plugin is its last one.
  public func call(
    _ variables: [String: String], input: some Sequence<UInt8>, through starter: [String] = [],
    timeout: Duration = .seconds(30)
  ) throws -> PluginResult {
    let command = starter + [path]
    let arguments = Array(command.dropFirst())
    let inherited = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("CNI_") }
    let environment = inherited.merging(variables) { $1 }
    let output =
      try host?.exec(
        command[0], arguments, environment: environment, input: input, timeout: timeout)
      ?? run(command[0], arguments, environment: environment, input: input, timeout: timeout)
    return PluginResult(output)
  }

  /// Runs a command for an attachment.
  public func call(
    _ command: String, _ configuration: Document, containerID: String?, sandbox: String?,
    ifname: String?, args: String? = nil, path: String? = nil, through starter: [String] = [],
    timeout: Duration = .seconds(30)
  ) throws -> PluginResult {
    var variables = ["CNI_COMMAND": command, "CNI_PATH": path ?? searchPath]
    variables["CNI_CONTAINERID"] = containerID
    variables["CNI_NETNS"] = sandbox
    variables["CNI_IFNAME"] = ifname
    variables["CNI_ARGS"] = args
    return try call(
      variables, input: configuration.encoded, through: starter, timeout: timeout)
  }

  /// Attaches a container.
  public func add(
    _ configuration: Document, containerID: String, sandbox: Sandbox, ifname: String = "eth0",
    args: String? = nil, path: String? = nil, timeout: Duration = .seconds(30)
  ) throws -> PluginResult {
    try call(
      "ADD", configuration, containerID: containerID, sandbox: sandbox.path, ifname: ifname,
      args: args, path: path, timeout: timeout)
  }

  /// `sandbox` may be nil: the runtime does not know it any more.
  public func del(
    _ configuration: Document, containerID: String, sandbox: Sandbox?, ifname: String = "eth0",
    args: String? = nil, path: String? = nil, timeout: Duration = .seconds(30)
  ) throws -> PluginResult {
    try call(
      "DEL", configuration, containerID: containerID, sandbox: sandbox?.path, ifname: ifname,
      args: args, path: path, timeout: timeout)
  }

  /// `previous` is what ADD answered.
  public func check(
    _ configuration: Document, previous: Document, containerID: String, sandbox: Sandbox,
    ifname: String = "eth0", args: String? = nil, path: String? = nil,
    timeout: Duration = .seconds(30)
  ) throws -> PluginResult {
    try call(
      "CHECK", configuration.with(["prevResult": previous]), containerID: containerID,
      sandbox: sandbox.path, ifname: ifname, args: args, path: path, timeout: timeout)
  }

  /// `valid` nil leaves the member out, which frees nothing.
  public func gc(
    _ configuration: Document, valid: [(containerID: String, ifname: String)]?,
    path: String? = nil, timeout: Duration = .seconds(30)
  ) throws -> PluginResult {
    try call(
      "GC", valid.map { configuration.withValid($0) } ?? configuration, containerID: nil,
      sandbox: nil, ifname: nil, path: path, timeout: timeout)
  }

  /// Asks whether an ADD could succeed.
  public func status(
    _ configuration: Document, path: String? = nil, timeout: Duration = .seconds(30)
  ) throws -> PluginResult {
    try call(
      "STATUS", configuration, containerID: nil, sandbox: nil, ifname: nil, path: path,
      timeout: timeout)
  }

  /// Asks which versions of the specification it speaks.
  public func version(_ cniVersion: String = "1.1.0") throws -> PluginResult {
    try call(
      "VERSION", ["cniVersion": .string(cniVersion)], containerID: nil, sandbox: nil, ifname: nil)
  }
}

extension Document {
  /// This configuration, for a GC to which these attachments are valid.
  public func withValid(_ attachments: [(containerID: String, ifname: String)]) -> Document {
    let list = attachments.map {
      Document.object(["containerID": .string($0.containerID), "ifname": .string($0.ifname)])
    }
    return with(["cni.dev/valid-attachments": .array(list)])
  }
}
