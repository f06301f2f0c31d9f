internal import Addresses
internal import CLinux

// One table per space: the attribute's number and the type of its value.

/// `linux/if_link.h`: `IFLA_…`
enum LinkSpace {}
/// `IFLA_INFO_…`
enum LinkInfoSpace {}
/// `linux/veth.h`: `VETH_INFO_…`
enum VethSpace {}
/// What `IFLA_AF_SPEC` holds: one attribute per address family.
enum FamilySpace {}
/// `IFLA_INET_…`
enum LinkIPv4Space {}
/// What `IFLA_INET_CONF` holds, by the numbers of `linux/ip.h`: `IPV4_DEVCONF_…`
enum LinkIPv4SettingSpace {}
/// `IFLA_INET6_…`
enum LinkIPv6Space {}
/// `linux/if_addr.h`: `IFA_…`
enum AddressSpace {}
/// `linux/rtnetlink.h`: `RTA_…`
enum RouteSpace {}
/// `RTAX_…`
enum MetricSpace {}
/// `linux/netlink.h`: `NLMSGERR_ATTR_…`
enum AcknowledgementSpace {}
/// `linux/genetlink.h`: `CTRL_ATTR_…`
enum FamilyNameSpace {}

extension Attribute where Space == LinkSpace, Value == String {
  static var name: Self { .init(IFLA_IFNAME) }
}
extension Attribute where Space == LinkSpace, Value == Unterminated {
  /// With a zero at its end, an alias of 255 octets would be too long, and an empty one not empty.
  static var alias: Self { .init(IFLA_IFALIAS) }
}
extension Attribute where Space == LinkSpace, Value == UInt32 {
  /// Octets.
  static var mtu: Self { .init(IFLA_MTU) }
  static var group: Self { .init(IFLA_GROUP) }
  static var promiscuity: Self { .init(IFLA_PROMISCUITY) }
  /// Of `RTEXT_FILTER_…`: what the answer need not have.
  static var filter: Self { .init(IFLA_EXT_MASK) }
  static var transmitQueues: Self { .init(IFLA_NUM_TX_QUEUES) }
  static var receiveQueues: Self { .init(IFLA_NUM_RX_QUEUES) }
  /// Frames that may wait in a queueing discipline that has no limit of its own.
  static var transmitQueueLength: Self { .init(IFLA_TXQLEN) }
}
extension Attribute where Space == LinkSpace, Value == Int32 {
  /// The index of the link this one belongs to: of a veth pair's end, the other.
  static var peer: Self { .init(IFLA_LINK) }
  /// The number that this namespace has for the one of `peer`; not sent if it is the same.
  static var peerNamespace: Self { .init(IFLA_LINK_NETNSID) }
  static var master: Self { .init(IFLA_MASTER) }
  static var namespaceDescriptor: Self { .init(IFLA_NET_NS_FD) }
}
extension Attribute where Space == LinkSpace, Value == UInt8 {
  static var operationalState: Self { .init(IFLA_OPERSTATE) }
  static var carrier: Self { .init(IFLA_CARRIER) }
}
extension Attribute where Space == LinkSpace, Value == MACAddress {
  static var mac: Self { .init(IFLA_ADDRESS) }
}
extension Attribute where Space == LinkSpace, Value == Nested<LinkInfoSpace> {
  static var info: Self { .init(IFLA_LINKINFO) }
}
extension Attribute where Space == LinkSpace, Value == Nested<FamilySpace> {
  static var families: Self { .init(IFLA_AF_SPEC) }
}
extension Attribute where Space == LinkInfoSpace, Value == String {
  static var kind: Self { .init(IFLA_INFO_KIND) }
}
extension Attribute where Space == LinkInfoSpace, Value == Nested<VethSpace> {
  static var vethData: Self { .init(IFLA_INFO_DATA) }
}
extension Attribute where Space == VethSpace, Value == Nested<LinkSpace> {
  static var peer: Self { .init(VETH_INFO_PEER) }
}
extension Attribute where Space == FamilySpace, Value == Nested<LinkIPv4Space> {
  static var ipv4: Self { .init(AF_INET) }
}
extension Attribute where Space == FamilySpace, Value == Nested<LinkIPv6Space> {
  static var ipv6: Self { .init(AF_INET6) }
}
extension Attribute where Space == LinkIPv4Space, Value == Nested<LinkIPv4SettingSpace> {
  static var settings: Self { .init(IFLA_INET_CONF) }
}
extension Attribute where Space == LinkIPv4SettingSpace, Value == UInt32 {
  /// `accept_redirects` of the kernel's ip-sysctl documentation.
  static var acceptsRedirects: Self { .init(IPV4_DEVCONF_ACCEPT_REDIRECTS) }
  /// `rp_filter` of the same; 1 is strict.
  static var checksReversePath: Self { .init(IPV4_DEVCONF_RP_FILTER) }
  /// `arp_ignore` of the same.
  static var ignoreARP: Self { .init(IPV4_DEVCONF_ARP_IGNORE) }
  /// `arp_notify` of the same.
  static var announcesByARP: Self { .init(IPV4_DEVCONF_ARP_NOTIFY) }
}
extension Attribute where Space == LinkIPv6Space, Value == UInt8 {
  /// `enum in6_addr_gen_mode`
  static var addressGeneration: Self { .init(IFLA_INET6_ADDR_GEN_MODE) }
}
extension Attribute where Space == AddressSpace, Value == IPAddress {
  /// The link's own address; of IPv6 only sent where `address` is the one of a remote end.
  static var local: Self { .init(IFA_LOCAL) }
  static var address: Self { .init(IFA_ADDRESS) }
  static var broadcast: Self { .init(IFA_BROADCAST) }
}
extension Attribute where Space == AddressSpace, Value == UInt32 {
  /// All of `IFA_F_…`; the header holds the lowest eight bits.
  static var flags: Self { .init(IFA_FLAGS) }
}
extension Attribute where Space == RouteSpace, Value == IPAddress {
  static var destination: Self { .init(RTA_DST.rawValue) }
  static var gateway: Self { .init(RTA_GATEWAY.rawValue) }
  static var source: Self { .init(RTA_PREFSRC.rawValue) }
}
extension Attribute where Space == RouteSpace, Value == Via {
  /// A gateway of the other family.
  static var via: Self { .init(RTA_VIA.rawValue) }
}
extension Attribute where Space == RouteSpace, Value == Int32 {
  static var link: Self { .init(RTA_OIF.rawValue) }
}
extension Attribute where Space == RouteSpace, Value == UInt32 {
  static var priority: Self { .init(RTA_PRIORITY.rawValue) }
  static var table: Self { .init(RTA_TABLE.rawValue) }
}
extension Attribute where Space == RouteSpace, Value == Nested<MetricSpace> {
  static var metrics: Self { .init(RTA_METRICS.rawValue) }
}
extension Attribute where Space == MetricSpace, Value == UInt32 {
  /// Octets.
  static var mtu: Self { .init(RTAX_MTU) }
  /// Octets.
  static var advertisedMSS: Self { .init(RTAX_ADVMSS) }
}
extension Attribute where Space == AcknowledgementSpace, Value == String {
  static var words: Self { .init(NLMSGERR_ATTR_MSG.rawValue) }
}
extension Attribute where Space == AcknowledgementSpace, Value == UInt32 {
  /// Where in the request the attribute is that the kernel did not like. Octets.
  static var offset: Self { .init(NLMSGERR_ATTR_OFFS.rawValue) }
}
extension Attribute where Space == FamilyNameSpace, Value == String {
  static var name: Self { .init(CTRL_ATTR_FAMILY_NAME) }
}
