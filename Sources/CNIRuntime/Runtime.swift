public import CNI
public import JSON
internal import Linux
public import PluginExecution

/// What a container runtime has besides a network: where plugins are and results are kept, how long
/// a plugin may take.
public struct Runtime: Sendable {
  /// The directories of `CNI_PATH`.
  public var pluginPath: [String]
  /// Where results are kept.
  public var cache: ResultCache
  /// How long one plugin may take for one command, and how long a command waits for its turn.
  public var timeout: Duration
  /// Variables that plugins get besides our own environment and `CNI_…`, as `NAME=value`.
  public var environment: [String] = []
  /// Members that plugins get, by their types, where the configuration does not have them.
  public var defaults: [String: JSONObject] = [:]
  /// Whether ADD keeps what it is run with before its first plugin starts: then what an ADD that
  /// was killed has left is known.
  public var keepsBeforeADD = false
  /// Gets each plugin that is run, and what it writes to standard error; without it,
  /// that goes to ours.
  public var observe: (@Sendable (PluginEvent) -> Void)?

  /// A runtime.
  public init(
    pluginPath: [String], cache: ResultCache = .standard, timeout: Duration = .seconds(60),
    observe: (@Sendable (PluginEvent) -> Void)? = nil
  ) {
    self.pluginPath = pluginPath
    self.cache = cache
    self.timeout = timeout
    self.observe = observe
  }
}

/// An attachment that is to be made, compared or removed, and what is requested for it.
public struct AttachmentParameters: Hashable, Sendable {
  /// The container and its interface.
  public var attachment: Attachment
  /// `CNI_NETNS`; may be empty for DEL.
  public var sandboxPath: String
  /// `CNI_ARGS`
  public var arguments: Arguments
  /// What is given for capabilities, by their names; a plugin gets that of those it declares.
  public var capabilities: JSONObject

  /// Parameters.
  public init(
    _ attachment: Attachment, sandboxPath: String, arguments: Arguments = Arguments(),
    capabilities: JSONObject = JSONObject()
  ) {
    self.attachment = attachment
    self.sandboxPath = sandboxPath
    self.arguments = arguments
    self.capabilities = capabilities
  }

  /// Those that `cached` was made with.
  public init(_ cached: CachedAttachment) {
    self.init(
      cached.attachment, sandboxPath: cached.knownSandboxPath, arguments: cached.arguments,
      capabilities: cached.capabilities)
  }

  /// Refuses what is not legal before any plugin sees it.
  func check() throws(RuntimeError) {
    do throws(CNIError) {
      try Names.checkContainerID(attachment.containerID)
      try Names.checkInterfaceName(attachment.interfaceName)
    } catch { throw .illegalName(error) }
  }
}

/// One run of one plugin.
public struct PluginCall: Hashable, Sendable {
  /// `CNI_COMMAND`
  public let command: Command
  /// The plugin's `type`.
  public let type: String
  /// The path of its executable.
  public let executable: String
  /// The variables `CNI_…` that it gets, as `NAME=value`, besides our own environment.
  public let environment: [String]
  /// Its standard input.
  public let input: JSONValue
}

/// What a runtime reports while it works.
public enum PluginEvent: Sendable {
  /// A plugin is about to be started.
  case starting(PluginCall)
  /// It wrote these bytes to standard error.
  case wrote(PluginCall, [UInt8])
  /// It has ended, or not been started, after this time.
  case ended(PluginCall, Result<PluginOutput, PluginFailure>, Duration)
  /// The rest of an attachment that is gone is removed before it is made again.
  case removingRemains(CachedAttachment)
}

