internal import Addresses
internal import CLinux

// What messages about addresses and routes hold.

/// `linux/if_addr.h`: `IFA_…`
enum AddressSpace: AttributeSpace {
  static var names: [AttributeName] {
    [
      known(.address), known(.local), .init(IFA_LABEL, "IFA_LABEL"), known(.broadcast),
      .init(IFA_CACHEINFO, "IFA_CACHEINFO"), known(.flags), .init(IFA_PROTO, "IFA_PROTO"),
    ]
  }
}
/// `linux/rtnetlink.h`: `RTA_…`
enum RouteSpace: AttributeSpace {
  static var names: [AttributeName] {
    [
      known(.destination), known(.packetSource), known(.arrivalLink), known(.link), known(.gateway),
      known(.priority), known(.source),
      nested(.metrics), .init(RTA_MULTIPATH.rawValue, "RTA_MULTIPATH"),
      .init(RTA_CACHEINFO.rawValue, "RTA_CACHEINFO"), known(.table), known(.via),
      .init(RTA_PREF.rawValue, "RTA_PREF"),
    ]
  }
}
/// `RTAX_…`
enum MetricSpace: AttributeSpace {
  static var names: [AttributeName] { [known(.mtu), known(.advertisedMSS)] }
}

extension Attribute where Space == AddressSpace, Value == IPAddress {
  /// The link's own address; of IPv6 only sent where `address` is the one of a remote end.
  static var local: Self { .init(IFA_LOCAL, "IFA_LOCAL") }
  static var address: Self { .init(IFA_ADDRESS, "IFA_ADDRESS") }
  static var broadcast: Self { .init(IFA_BROADCAST, "IFA_BROADCAST") }
}
extension Attribute where Space == AddressSpace, Value == UInt32 {
  /// All of `IFA_F_…`; the header holds the lowest eight bits.
  static var flags: Self { .init(IFA_FLAGS, "IFA_FLAGS") }
}
extension Attribute where Space == RouteSpace, Value == IPAddress {
  static var destination: Self { .init(RTA_DST.rawValue, "RTA_DST") }
  static var gateway: Self { .init(RTA_GATEWAY.rawValue, "RTA_GATEWAY") }
  static var source: Self { .init(RTA_PREFSRC.rawValue, "RTA_PREFSRC") }
}
extension Attribute where Space == RouteSpace, Value == Via {
  /// A gateway of the other family.
  static var via: Self { .init(RTA_VIA.rawValue, "RTA_VIA") }
}
extension Attribute where Space == RouteSpace, Value == Int32 {
  static var link: Self { .init(RTA_OIF.rawValue, "RTA_OIF") }
}
extension Attribute where Space == RouteSpace, Value == UInt32 {
  static var priority: Self { .init(RTA_PRIORITY.rawValue, "RTA_PRIORITY") }
  static var table: Self { .init(RTA_TABLE.rawValue, "RTA_TABLE") }
}
extension Attribute where Space == RouteSpace, Value == Nested<MetricSpace> {
  static var metrics: Self { .init(RTA_METRICS.rawValue, "RTA_METRICS") }
}
extension Attribute where Space == MetricSpace, Value == UInt32 {
  /// Bytes.
  static var mtu: Self { .init(RTAX_MTU, "RTAX_MTU") }
  /// Bytes.
  static var advertisedMSS: Self { .init(RTAX_ADVMSS, "RTAX_ADVMSS") }
}

/// `struct rtvia`: a gateway of a family that need not be the route's.
struct Via: AttributeValue {
  let address: IPAddress

  init(_ address: IPAddress) { self.address = address }

  func encode(into bytes: inout [UInt8]) {
    bytes.append(native: UInt16(address.family.number))
    bytes += address.bytes
  }

  init?(decoding payload: Span<UInt8>) {
    guard let family: UInt16 = payload.integer(at: 0),
      let address = IPAddress(bytes: Array(payload.octets.dropFirst(2))),
      UInt16(address.family.number) == family
    else { return nil }
    self.address = address
  }
}
