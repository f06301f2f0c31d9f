public import JSON

/// The members of a plugin configuration that every plugin has (CNI specification 1.1.0,
/// section 1 "Plugin configuration objects").
public struct NetworkConfiguration: Hashable, Sendable {
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
  /// The whole configuration, for members of the plugin's own and for delegates.
  public let json: JSONCursor

  /// The default of `timeout`.
  public static let defaultTimeout: UInt32 = 10

  /// Decodes the configuration of a command: name first, then version, then the rest.
  ///
  /// For DEL a previous result that cannot be read is none, and for DEL and GC an illegal `timeout`
  /// is the default: what an earlier version or another runtime left behind, or a later mistake in
  /// the configuration, must not keep an attachment alive.
  public init(_ json: JSONCursor, for command: Command) throws(CNIError) {
    (name, version) = try Self.identity(json, command)
    self.json = json
    do throws(JSONDecodingError) {
      type = try json["type"].decodeIfPresent() ?? ""
      ipamType = try json["ipam"].isAbsent ? nil : json["ipam"]["type"].decodeIfPresent()
      timeout = try Self.timeout(json["timeout"], command)
      validAttachments = command == .gc ? try Self.validAttachments(json) : nil
      let previous = json["prevResult"]
      switch command {
      case .del: previousResult = try? AttachmentResult(previous, defaultVersion: version)
      case .add, .check:
        previousResult =
          previous.isAbsent ? nil : try AttachmentResult(previous, defaultVersion: version)
      case .gc, .status, .version: previousResult = nil
      }
    } catch { throw CNIError(error) }
    if command == .check, previousResult == nil {
      throw CNIError(.invalidConfiguration, "prevResult: missing; CHECK requires it")
    }
  }

  private static func timeout(_ json: JSONCursor, _ command: Command) throws(JSONDecodingError)
    -> UInt32
  {
    do { return try json.decodeIfPresent(in: 1...3600) ?? defaultTimeout } catch {
      guard command.isReleasing else { throw error }
      return defaultTimeout
    }
  }

  /// The network's name and the version that the configuration is written in.
  private static func identity(_ json: JSONCursor, _ command: Command)
    throws(CNIError) -> (name: String, version: SpecificationVersion)
  {
    let name: String
    let text: String
    do throws(JSONDecodingError) {
      guard json.value?.object != nil else { throw json.expected("an object") }
      name = try json["name"].decodeIfPresent() ?? ""
      text = try json["cniVersion"].decodeIfPresent() ?? ""
    } catch { throw CNIError(error) }
    try Names.checkNetworkName(name)
    let first = SpecificationVersion.v0_1_0
    guard let version = text.isEmpty ? first : SpecificationVersion(rawValue: text) else {
      throw CNIError(
        .incompatibleVersion, "incompatible CNI versions",
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

  /// Either spelling that runtimes use; nil where the runtime did not tell.
  private static func validAttachments(_ json: JSONCursor)
    throws(JSONDecodingError) -> [Attachment]?
  {
    let first = json["cni.dev/valid-attachments"]
    return try (first.isAbsent ? json["cni.dev/attachments"] : first).decodeIfPresent()
  }
}
