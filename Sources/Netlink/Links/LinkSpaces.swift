internal import Addresses
internal import CLinux

// What messages about links hold: one table per space, with the number, the name and the type of
// the value of each attribute.

/// `linux/if_link.h`: `IFLA_…`
enum LinkSpace: AttributeSpace {
  static var names: [AttributeName] {
    [
      known(.mac), .init(IFLA_BROADCAST, "IFLA_BROADCAST"), known(.name), known(.mtu),
      known(.peer), .init(IFLA_QDISC, "IFLA_QDISC"), .init(IFLA_STATS, "IFLA_STATS"),
      known(.master), known(.transmitQueueLength), .init(IFLA_MAP, "IFLA_MAP"),
      known(.operationalState), .init(IFLA_LINKMODE, "IFLA_LINKMODE"), nested(.info), known(.alias),
      .init(IFLA_STATS64, "IFLA_STATS64"), nested(.families), known(.group),
      known(.namespaceDescriptor), known(.filter), known(.promiscuity), known(.transmitQueues),
      known(.receiveQueues), known(.carrier),
      .init(IFLA_CARRIER_CHANGES, "IFLA_CARRIER_CHANGES"), known(.peerNamespace),
      .init(IFLA_PROTO_DOWN, "IFLA_PROTO_DOWN"), .init(IFLA_GSO_MAX_SEGS, "IFLA_GSO_MAX_SEGS"),
      .init(IFLA_GSO_MAX_SIZE, "IFLA_GSO_MAX_SIZE"), nested(.xdp),
      .init(IFLA_CARRIER_UP_COUNT, "IFLA_CARRIER_UP_COUNT"),
      .init(IFLA_CARRIER_DOWN_COUNT, "IFLA_CARRIER_DOWN_COUNT"),
      .init(IFLA_MIN_MTU, "IFLA_MIN_MTU"), .init(IFLA_MAX_MTU, "IFLA_MAX_MTU"),
    ]
  }
}
/// `IFLA_INFO_…`
enum LinkInfoSpace: AttributeSpace {
  // Of what is not a veth link, the data may be anything.
  static var names: [AttributeName] { [known(.kind), nested(.vethData, onlyIfMarked: true)] }
}
/// `linux/veth.h`: `VETH_INFO_…`
enum VethSpace: AttributeSpace {
  static var names: [AttributeName] { [nested(.peer, header: LinkHeader.size)] }
}
/// `IFLA_XDP_…`
enum XDPSpace: AttributeSpace {
  static var names: [AttributeName] {
    [
      known(.descriptor), known(.attached), known(.flags), known(.program), known(.driverProgram),
      .init(IFLA_XDP_SKB_PROG_ID, "IFLA_XDP_SKB_PROG_ID"),
      .init(IFLA_XDP_HW_PROG_ID, "IFLA_XDP_HW_PROG_ID"), known(.expected),
    ]
  }
}
/// What `IFLA_AF_SPEC` holds: one attribute per address family.
enum FamilySpace: AttributeSpace {
  static var names: [AttributeName] { [nested(.ipv4), nested(.ipv6)] }
}
/// `IFLA_INET_…`
enum LinkIPv4Space: AttributeSpace {
  static var names: [AttributeName] { [nested(.settings, onlyIfMarked: true)] }
}
/// What `IFLA_INET_CONF` holds, by the numbers of `linux/ip.h`: `IPV4_DEVCONF_…`
enum LinkIPv4SettingSpace: AttributeSpace {
  static var names: [AttributeName] {
    [
      known(.acceptsRedirects), known(.checksReversePath), known(.ignoreARP),
      known(.announcesByARP),
    ]
  }
}
/// `IFLA_INET6_…`
enum LinkIPv6Space: AttributeSpace {
  static var names: [AttributeName] {
    [
      .init(IFLA_INET6_FLAGS, "IFLA_INET6_FLAGS"), .init(IFLA_INET6_CONF, "IFLA_INET6_CONF"),
      .init(IFLA_INET6_STATS, "IFLA_INET6_STATS"),
      .init(IFLA_INET6_CACHEINFO, "IFLA_INET6_CACHEINFO"),
      .init(IFLA_INET6_ICMP6STATS, "IFLA_INET6_ICMP6STATS"),
      .init(IFLA_INET6_TOKEN, "IFLA_INET6_TOKEN"), known(.addressGeneration),
    ]
  }
}

