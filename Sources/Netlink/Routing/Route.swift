public import Addresses
internal import CLinux

/// `struct rtmsg` (rtnetlink(7)).
struct RouteHeader: Hashable {
  static let size = 12

  var family: UInt8
  var destinationLength: UInt8 = 0
  /// A table beyond 255 is named by `RTA_TABLE` alone.
  var table: UInt8 = 0
  /// `RTPROT_…`: who made it.
  var origin: UInt8 = 0
  var scope: UInt8 = 0
  /// `RTN_…`
  var type: UInt8 = 0
  /// `RTM_F_…` and `RTNH_F_…`
  var flags: UInt32 = 0

  var bytes: [UInt8] {
    var bytes = [family, destinationLength, 0, 0, table, origin, scope, type]
    bytes.append(native: flags)
    return bytes
  }
}

extension RouteHeader {
  init(_ body: ArraySlice<UInt8>) throws(NetlinkError) {
    guard body.count >= RouteHeader.size, let flags: UInt32 = body.integer(at: 8) else {
      throw .badLength(body.count, at: body.startIndex)
    }
    let octets = Array(body.prefix(8))
    self.init(
      family: octets[0], destinationLength: octets[1], table: octets[4], origin: octets[5],
      scope: octets[6], type: octets[7], flags: flags)
  }
}

/// A route, to be added or as the kernel reports it.
public struct Route: Hashable, Sendable {
  /// The table of routes that is used first of all, `main`.
  public static let mainTable: UInt32 = 254

  /// Where it leads; of length 0, everywhere. Bits beyond the prefix do not count.
  public var destination: IPPrefix
  /// The next hop; nil if the destination is attached to the link.
  public var gateway: IPAddress?
  /// The index of the link; nil if the kernel is to find it by the gateway.
  public var linkIndex: Int32?
  /// Bytes; nil for that of the link.
  public var mtu: UInt32?
  /// The maximum segment size that TCP announces, in bytes; nil for what follows from the MTU.
  public var advertisedMSS: UInt32?
  /// `metric` of `ip`: the lowest is used. Nil for the kernel's choice, 0 for IPv4, 1024 for IPv6.
  public var priority: UInt32?
  /// `main` by default.
  public var table: UInt32
  /// Nil for `link` without a gateway and `universe` with one, as `ip` does. IPv6 has none.
  public var scope: Scope?
  /// Whether the gateway is taken to be attached to the link even if no address says so.
  public var isOnLink: Bool
  /// The address that packets get which have none yet; nil for the kernel's choice.
  public var source: IPAddress?
  /// Whether it leads to hosts (`RTN_UNICAST`), unlike local, broadcast and multicast addresses and
  /// what is to be dropped.
  public internal(set) var isUnicast = true
  /// Whether the kernel has it from a router advertisement (`RTPROT_RA`).
  var isAdvertised = false

  /// A route to `destination`; what the parameters mean is said at the properties.
  public init(
    to destination: IPPrefix, via gateway: IPAddress? = nil, link: Int32? = nil,
    mtu: UInt32? = nil, advertisedMSS: UInt32? = nil, priority: UInt32? = nil,
    table: UInt32 = Route.mainTable, scope: Scope? = nil, isOnLink: Bool = false,
    source: IPAddress? = nil
  ) {
    self.destination = destination
    self.gateway = gateway
    linkIndex = link
    self.mtu = mtu
    self.advertisedMSS = advertisedMSS
    self.priority = priority
    self.table = table
    self.scope = scope
    self.isOnLink = isOnLink
    self.source = source
  }

  /// Whether this route, which the kernel reported, is what adding `wanted` makes.
  ///
  /// What `wanted` leaves to the kernel is not compared.
  public func satisfies(_ wanted: Route) -> Bool {
    func agrees<Value: Equatable>(_ value: Value?, _ wanted: Value?) -> Bool {
      wanted == nil || value == wanted
    }
    return isUnicast == wanted.isUnicast && destination.masked == wanted.destination.masked
      && gateway == wanted.gateway && table == wanted.table
      && agrees(linkIndex, wanted.linkIndex) && agrees(mtu, wanted.mtu)
      && agrees(advertisedMSS, wanted.advertisedMSS) && agrees(priority, wanted.priority)
      && (destination.address.isIPv6 || agrees(scope, wanted.scope))
      && agrees(source, wanted.source) && (isOnLink || !wanted.isOnLink)
  }
}

extension Route: CustomStringConvertible {
  /// `10.2.0.0/16 via 10.1.0.1`
  public var description: String {
    gateway.map { "\(destination) via \($0)" } ?? "\(destination)"
  }
}
