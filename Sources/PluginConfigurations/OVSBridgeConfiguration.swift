public import Addresses
public import CNI
public import JSON
public import OVSDB

/// The members of an `ovs-bridge` configuration, all legal. Where a member of the reference OVS
/// plugin or of the reference bridge plugin is named here, it means the same.
public struct OVSBridgeConfiguration: Hashable, Sendable, JSONDecodable {
  /// Members that a port of OVN's integration bridge can have as well.
  public enum PortMember: String, JSONMember {
    case mtu, mac, acceptRA, bandwidth, enableDAD, promisc
    case socketFile = "socket_file"
    case externalIDs = "external_ids"
  }
  /// Members of a port of another bridge, besides those of `PortVLANs`, `GuardConfiguration` and
  /// `UnsupportedMember`.
  public enum Member: String, JSONMember {
    case bridge, createBridge, datapath, isGateway, isDefaultGateway, forceAddress, ipMasq, forward
    case portIsolation, stp, disableContainerInterface
    case openFlowPort = "ofport_request"
    case interfaceType = "interface_type"
    case linkStateRetries = "link_state_check_retries"
    case linkStateInterval = "link_state_check_interval"
  }
  /// What forwards the frames of a bridge that is made: `Bridge.datapath_type`.
  public enum Datapath: String, Hashable, Sendable, CaseIterable, JSONDecodable {
    /// `system` where the kernel has Open vSwitch, else `netdev`.
    case auto
    /// The kernel module.
    case system
    /// ovs-vswitchd itself.
    case netdev
  }
  /// What becomes of forward chains of this host's own firewall that would drop the network's
  /// traffic.
  public enum Forward: String, Hashable, Sendable, CaseIterable, JSONDecodable {
    /// They let it pass.
    case accept
    /// They stay as they are.
    case leave
  }
  /// A pair of `external_ids`.
  public struct ExternalID: Hashable, Sendable {
    /// None that `ExternalIDKey` reserves.
    public let key: String
    /// Any text.
    public let value: String
  }
  /// The bridge's name; nil: `br-int`, which only an OVN port allows.
  public let bridge: String?
  /// Whether the bridge is OVN's own, which ovn-controller makes.
  public let isIntegrationBridge: Bool
  /// Whether a bridge that is missing is made.
  public let createBridge: Bool
  /// Used only when the bridge is made.
  public let datapath: Datapath
  /// How the port treats VLANs.
  public let vlans: PortVLANs
  /// Bytes, of both ends; nil: that of the bridge.
  public let mtu: UInt32?
  /// Of the container end; nil: derived or the kernel's. What the runtime requests comes before it.
  public let mac: MACAddress?
  /// Where ovsdb-server listens.
  public let endpoint: Endpoint
  /// Whether the bridge, or a port of the VLAN, gets the gateway's addresses.
  public let isGateway: Bool
  /// Whether the container's default routes lead there too.
  public let isDefaultGateway: Bool
  /// Whether other addresses on the gateway port give way.
  public let forceAddress: Bool
  /// Whether what leaves the network is masqueraded.
  public let ipMasq: Bool
  /// Of a gateway.
  public let forward: Forward
  /// Whether the port reaches only ports that are not isolated: `Port.protected`.
  public let portIsolation: Bool
  /// Nil where nothing is policed.
  public let guarded: GuardConfiguration?
  /// Nil where nothing is limited.
  public let bandwidth: Bandwidth?
  /// `Interface.ofport_request`, 1…65279; nil: any.
  public let openFlowPort: UInt16?
  /// `Interface.type`; nil: none, which is a link of the system.
  public let interfaceType: String?
  /// Milliseconds that the port may take to come up; nil: until the deadline.
  public let linkStateTimeout: Int64?
  /// Added to Port and Interface, in the order written.
  public let externalIDs: [ExternalID]
  /// Whether the kernel looks for duplicates of IPv6 addresses, which delays their use.
  public let enableDAD: Bool
  /// Whether spanning tree protocols decide when the port forwards, rather than that it is an edge.
  public let spanningTree: Bool
  /// Whether the container end takes router advertisements; nil: not with IPAM, else as the kernel
  /// has it.
  public let acceptsRouterAdvertisements: Bool?
  /// Whether the container end receives all frames, not only its own.
  public let promisc: Bool
  /// Whether the container end stays down.
  public let disableContainerInterface: Bool
  /// What replaces the DNS settings of IPAM; nil: nothing.
  public let dns: DNS?

