public import JSON

/// The parameters of one invocation (CNI specification 1.1.0, section 2 "Parameters"), before the
/// configuration is read.
public struct Invocation: Hashable, Sendable {
  /// `CNI_COMMAND`
  public let command: Command
  /// `CNI_CONTAINERID`; empty where the command does not need it and it is not set.
  public let containerID: String
  /// `CNI_IFNAME`; likewise.
  public let interfaceName: String
  /// `CNI_NETNS`; nil where it is not set or empty.
  public let sandboxPath: String?
  /// The directories of `CNI_PATH`.
  public let path: [String]
  /// `CNI_ARGS`, as it stands; decode it with `Arguments`.
  public let argumentText: String
  /// `CNI_NETNS_OVERRIDE`: the sandbox may be the plugin's own namespace.
  public let mayUseOwnNamespace: Bool

  /// Reads the environment; code 4 where a variable is missing or malformed.
  ///
  /// - Parameter environment: Returns a variable's value; nil if it is not set.
  public init(environment: (String) -> String?) throws(CNIError) {
    let name = environment("CNI_COMMAND") ?? ""
    guard let command = Command(rawValue: name) else {
      throw CNIError(
        .invalidEnvironment, "unknown CNI_COMMAND: \(name)",
        details: "it is one of \(Command.allCases.map { $0.rawValue }.joined(separator: ", "))")
    }
    self.command = command
    var missing: [String] = []
    for parameter in command.required {
      let value = environment(parameter.rawValue) ?? ""
      if value.isEmpty {
        missing.append(parameter.rawValue)
        continue
      }
      switch parameter {
      case .containerID: try Names.checkContainerID(value)
      case .interfaceName: try Names.checkInterfaceName(value)
      case .sandbox, .path: break
      }
    }
    guard missing.isEmpty else {
      throw CNIError(
        .invalidEnvironment,
        "required env variables [\(missing.joined(separator: ","))] missing")
    }
    // Optional here: an invalid value is treated as absent.
    let containerID = environment(Parameter.containerID.rawValue) ?? ""
    let interfaceName = environment(Parameter.interfaceName.rawValue) ?? ""
    self.containerID = (try? Names.checkContainerID(containerID)) == nil ? "" : containerID
    self.interfaceName = (try? Names.checkInterfaceName(interfaceName)) == nil ? "" : interfaceName
    sandboxPath = environment(Parameter.sandbox.rawValue).flatMap { $0.isEmpty ? nil : $0 }
    path = (environment(Parameter.path.rawValue) ?? "").split(separator: ":").map { String($0) }
    argumentText = environment("CNI_ARGS") ?? ""
    let override = (environment("CNI_NETNS_OVERRIDE") ?? "").asciiLowercased
    mayUseOwnNamespace = override == "1" || override == "true"
  }
}

/// One invocation of a plugin: its parameters and its configuration.
public struct Request: Hashable, Sendable {
  /// The parameters.
  public let invocation: Invocation
  /// `CNI_ARGS`, decoded. Empty where it is malformed and the command does not need it, as DEL, GC
  /// and STATUS, or the plugin: a typing error must not keep resources allocated.
  public let arguments: Arguments
  /// The configuration.
  public let network: NetworkConfiguration

  /// Decodes the configuration of `invocation`.
  ///
  /// - Parameters:
  ///   - keys: The keys of `CNI_ARGS`.
  ///   - readsArguments: The plugin, or its delegate, has a use for `CNI_ARGS`.
  public init(
    _ invocation: Invocation, configuration: JSONCursor, _ keys: ArgumentKeys,
    readsArguments: Bool = true
  ) throws(CNIError) {
    self.invocation = invocation
    network = try NetworkConfiguration(configuration, for: invocation.command)
    let text = invocation.argumentText
    if network.ignoresArguments {
      arguments = .pairs(of: text, withPrefix: keys.runtimePrefix)
    } else if readsArguments, invocation.command == .add || invocation.command == .check {
      arguments = try Arguments(text)
      try arguments.check(keys.known)
    } else {
      arguments = (try? Arguments(text)) ?? Arguments()
    }
  }

  /// `CNI_ARGS` for delegates: as the runtime wrote it, or what is left where `args` are ignored.
  public var argumentText: String {
    guard network.ignoresArguments else { return invocation.argumentText }
    // A delegate refuses keys that it does not know unless IgnoreUnknown is set.
    return arguments.pairs.isEmpty ? "" : "IgnoreUnknown=1;" + arguments.text
  }

  /// The attachment that the parameters name.
  public var attachment: Attachment {
    Attachment(containerID: invocation.containerID, interfaceName: invocation.interfaceName)
  }
}