extension Attribute where Space == LinkSpace, Value == String {
  static var name: Self { .init(IFLA_IFNAME, "IFLA_IFNAME") }
}
extension Attribute where Space == LinkSpace, Value == Unterminated {
  /// With a zero at its end, an alias of 255 bytes would be too long, and an empty one not empty.
  static var alias: Self { .init(IFLA_IFALIAS, "IFLA_IFALIAS") }
}
extension Attribute where Space == LinkSpace, Value == UInt32 {
  /// Bytes.
  static var mtu: Self { .init(IFLA_MTU, "IFLA_MTU") }
  static var group: Self { .init(IFLA_GROUP, "IFLA_GROUP") }
  static var promiscuity: Self { .init(IFLA_PROMISCUITY, "IFLA_PROMISCUITY") }
  /// Of `RTEXT_FILTER_…`: what the answer need not have.
  static var filter: Self { .init(IFLA_EXT_MASK, "IFLA_EXT_MASK") }
  static var transmitQueues: Self { .init(IFLA_NUM_TX_QUEUES, "IFLA_NUM_TX_QUEUES") }
  static var receiveQueues: Self { .init(IFLA_NUM_RX_QUEUES, "IFLA_NUM_RX_QUEUES") }
  /// Frames that may wait in a queueing discipline that has no limit of its own.
  static var transmitQueueLength: Self { .init(IFLA_TXQLEN, "IFLA_TXQLEN") }
}
extension Attribute where Space == LinkSpace, Value == Int32 {
  /// The index of the link this one belongs to: of a veth pair's end, the other.
  static var peer: Self { .init(IFLA_LINK, "IFLA_LINK") }
  /// The number that this namespace has for the one of `peer`; not sent if it is the same.
  static var peerNamespace: Self { .init(IFLA_LINK_NETNSID, "IFLA_LINK_NETNSID") }
  static var master: Self { .init(IFLA_MASTER, "IFLA_MASTER") }
  static var namespaceDescriptor: Self { .init(IFLA_NET_NS_FD, "IFLA_NET_NS_FD") }
}
extension Attribute where Space == LinkSpace, Value == UInt8 {
  static var operationalState: Self { .init(IFLA_OPERSTATE, "IFLA_OPERSTATE") }
  static var carrier: Self { .init(IFLA_CARRIER, "IFLA_CARRIER") }
}
extension Attribute where Space == LinkSpace, Value == MACAddress {
  static var mac: Self { .init(IFLA_ADDRESS, "IFLA_ADDRESS") }
}
extension Attribute where Space == LinkSpace, Value == Nested<LinkInfoSpace> {
  static var info: Self { .init(IFLA_LINKINFO, "IFLA_LINKINFO") }
}
extension Attribute where Space == LinkSpace, Value == Nested<FamilySpace> {
  static var families: Self { .init(IFLA_AF_SPEC, "IFLA_AF_SPEC") }
}
extension Attribute where Space == LinkSpace, Value == Nested<XDPSpace> {
  static var xdp: Self { .init(IFLA_XDP, "IFLA_XDP") }
}
extension Attribute where Space == XDPSpace, Value == Int32 {
  /// An open program; -1 for none.
  static var descriptor: Self { .init(IFLA_XDP_FD, "IFLA_XDP_FD") }
  /// The open program that is to be there before.
  static var expected: Self { .init(IFLA_XDP_EXPECTED_FD, "IFLA_XDP_EXPECTED_FD") }
}
extension Attribute where Space == XDPSpace, Value == UInt32 {
  /// Of `XDP_FLAGS_…`
  static var flags: Self { .init(IFLA_XDP_FLAGS, "IFLA_XDP_FLAGS") }
  /// The number of the program that the driver runs.
  static var driverProgram: Self { .init(IFLA_XDP_DRV_PROG_ID, "IFLA_XDP_DRV_PROG_ID") }
  /// The number of the program that runs where it is the only one.
  static var program: Self { .init(IFLA_XDP_PROG_ID, "IFLA_XDP_PROG_ID") }
}
extension Attribute where Space == XDPSpace, Value == UInt8 {
  /// Of `XDP_ATTACHED_…`: what runs the program.
  static var attached: Self { .init(IFLA_XDP_ATTACHED, "IFLA_XDP_ATTACHED") }
}
extension Attribute where Space == LinkInfoSpace, Value == String {
  static var kind: Self { .init(IFLA_INFO_KIND, "IFLA_INFO_KIND") }
}
extension Attribute where Space == LinkInfoSpace, Value == Nested<VethSpace> {
  static var vethData: Self { .init(IFLA_INFO_DATA, "IFLA_INFO_DATA") }
}
extension Attribute where Space == VethSpace, Value == Nested<LinkSpace> {
  static var peer: Self { .init(VETH_INFO_PEER, "VETH_INFO_PEER") }
}
extension Attribute where Space == FamilySpace, Value == Nested<LinkIPv4Space> {
  static var ipv4: Self { .init(AF_INET, "AF_INET") }
}
extension Attribute where Space == FamilySpace, Value == Nested<LinkIPv6Space> {
  static var ipv6: Self { .init(AF_INET6, "AF_INET6") }
}
extension Attribute where Space == LinkIPv4Space, Value == Nested<LinkIPv4SettingSpace> {
  static var settings: Self { .init(IFLA_INET_CONF, "IFLA_INET_CONF") }
}
extension Attribute where Space == LinkIPv4SettingSpace, Value == UInt32 {
  /// `accept_redirects` of the kernel's ip-sysctl documentation.
  static var acceptsRedirects: Self {
    .init(IPV4_DEVCONF_ACCEPT_REDIRECTS, "IPV4_DEVCONF_ACCEPT_REDIRECTS")
  }
  /// `rp_filter` of the same; 1 is strict.
  static var checksReversePath: Self {
    .init(IPV4_DEVCONF_RP_FILTER, "IPV4_DEVCONF_RP_FILTER")
  }
  /// `arp_ignore` of the same.
  static var ignoreARP: Self { .init(IPV4_DEVCONF_ARP_IGNORE, "IPV4_DEVCONF_ARP_IGNORE") }
  /// `arp_notify` of the same.
  static var announcesByARP: Self { .init(IPV4_DEVCONF_ARP_NOTIFY, "IPV4_DEVCONF_ARP_NOTIFY") }
}
extension Attribute where Space == LinkIPv6Space, Value == UInt8 {
  /// `enum in6_addr_gen_mode`
  static var addressGeneration: Self { .init(IFLA_INET6_ADDR_GEN_MODE, "IFLA_INET6_ADDR_GEN_MODE") }
}
