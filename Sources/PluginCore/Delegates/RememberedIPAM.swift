internal import CNI
public import JSON
internal import PluginConfigurations

/// What DEL and GC of an IPAM plugin need of its configuration, as it was at ADD.
///
/// A runtime may hand DEL a configuration without the members that it does not know, and an
/// administrator may change it while attachments exist.
public struct RememberedIPAM: Hashable, Sendable {
  /// The members of `ipam`, as JSON in one line.
  public let text: String
  private let members: JSONObject

  /// Bytes.
  private static let limit = 1024

  /// The members of `ipam`: all of them where they have room, otherwise the type, then the others
  /// from the shortest to the longest. Nil without a type.
  public init?(_ ipam: JSONCursor) {
    guard case .object(let object)? = ipam.value, let type = ipam[IPAMMember.type].value?.text,
      !type.isEmpty
    else { return nil }
    var members = JSONObject([(IPAMMember.type.rawValue, .string(type))])
    var size = JSONValue.object(members).encoded().count
    let others = object.others(than: [IPAMMember.type.rawValue]).members.map {
      (name: $0.name, value: $0.value, size: $0.name.utf8.count + $0.value.encoded().count + 4)
    }
    for member in others.sorted(by: { $0.size < $1.size }) {
      size += member.size
      guard size <= Self.limit else { break }
      members[member.name] = member.value
    }
    let text = JSONValue.object(members).encoded()
    guard text.count <= Self.limit else { return nil }
    self.members = members
    self.text = String(decoding: text, as: UTF8.self)
  }

  /// Reads what a row says; nil if that is not the `ipam` of a configuration. Others than this
  /// plugin can write there.
  public init?(text: String) {
    guard text.utf8.count <= Self.limit, let value = try? JSONValue(parsing: Array(text.utf8)),
      case .object(let members) = value, let type = members[IPAMMember.type]?.text, !type.isEmpty,
      !type.utf8.contains(UInt8(ascii: "/"))
    else { return nil }
    if let directory = members[HostLocalConfiguration.Member.dataDir] {
      guard let path = directory.text, path.isEmpty || path.hasPrefix("/") else { return nil }
    }
    self.text = text
    self.members = members
  }

  /// The plugin's type.
  public var type: String { members[IPAMMember.type]?.text ?? "" }

  /// `configuration` with these members of `ipam`, which come before its own. Of an `ipam` of
  /// another type, nothing is left.
  public func merged(into configuration: JSONCursor) -> JSONCursor {
    guard case .object(var object)? = configuration.value else { return configuration }
    var ipam = members
    let own = configuration[PluginMember.ipam]
    if case .object(let others)? = own.value,
      own[IPAMMember.type].isAbsent || own[IPAMMember.type].value?.text == type
    {
      for member in others.others(than: ipam.members.map { $0.name }).members {
        ipam[member.name] = member.value
      }
    }
    object[PluginMember.ipam] = .object(ipam)
    return JSONCursor(.object(object))
  }
}