  /// Decodes the members; those of other plugins are passed over.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    try self.init(json, integrationBridge: nil)
  }

  /// Decodes the members; those of other plugins are passed over.
  ///
  /// - Parameter integrationBridge: The bridge whose ports OVN forwards between: what a bridge of
  ///   our own can do besides is no member there. Nil for one of our own.
  init(_ json: JSONCursor, integrationBridge: String?) throws(JSONDecodingError) {
    let own = integrationBridge == nil ? json : JSONCursor(.object(JSONObject([])))
    func flag(_ member: PortMember) throws(JSONDecodingError) -> Bool {
      try json[member].decodeIfPresent() ?? false
    }
    func ownFlag(_ member: Member, default value: Bool = false) throws(JSONDecodingError) -> Bool {
      try own[member].decodeIfPresent() ?? value
    }
    let named = try Self.bridgeName(own[Member.bridge])
    bridge = integrationBridge ?? named
    isIntegrationBridge = integrationBridge != nil
    createBridge = try ownFlag(.createBridge, default: integrationBridge == nil)
    datapath = try own[Member.datapath].decodeIfPresent() ?? .auto
    vlans = try PortVLANs(own)
    // 0 is the kernel's in the reference plugins.
    mtu =
      json[PortMember.mtu].value == 0
      ? nil : try json[PortMember.mtu].decodeIfPresent(in: 68...65535)
    mac = try json[PortMember.mac].value == "" ? nil : json[PortMember.mac].decodeIfPresent()
    endpoint = try Self.endpoint(json[PortMember.socketFile])
    isDefaultGateway = try ownFlag(.isDefaultGateway)
    isGateway = try ownFlag(.isGateway) || isDefaultGateway
    forceAddress = try ownFlag(.forceAddress)
    ipMasq = try ownFlag(.ipMasq)
    forward = try own[Member.forward].decodeIfPresent() ?? .accept
    portIsolation = try ownFlag(.portIsolation)
    guarded = try GuardConfiguration.decode(own)
    let bandwidth: Bandwidth? = try json[PortMember.bandwidth].decodeIfPresent()
    let requested: Bandwidth? = try json[PluginMember.runtimeConfig][Capability.bandwidth]
      .decodeIfPresent()
    self.bandwidth = (requested ?? bandwidth).flatMap { $0.isEmpty ? nil : $0 }
    openFlowPort =
      own[Member.openFlowPort].value == 0
      ? nil : try own[Member.openFlowPort].decodeIfPresent(in: 1...65279)
    interfaceType = try Self.interfaceType(own[Member.interfaceType])
    linkStateTimeout = try Self.linkStateTimeout(own)
    externalIDs = try Self.externalIDs(json[PortMember.externalIDs])
    enableDAD = try flag(.enableDAD)
    spanningTree = try ownFlag(.stp)
    acceptsRouterAdvertisements = try json[PortMember.acceptRA].decodeIfPresent()
    promisc = try flag(.promisc)
    disableContainerInterface = try ownFlag(.disableContainerInterface)
    let dns: DNS? = try json[PluginMember.dns].decodeIfPresent()
    self.dns = dns.flatMap { $0.isEmpty ? nil : $0 }
    if disableContainerInterface, let type = json[PluginMember.ipam][IPAMMember.type].value?.text,
      !type.isEmpty
    {
      throw json[Member.disableContainerInterface].error(
        "cannot use IPAM when DisableContainerInterface flag is set")
    }
    if let mtu, mtu < Self.smallestIPv6MTU, Self.hasIPv6(json[PluginMember.ipam]) {
      throw json[PortMember.mtu].error(
        "\(mtu) is less than 1280, which IPv6 needs (RFC 8200 section 5)")
    }
    try RouteFaults.check(json)
    if isGateway { try ConfiguredRanges.requireGateways(json) }
    if guarded != nil, let interfaceType, interfaceType != "system" {
      throw json[Member.interfaceType].error(
        "\"\(interfaceType)\" and a guard exclude each other: a guard is on the host end of a veth "
          + "pair, which only an interface of type \"\" or \"system\" uses")
    }
    if vlans.mode == .dot1qTunnel, isGateway {
      throw json[Member.isGateway].error(
        "a gateway and vlanMode \"dot1q-tunnel\" exclude each other")
    }
  }

  /// Bytes that a link must carry for IPv6; the kernel switches IPv6 off below it.
  public static let smallestIPv6MTU: UInt32 = 1280

  /// Whether the configuration itself names addresses or ranges of IPv6.
  private static func hasIPv6(_ ipam: JSONCursor) -> Bool {
    func isIPv6(_ json: JSONValue?) -> Bool {
      json?.text?.utf8.contains(UInt8(ascii: ":")) ?? false
    }
    let sets = ipam[HostLocalConfiguration.Member.ranges].value?.array ?? []
    return isIPv6(ipam[AddressRange.Member.subnet].value)
      || sets.contains { $0.array?.contains { isIPv6($0[AddressRange.Member.subnet]) } ?? false }
      || (ipam[StaticConfiguration.Member.addresses].value?.array ?? []).contains {
        isIPv6($0[StaticConfiguration.AddressMember.address])
      }
  }

  /// Where ovsdb-server listens; the default where `json` is absent or empty.
  public static func endpoint(_ json: JSONCursor) throws(JSONDecodingError) -> Endpoint {
    let text: String = try json.decodeIfPresent() ?? ""
    if text.isEmpty { return .standard }
    do throws(OVSDBError) { return try Endpoint(text) } catch {
      throw json.error(error.description)
    }
  }

  /// A name that ovs-vswitchd can give to the bridge's internal port, which is a link.
  static func bridgeName(_ json: JSONCursor) throws(JSONDecodingError) -> String? {
    guard let name: String = try json.decodeIfPresent(), !name.isEmpty else { return nil }
    do throws(CNIError) { try Names.checkInterfaceName(name) } catch {
      throw json.error(
        "\"\(name)\" is not a bridge name: 1…15 bytes, without \"/\", \":\" and white space, "
          + "not \".\" or \"..\"")
    }
    return name
  }

  /// What ovs-vswitchd does not know it refuses itself.
  private static func interfaceType(_ json: JSONCursor) throws(JSONDecodingError) -> String? {
    guard let type: String = try json.decodeIfPresent(), !type.isEmpty else { return nil }
    // ovs-vswitchd.conf.db(5), Interface: type.
    let linkless = [
      "internal", "tap", "patch", "geneve", "vxlan", "gre", "ip6gre", "erspan", "ip6erspan", "gtpu",
      "bareudp", "srv6", "lisp", "stt",
    ]
    guard !linkless.contains(type) else {
      throw json.error(
        "a port of type \"\(type)\" has no link of a container; \"\" and \"system\" have")
    }
    return type
  }

  private static func linkStateTimeout(_ json: JSONCursor) throws(JSONDecodingError) -> Int64? {
    let legal: ClosedRange<Int64> = 0...1_000_000
    let retries: Int64? = try json[Member.linkStateRetries].decodeIfPresent(in: legal)
    let interval: Int64? = try json[Member.linkStateInterval].decodeIfPresent(in: legal)
    if retries == nil, interval == nil { return nil }
    // The reference's defaults: 5 times 600 ms. A product of 0 is its way of leaving them out.
    let product =
      (retries.flatMap { $0 == 0 ? nil : $0 } ?? 5)
      * (interval.flatMap { $0 == 0 ? nil : $0 } ?? 600)
    return product
  }

  private static func externalIDs(_ json: JSONCursor) throws(JSONDecodingError)
    -> [ExternalID]
  {
    guard !json.isAbsent else { return [] }
    var pairs: [ExternalID] = []
    for (name, value) in try json.members {
      if ExternalIDKey.isReserved(name) {
        throw value.error("this key is written by the plugin; choose another")
      }
      pairs.append(ExternalID(key: name, value: try value.decode()))
    }
    return pairs
  }
}