extension Runtime {
  /// Runs one plugin of `list` for `command` and returns its result, if it printed one.
  ///
  /// - Parameter members: What is put into its configuration besides name and version.
  func run(
    _ command: Command, _ plugin: PluginEntry, of list: NetworkList,
    _ parameters: AttachmentParameters?, _ members: [(String, JSONValue?)]
  ) throws(RuntimeError) -> JSONValue? {
    var input = plugin.json
    for member in defaults[plugin.type]?.members ?? [] where input[member.name] == nil {
      input[member.name] = member.value
    }
    input[PluginMember.name] = .string(list.name)
    input[PluginMember.cniVersion] = .string(list.version)
    for (name, value) in members { if let value { input[name] = value } }
    let given = plugin.capabilities.compactMap { name in
      parameters?.capabilities[name].map { (name, Optional($0)) }
    }
    if !given.isEmpty { input[PluginMember.runtimeConfig] = .object(given) }
    do throws(PluginFailure) {
      let environment = environment(command, parameters)
      return try execute(plugin.type, command, environment, .object(input)).result()
    } catch { throw .plugin(type: plugin.type, name: plugin.name, command, error) }
  }

  private func environment(_ command: Command, _ parameters: AttachmentParameters?) -> [String] {
    [
      "CNI_COMMAND=\(command.rawValue)",
      "CNI_CONTAINERID=\(parameters?.attachment.containerID ?? "")",
      "CNI_NETNS=\(parameters?.sandboxPath ?? "")",
      "CNI_ARGS=\(parameters?.arguments.text ?? "")",
      "CNI_IFNAME=\(parameters?.attachment.interfaceName ?? "")",
      "CNI_PATH=\(pluginPath.joined(separator: ":"))",
    ] + environment
  }

  /// Runs the plugin `type` with `variables` in place of those of their names in our environment.
  func execute(_ type: String, _ command: Command, _ variables: [String], _ input: JSONValue)
    throws(PluginFailure) -> PluginOutput
  {
    let executable = try PluginSearch.executable(of: type, in: pluginPath)
    let names = variables.map { $0.prefix { $0 != "=" } + "=" }
    let inherited = Process.environment.filter { line in !names.contains { line.hasPrefix($0) } }
    let call = PluginCall(
      command: command, type: type, executable: executable, environment: variables, input: input)
    observe?(.starting(call))
    let started = Clock.monotonic
    let deadline = Deadline.after(timeout)
    do throws(PluginFailure) {
      let process = try PluginProcess(
        start: executable, environment: inherited + variables, input: input.encoded(),
        standardError: observe == nil ? .inherited : .piped, until: deadline)
      let output = try process.finish(until: deadline) { observe?(.wrote(call, $0)) }
      observe?(.ended(call, .success(output), Clock.monotonic - started))
      return output
    } catch {
      observe?(.ended(call, .failure(error), Clock.monotonic - started))
      throw error
    }
  }

  /// The versions that the plugin `type` says it speaks, as it says them.
  ///
  /// A plugin that does not know VERSION is of 0.1.0.
  public func versions(of type: String) throws(RuntimeError) -> [String] {
    // Plugins that are older than VERSION refuse it only once these are there.
    let variables = [
      "CNI_COMMAND=VERSION", "CNI_CONTAINERID=dummy", "CNI_NETNS=dummy", "CNI_IFNAME=dummy",
      "CNI_PATH=dummy", "CNI_ARGS=",
    ]
    let input: JSONValue = [
      PluginMember.cniVersion.rawValue: .string(SpecificationVersion.current.rawValue)
    ]
    let failure: PluginFailure
    do throws(PluginFailure) {
      guard let answer = try execute(type, .version, variables, input).result() else {
        throw .noErrorResult(.exited(0), output: [])
      }
      let versions = answer["supportedVersions"]?.array?.compactMap { $0.text } ?? []
      return versions.isEmpty ? [answer[PluginMember.cniVersion]?.text].compactMap { $0 } : versions
    } catch { failure = error }
    if case .refused(let error) = failure, error.message == "unknown CNI_COMMAND: VERSION" {
      return [SpecificationVersion.v0_1_0.rawValue]
    }
    throw .plugin(type: type, name: nil, .version, failure)
  }
}
