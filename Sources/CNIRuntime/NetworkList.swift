public import CNI
public import JSON

/// A network configuration list (CNI specification 1.1.0, section 1), read as libcni reads it.
public struct NetworkList: Hashable, Sendable {
  /// The members.
  public enum Member: String, JSONMember {
    case cniVersion, cniVersions, name, disableCheck, disableGC, loadOnlyInlinedPlugins, plugins
  }
  /// The network's name.
  public let name: String
  /// The version its plugins are run with, as written; empty means 0.1.0.
  public let version: String
  /// CHECK is to do nothing.
  public let isCheckDisabled: Bool
  /// GC is to do nothing.
  public let isGCDisabled: Bool
  /// No plugins from the directory that is named as the network.
  public let hasOnlyInlinedPlugins: Bool
  /// In the order of ADD.
  public internal(set) var plugins: [PluginEntry]
  /// The text of the list, as it is kept with a result.
  public let text: [UInt8]

  /// Reads a list from its text; the error is a sentence.
  ///
  /// There may be no plugins in it: others can come from files beside it.
  public init(parsing text: [UInt8]) throws(ListError) {
    let json: JSONCursor
    do { json = JSONCursor(try JSONValue(parsing: text)) } catch {
      throw ListError("error parsing configuration list: \(error)")
    }
    do throws(JSONDecodingError) { try self.init(json, text: text) } catch {
      throw ListError("error parsing configuration list: \(error)")
    }
  }

  /// A list of the one plugin that `text`, a network configuration without `plugins`, is.
  public init(parsingSingle text: [UInt8]) throws(ListError) {
    let plugin = try PluginEntry(parsing: text)
    let json = JSONCursor(.object(plugin.json))
    do throws(JSONDecodingError) {
      let version: String = try json[PluginMember.cniVersion].decodeIfPresent() ?? ""
      let list: JSONValue = [
        Member.name.rawValue: .string(plugin.name ?? ""),
        Member.cniVersion.rawValue: .string(version),
        Member.plugins.rawValue: [.object(plugin.json)],
      ]
      try self.init(JSONCursor(list), text: list.asGoMap.goEncoded())
    } catch { throw ListError("error parsing configuration: \(error)") }
  }

  private init(_ json: JSONCursor, text: [UInt8]) throws(JSONDecodingError) {
    guard let object = json.value?.object else { throw json.expected("an object") }
    // The case of letters counts in members of the list itself, and does not in those of plugins.
    func member(_ name: Member) -> JSONCursor? { object[name] == nil ? nil : json[name] }
    func flag(_ name: Member) throws(JSONDecodingError) -> Bool {
      guard let json = member(name) else { return false }
      switch json.value {
      case .bool(let value): return value
      case .string(let text) where text.lowercased() == "true": return true
      case .string(let text) where text.lowercased() == "false": return false
      default: throw json.expected("true, false, \"true\" or \"false\"")
      }
    }
    guard let name = member(.name) else {
      throw JSONDecodingError(path: JSONPath(), reason: "no name")
    }
    self.name = try name.decode()
    version = try Self.version(member(.cniVersion), member(.cniVersions))
    isCheckDisabled = try flag(.disableCheck)
    isGCDisabled = try flag(.disableGC)
    hasOnlyInlinedPlugins = try flag(.loadOnlyInlinedPlugins)
    self.text = text
    plugins = []
    guard let list = member(.plugins) else {
      guard !hasOnlyInlinedPlugins else {
        throw JSONDecodingError(
          path: JSONPath(), reason: "`loadOnlyInlinedPlugins` is true, and no 'plugins' key")
      }
      return
    }
    let elements = try list.elements
    guard !elements.isEmpty else {
      throw JSONDecodingError(path: JSONPath(), reason: "no plugins in list")
    }
    for element in elements { plugins.append(try PluginEntry(element)) }
  }

