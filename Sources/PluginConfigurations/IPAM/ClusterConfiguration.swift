public import CNI
public import JSON
public import OVSDB

/// The members of a configuration with `"ipam": {"type": "cluster"}`, all legal: those of
/// `host-local`, but for `dataDir`, and where the database is.
public struct ClusterConfiguration: Hashable, Sendable {
  /// Members of `ipam` besides those of `host-local`.
  public enum Member: String, JSONMember {
    case database, host
  }
  /// `database`: where the members of the database listen, in the order in which they are tried.
  /// Not empty.
  public let database: [Endpoint]
  /// `host`: this host's name; nil: that of Open vSwitch, else the machine ID.
  public let host: String?
  /// Ranges and all else. Without ranges where it was decoded for releasing.
  public let addresses: HostLocalConfiguration

  /// Where the database of this host, or the relay to it, listens where nothing is said.
  public static let defaultDatabase = SharedDatabase.addresses.relay

  /// Decodes all members.
  ///
  /// - Parameter command: As in `HostLocalConfiguration`.
  public init(_ json: JSONCursor, for command: Command = .add) throws(JSONDecodingError) {
    addresses = try HostLocalConfiguration(json, for: command)
    let ipam = json[PluginMember.ipam]
    database = try Self.endpoints(ipam[Member.database])
    host = try HostName.decode(ipam[Member.host])
    guard addresses.sets.count <= Self.setLimit else {
      throw ipam[HostLocalConfiguration.Member.ranges].error(
        "\(addresses.sets.count) range sets are too many; at most \(Self.setLimit) are legal")
    }
  }

  /// Decodes what releasing needs.
  public init(forReleasing json: JSONCursor) throws(JSONDecodingError) {
    addresses = HostLocalConfiguration(forReleasing: json)
    database = try Self.endpoints(json[PluginMember.ipam][Member.database])
    host = try HostName.decode(json[PluginMember.ipam][Member.host])
  }

  /// Addresses that one attachment may have: each has a row.
  private static let setLimit = 16

  private static func endpoints(_ json: JSONCursor) throws(JSONDecodingError) -> [Endpoint] {
    let list = try SharedDatabase.addresses.endpoints(json)
    return list.isEmpty ? [defaultDatabase] : list
  }
}
