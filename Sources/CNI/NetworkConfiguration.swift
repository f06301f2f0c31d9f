public import JSON

/// Members of every plugin configuration (CNI specification 1.1.0, section 1 "Plugin configuration
/// objects").
public enum PluginMember: String, JSONMember {
  case cniVersion, name, type, capabilities, ipam, dns, args, prevResult, runtimeConfig
}

/// Members of `ipam` that every plugin which gives addresses has.
public enum IPAMMember: String, JSONMember {
  case type, routes
}

/// What runtimes say by `runtimeConfig`, and users by `args.cni` (CNI conventions): the name of a
/// capability is that of the member.
public enum Capability: String, JSONMember {
  case mac, ips, ipRanges, portMappings, bandwidth
}

extension JSONCursor {
  /// `args.cni` of a plugin configuration: what users request.
  public var requests: JSONCursor { self[PluginMember.args]["cni"] }
}

/// The members of a plugin configuration that every plugin has (CNI specification 1.1.0,
/// section 1 "Plugin configuration objects").
public struct NetworkConfiguration: Hashable, Sendable {
  /// Members that every plugin of this project has besides.
  public enum Member: String, JSONMember {
    case timeout, ignoreArgs
  }
  /// The version of the specification that the configuration is written in.
  public let version: SpecificationVersion
  /// The network's name.
  public let name: String
  /// The plugin's executable.
  public let type: String
  /// `ipam.type`; nil or empty without IPAM.
  public let ipamType: String?
  /// What the plugins before this one in the chain made; nil where there were none.
  public let previousResult: AttachmentResult?
  /// The attachments that are valid, for GC. Nil where the runtime did not tell, which is not the
  /// same as none.
  public let validAttachments: [Attachment]?
  /// How long one invocation may wait altogether, in whole seconds.
  public let timeout: UInt32
  /// `ignoreArgs`: whether `args`, and all of `CNI_ARGS` but what the runtime says, are left out,
  /// because on this host users write them.
  public let ignoresArguments: Bool
  /// The whole configuration, for members of the plugin's own and for delegates; without `args`
  /// where these are to be ignored.
  public let json: JSONCursor

  /// The default of `timeout`.
  public static let defaultTimeout: UInt32 = 10

  /// Decodes the configuration of a command: name first, then version, then the rest.
  ///
  /// For DEL a previous result that cannot be read is treated as absent, and for DEL and GC an
  /// illegal value of any other member is the default: what an earlier version or another runtime
  /// left behind, or a later mistake in the configuration, must not keep an attachment alive.
  public init(_ configuration: JSONCursor, for command: Command) throws(CNIError) {
    (name, version) = try Self.identity(configuration, command)
    do throws(JSONDecodingError) {
      ignoresArguments = try Self.value(of: configuration[Member.ignoreArgs], command) ?? false
      let json = Self.stripped(
        configuration, of: ignoresArguments ? PluginMember.args.rawValue : nil)
      self.json = json
      type = try Self.value(of: json[PluginMember.type], command) ?? ""
      if !command.isReleasing { try Self.checkObjects(json) }
      ipamType =
        try json[PluginMember.ipam].isAbsent
        ? nil : Self.value(of: json[PluginMember.ipam][IPAMMember.type], command)
      timeout = try Self.timeout(json[Member.timeout], command)
      validAttachments = command == .gc ? try Self.validAttachments(json) : nil
      let previous = json[PluginMember.prevResult]
      switch command {
      case .del: previousResult = try? AttachmentResult(previous, defaultVersion: version)
      case .add, .check:
        previousResult =
          previous.isAbsent ? nil : try AttachmentResult(previous, defaultVersion: version)
      case .gc, .status, .version: previousResult = nil
      }
    } catch { throw CNIError(error) }
    if command == .check, previousResult == nil {
      throw CNIError(
        .invalidConfiguration, "Required prevResult missing",
        details: "prevResult: missing; CHECK requires it")
    }
  }

  /// The members that hold others, at any place where a plugin or its delegate looks for them.
  private static func checkObjects(_ json: JSONCursor) throws(JSONDecodingError) {
    for object in [
      json[PluginMember.ipam], json[PluginMember.args], json.requests,
      json[PluginMember.runtimeConfig],
    ] {
      try object.checkObject()
    }
  }