  /// The highest of `cniVersion` and `cniVersions` that is not newer than this runtime; only
  /// `cniVersion` where there is nothing to choose from.
  private static func version(_ single: JSONCursor?, _ several: JSONCursor?)
    throws(JSONDecodingError) -> String
  {
    let stated: String = try single?.decode() ?? ""
    guard let several else { return stated }
    var highest: VersionNumber?
    for element in try several.elements + (stated.isEmpty ? [] : [single].compactMap { $0 }) {
      let text: String = try element.decode()
      guard let number = VersionNumber(text) else {
        throw element.error("\"\(text)\" is not a version; write it as 1.1.0")
      }
      if number <= .current { highest = max(highest ?? number, number) }
    }
    return highest?.text ?? stated
  }

  /// Whether the list's version of the specification has `command`. That of a version that cannot
  /// be read is for the plugins to refuse.
  public func has(_ command: Command) -> Bool {
    guard let own = VersionNumber(version), let since = VersionNumber(command.since.rawValue) else {
      return true
    }
    return own >= since
  }
}

/// A plugin of a chain.
public struct PluginEntry: Hashable, Sendable {
  /// The plugin's executable.
  public let type: String
  /// `name`, which plugins of a list seldom have.
  public let name: String?
  /// The capabilities that it declares and has switched on.
  public let capabilities: [String]
  /// The whole of it.
  public let json: JSONObject

  /// Reads one plugin's own file.
  public init(parsing text: [UInt8]) throws(ListError) {
    let json: JSONCursor
    do { json = JSONCursor(try JSONValue(parsing: text)) } catch {
      throw ListError("error parsing configuration: \(error)")
    }
    do throws(JSONDecodingError) { try self.init(json) } catch {
      throw ListError("error parsing configuration: \(error)")
    }
  }

  init(_ json: JSONCursor) throws(JSONDecodingError) {
    guard let object = json.value?.object else { throw json.expected("an object") }
    self.json = object
    type = try json[PluginMember.type].decodeIfPresent() ?? ""
    guard !type.isEmpty else { throw json.error("missing 'type'") }
    let name: String? = try json[PluginMember.name].decodeIfPresent()
    self.name = name?.isEmpty == true ? nil : name
    var capabilities: [String] = []
    if !json[PluginMember.capabilities].isAbsent {
      for (name, value) in try json[PluginMember.capabilities].members {
        if try value.decodeIfPresent() ?? false { capabilities.append(name) }
      }
    }
    self.capabilities = capabilities
  }
}

/// A text that is no network configuration, said in a sentence.
public struct ListError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was attempted, where, and why not.
  public let description: String
  init(_ description: String) { self.description = description }
}

/// A version of the specification, also one that is not known, as libcni compares them.
struct VersionNumber: Hashable, Comparable {
  let text: String
  private let parts: [Int]

  /// `1`, `1.1` or `1.1.0`; the empty text is 0.1.0.
  init?(_ text: String) {
    self.text = text
    let words = (text.isEmpty ? "0.1.0" : text).split(
      separator: ".", omittingEmptySubsequences: false)
    let numbers = words.compactMap { $0.utf8.first == UInt8(ascii: "+") ? nil : Int($0) }
    guard numbers.count == words.count, numbers.count <= 3, numbers.allSatisfy({ $0 >= 0 }) else {
      return nil
    }
    parts = numbers + Array(repeating: 0, count: 3 - numbers.count)
  }

  private init(_ version: SpecificationVersion) {
    text = version.rawValue
    parts = text.split(separator: ".").compactMap { Int($0) }
  }

  static let current = VersionNumber(SpecificationVersion.current)

  static func == (left: VersionNumber, right: VersionNumber) -> Bool { left.parts == right.parts }
  static func < (left: VersionNumber, right: VersionNumber) -> Bool {
    left.parts.lexicographicallyPrecedes(right.parts)
  }
  func hash(into hasher: inout Hasher) { hasher.combine(parts) }
}
