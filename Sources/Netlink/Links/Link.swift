public import Addresses
internal import CLinux

/// Which link is meant.
public enum LinkReference: Hashable, Sendable, CustomStringConvertible {
  /// By its index, which is unique in its namespace and never 0.
  case index(Int32)
  /// By its name.
  case named(String)

  /// `link "veth1"`, or `the link`, which the caller names.
  public var description: String {
    switch self {
    case .index: "the link"
    case .named(let name): "link \"\(name)\""
    }
  }
}

/// A link as the kernel reports it.
public struct Link: Hashable, Sendable {
  /// `operstate` (RFC 2863 §3.1.14); the values are those of `linux/if.h`.
  public enum OperationalState: UInt8, Sendable {
    /// `IF_OPER_UNKNOWN`: its driver does not tell, as that of `lo`.
    case unknown = 0
    /// `IF_OPER_NOTPRESENT`
    case notPresent = 1
    /// `IF_OPER_DOWN`
    case down = 2
    /// `IF_OPER_LOWERLAYERDOWN`: the link below is down, of a veth pair the other end.
    case lowerLayerDown = 3
    /// `IF_OPER_TESTING`
    case testing = 4
    /// `IF_OPER_DORMANT`
    case dormant = 5
    /// `IF_OPER_UP`
    case up = 6
  }

  /// Unique in its namespace.
  public let index: Int32
  /// Unique in its namespace.
  public let name: String
  /// `ifalias`; nil if it has none.
  public let alias: String?
  /// Bytes.
  public let mtu: UInt32
  /// Nil if it has none of six bytes.
  public let mac: MACAddress?
  /// All of `IFF_…`.
  public let flags: UInt32
  /// Whether packets pass, as far as the driver tells.
  public let operationalState: OperationalState
  /// Whether the other end is there and up.
  public let hasCarrier: Bool
  /// `veth`, `bridge`, `openvswitch`, …; nil for one that was not made by netlink, as `lo`.
  public let kind: String?
  /// The index of the other end of a veth pair, in its namespace; nil if there is none.
  public let peerIndex: Int32?
  /// The number by which this namespace knows the one of `peerIndex`; nil if it is the same one.
  public let peerNamespaceID: Int32?
  /// The index of the bridge or bond it is a port of; `ovs-system` for a port of Open vSwitch's
  /// kernel datapath. Nil if there is none.
  public let master: Int32?
  /// `ip link set … group`; 0 is `default`.
  public let group: UInt32
  /// How many want all frames that the link receives (`IFLA_PROMISCUITY`): one for a datapath of
  /// Open vSwitch whose port it is, one for each program that captures.
  public let promiscuity: UInt32
  /// The number of the XDP program that the link's driver runs on what it receives; nil if none.
  public let program: UInt32?

  /// Whether it was told to receive all frames (`IFF_PROMISC`); those that are counted by
  /// `promiscuity` do not show here.
  public var isPromiscuous: Bool { flags & UInt32(IFF_PROMISC) != 0 }
  /// Whether it was switched on (`IFF_UP`). Whether packets pass is `operationalState`.
  public var isUp: Bool { flags & UInt32(IFF_UP) != 0 }
  /// `IFF_LOOPBACK`
  public var isLoopback: Bool { flags & UInt32(IFF_LOOPBACK) != 0 }
}

extension Link: Reported {
  static var answerType: UInt16 { UInt16(RTM_NEWLINK) }

  static func decode(_ body: ArraySlice<UInt8>, into links: inout [Link]) throws(NetlinkError) {
    links.append(try Link(body))
  }

  init(_ body: ArraySlice<UInt8>) throws(NetlinkError) {
    let header = try LinkHeader(body)
    let attributes = try Attributes<LinkSpace>(body.dropFirst(LinkHeader.size))
    index = header.index
    flags = header.flags
    name = try attributes[.name] ?? ""
    alias = try attributes[.alias]?.text
    mtu = try attributes[.mtu] ?? 0
    // Tunnels have addresses of 4 bytes, InfiniBand of 20: those are not errors.
    mac = attributes.payload(UInt16(IFLA_ADDRESS)).flatMap { MACAddress(bytes: Array($0)) }
    operationalState =
      OperationalState(rawValue: try attributes[.operationalState] ?? 0) ?? .unknown
    hasCarrier = try attributes[.carrier] ?? 0 != 0
    kind = try attributes[.info]?[.kind]
    let peer = try attributes[.peer]
    peerIndex = peer == 0 ? nil : peer
    peerNamespaceID = try attributes[.peerNamespace]
    master = try attributes[.master]
    group = try attributes[.group] ?? 0
    promiscuity = try attributes[.promiscuity] ?? 0
    let xdp = try attributes[.xdp]
    let isDriver = try xdp?[.attached] == UInt8(XDP_ATTACHED_DRV)
    let sole = try xdp?[.program]
    // Before Linux 4.19 there is no attribute for the driver's own.
    program = try xdp?[.driverProgram] ?? (isDriver ? sole : nil)
  }
}

extension Link {
  /// Whether the kernel gives a link the name `name` as it stands, which is of legal length and
  /// characters: `%` is a pattern to it (`__dev_alloc_name()`), and `all` and `default` are its own
  /// names among the settings of links (`sysctl_dev_name_is_allowed()`).
  public static func mayBeNamed(_ name: String) -> Bool {
    name != "all" && name != "default" && !name.utf8.contains(UInt8(ascii: "%"))
  }
}
