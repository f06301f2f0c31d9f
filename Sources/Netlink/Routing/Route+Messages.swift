internal import Addresses
internal import CLinux

extension Route {
  /// What RTM_NEWROUTE says after its header.
  func encode(into writer: inout AttributeWriter<RouteSpace>) {
    if destination.length > 0 { writer.put(.destination, destination.network) }
    if let gateway, gateway.family != destination.address.family {
      writer.put(.via, Via(gateway))
    } else {
      writer.put(.gateway, gateway)
    }
    writer.put(.link, linkIndex)
    writer.put(.source, source)
    writer.put(.priority, priority)
    if table > 255 { writer.put(.table, table) }
    if mtu != nil || advertisedMSS != nil {
      writer.nest(.metrics) {
        $0.put(.mtu, mtu)
        $0.put(.advertisedMSS, advertisedMSS)
      }
    }
  }

  /// The header of RTM_NEWROUTE, or, where `isPattern`, of RTM_DELROUTE: the first route that has
  /// all that is said.
  func header(isPattern: Bool = false) -> RouteHeader {
    let nearest: Scope = destination.address.isIPv6 || gateway != nil ? .universe : .link
    return RouteHeader(
      family: destination.address.family.number, destinationLength: destination.length,
      table: table > 255 ? UInt8(RT_TABLE_UNSPEC.rawValue) : UInt8(table),
      origin: isPattern ? UInt8(RTPROT_UNSPEC) : UInt8(RTPROT_BOOT),
      scope: (scope ?? (isPattern ? .nowhere : nearest)).rawValue,
      type: UInt8(RTN_UNICAST), flags: isOnLink ? UInt32(RTNH_F_ONLINK) : 0)
  }
}

extension Route: Reported {
  static var answerType: UInt16 { UInt16(RTM_NEWROUTE) }

  /// A route with several next hops becomes as many routes.
  static func decode(_ body: ArraySlice<UInt8>, into routes: inout [Route]) throws(NetlinkError) {
    let header = try RouteHeader(body)
    // What the kernel keeps for single hosts, and routes of MPLS or multicast, are not routes here.
    guard let family = IPAddress.Family(number: header.family),
      header.flags & UInt32(RTM_F_CLONED) == 0
    else { return }
    let attributes = try Attributes<RouteSpace>(body.dropFirst(RouteHeader.size))
    guard let address = try attributes[.destination] ?? family.unspecified,
      address.family == family,
      let destination = IPPrefix(address, length: header.destinationLength)
    else {
      throw .badValue(attribute: UInt16(RTA_DST.rawValue), size: Int(header.destinationLength))
    }
    let metrics = try attributes[.metrics]
    var route = Route(
      to: destination, via: try gateway(attributes), link: try attributes[.link],
      mtu: try metrics?[.mtu], advertisedMSS: try metrics?[.advertisedMSS],
      priority: try attributes[.priority], table: try attributes[.table] ?? UInt32(header.table),
      scope: Scope(rawValue: header.scope), isOnLink: header.flags & UInt32(RTNH_F_ONLINK) != 0,
      source: try attributes[.source])
    route.isUnicast = header.type == UInt8(RTN_UNICAST)
    route.isAdvertised = header.origin == UInt8(RTPROT_RA)
    guard let hops = attributes.payload(UInt16(RTA_MULTIPATH.rawValue)) else {
      routes.append(route)
      return
    }
    try decodeHops(hops, of: route, into: &routes)
  }

  /// `struct rtnexthop`, each followed by its attributes.
  private static func decodeHops(
    _ hops: ArraySlice<UInt8>, of route: Route, into routes: inout [Route]
  ) throws(NetlinkError) {
    var rest = hops
    while let length: UInt16 = rest.integer(at: 0), let flags: UInt8 = rest.integer(at: 2),
      let index: Int32 = rest.integer(at: 4)
    {
      guard length >= 8, Int(length) <= rest.count else {
        throw .badLength(Int(length), at: rest.startIndex)
      }
      var hop = route
      hop.linkIndex = index
      hop.isOnLink = UInt32(flags) & UInt32(RTNH_F_ONLINK) != 0
      hop.gateway = try gateway(Attributes<RouteSpace>(rest.prefix(Int(length)).dropFirst(8)))
      routes.append(hop)
      rest = rest.dropFirst((Int(length) + 3) & ~3)
    }
  }

  private static func gateway(_ attributes: Attributes<RouteSpace>) throws(NetlinkError)
    -> IPAddress?
  {
    if let gateway = try attributes[.gateway] { return gateway }
    return try attributes[.via]?.address
  }
}