  /// Refuses wrong types of the members of every plugin that most have no use for, as the reference
  /// plugins do where they read a whole configuration.
  public func checkUnusedMembers() throws(JSONDecodingError) {
    let _: DNS? = try json[PluginMember.dns].decodeIfPresent()
    guard !json[PluginMember.capabilities].isAbsent else { return }
    for (_, value) in try json[PluginMember.capabilities].members {
      let _: Bool = try value.decode()
    }
  }

  /// The value of a member; for DEL and GC nil where it is illegal.
  private static func value<T: JSONDecodable>(of json: JSONCursor, _ command: Command)
    throws(JSONDecodingError) -> T?
  {
    do throws(JSONDecodingError) { return try json.decodeIfPresent() } catch {
      guard command.isReleasing else { throw error }
      return nil
    }
  }

  private static func stripped(_ json: JSONCursor, of name: String?) -> JSONCursor {
    guard let name, let object = json.value?.object else { return json }
    return JSONCursor(.object(object.others(than: [name])))
  }

  private static func timeout(_ json: JSONCursor, _ command: Command) throws(JSONDecodingError)
    -> UInt32
  {
    do { return try json.decodeIfPresent(in: 1...3600) ?? defaultTimeout } catch {
      guard command.isReleasing else { throw error }
      return defaultTimeout
    }
  }

  /// The version that a configuration says it is written in, however little else of it can be read;
  /// nil where the text is not an object.
  ///
  /// For error results, which carry it.
  public static func statedVersion(of text: [UInt8]) -> String? {
    let stated = JSONOutline.string(PluginMember.cniVersion.rawValue, of: text)
    // As long as any version; the rest of an invalid text helps no reader.
    if let stated, !stated.isEmpty { return String(stated.prefix(32)) }
    let isObject = text.first { $0 > 0x20 } == UInt8(ascii: "{")
    return isObject ? SpecificationVersion.v0_1_0.rawValue : nil
  }

  /// The network's name and the version that the configuration is written in.
  private static func identity(_ json: JSONCursor, _ command: Command)
    throws(CNIError) -> (name: String, version: SpecificationVersion)
  {
    let name: String
    let text: String
    do throws(JSONDecodingError) {
      // Null is an object without members to the reference.
      guard json.isAbsent || json.value?.object != nil else { throw json.expected("an object") }
      name = try json[PluginMember.name].decodeIfPresent() ?? ""
      text = try json[PluginMember.cniVersion].decodeIfPresent() ?? ""
    } catch { throw CNIError(error) }
    try Names.checkNetworkName(name)
    let first = SpecificationVersion.v0_1_0
    guard let version = text.isEmpty ? first : SpecificationVersion(rawValue: text) else {
      let isLater = command != .add && command != .del && isLaterThanAll(text)
      throw CNIError(
        .incompatibleVersion,
        isLater
          ? "plugin version does not allow \(command.rawValue)" : "incompatible CNI versions",
        details: "config is \"\(text)\", plugin supports \(SpecificationVersion.quotedList)")
    }
    guard version >= command.since else {
      throw CNIError(
        .incompatibleVersion, "config version does not allow \(command.rawValue)",
        details: "cniVersion is \(version.rawValue); "
          + "\(command.rawValue) needs \(command.since.rawValue) or later")
    }
    return (name, version)
  }

  /// Whether `text` is a version after the newest that is known.
  private static func isLaterThanAll(_ text: String) -> Bool {
    func numbers(_ text: String) -> [Int] { text.split(separator: ".").compactMap { Int($0) } }
    let (asked, newest) = (numbers(text), numbers(SpecificationVersion.current.rawValue))
    return asked.count == newest.count && newest.lexicographicallyPrecedes(asked)
  }

  /// Either spelling that runtimes use; nil where the runtime did not tell.
  private static func validAttachments(_ json: JSONCursor)
    throws(JSONDecodingError) -> [Attachment]?
  {
    let first = json["cni.dev/valid-attachments"]
    return try (first.isAbsent ? json["cni.dev/attachments"] : first).decodeIfPresent()
  }
}
