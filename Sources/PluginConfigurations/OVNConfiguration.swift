public import JSON
public import OVSDB

/// The members of an `ovn` configuration, all legal.
public struct OVNConfiguration: Hashable, Sendable {
  /// The members besides those of `OVSBridgeConfiguration.PortMember`.
  public enum Member: String, JSONMember {
    case `switch`
    case northbound = "nb"
    case integrationBridge, portSecurity, portGroups, host
  }
  /// `switch`: the logical switch; empty where only ports that were made beforehand are attached.
  public let logicalSwitch: String
  /// `nb`: where the members of the northbound database, or a relay to them, listen, in the order
  /// in which they are tried. Not empty.
  public let northbound: [Endpoint]
  /// Whether the container sends from its own addresses only.
  public let portSecurity: Bool
  /// The port groups that the port joins.
  public let portGroups: [String]
  /// This host's name; nil: Open vSwitch's `system-id`.
  public let host: String?
  /// What the port of the integration bridge is to be.
  public let port: OVSBridgeConfiguration

  /// Where OVN's packages put the socket.
  public static let defaultNorthbound = Endpoint.unix("/var/run/ovn/ovnnb_db.sock")
  /// OVN's own default.
  public static let defaultBridge = "br-int"
  /// Seconds: an election of the northbound database and one of ovn-northd take half of it.
  public static let defaultTimeout: UInt32 = 30

  /// Decodes all members.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    let name: String? = try json[Member.switch].decodeIfPresent()
    if name == "" { throw json[Member.switch].expected("the name of a logical switch") }
    logicalSwitch = name ?? ""
    northbound = try Self.endpoints(json)
    portSecurity = try json[Member.portSecurity].decodeIfPresent() ?? true
    portGroups = try json[Member.portGroups].decodeIfPresent() ?? []
    host = try HostName.decode(json[Member.host])
    let bridge = try OVSBridgeConfiguration.bridgeName(json[Member.integrationBridge])
    port = try OVSBridgeConfiguration(json, integrationBridge: bridge ?? Self.defaultBridge)
  }

  /// Whether the configuration names no switch, so that only ports made beforehand can be attached.
  public var needsPreset: Bool { logicalSwitch.isEmpty }

  private static func endpoints(_ json: JSONCursor) throws(JSONDecodingError) -> [Endpoint] {
    let list = try SharedDatabase.northbound.endpoints(json[Member.northbound])
    return list.isEmpty ? [defaultNorthbound] : list
  }

  /// What releasing needs: where the database is, and this host's name.
  public struct Place: Hashable, Sendable {
    /// `nb`
    public let northbound: [Endpoint]
    /// `host`
    public let host: String?
  }

  /// Decodes what releasing needs. No mistake in another member may keep a container alive.
  public static func place(_ json: JSONCursor) throws(JSONDecodingError) -> Place {
    Place(northbound: try endpoints(json), host: try HostName.decode(json[Member.host]))
  }
}
