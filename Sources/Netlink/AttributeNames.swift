internal import CLinux

/// The names of attributes, for people: one table per space.
enum AttributeNames: Hashable {
  case link, linkInfo, veth, families, linkIPv4, linkIPv6, address, route, metrics, discipline
  case unknown

  /// The names of what follows the header of a message of rtnetlink(7), and that header's size.
  static func of(_ messageType: UInt16) -> (names: AttributeNames, headerSize: Int)? {
    switch Int(messageType) {
    case RTM_NEWLINK...RTM_SETLINK: (.link, LinkHeader.size)
    case RTM_NEWADDR...RTM_GETADDR: (.address, AddressHeader.size)
    case RTM_NEWROUTE...RTM_GETROUTE: (.route, RouteHeader.size)
    case RTM_NEWQDISC...RTM_GETQDISC, RTM_NEWTCLASS...RTM_GETTCLASS:
      (.discipline, DisciplineHeader.size)
    default: nil
    }
  }

  /// The names of what the attribute numbered `type` holds, and the size of the header before it;
  /// nil if it holds no attributes. `isNested` is a flag that its
  /// sender need not set.
  func inside(_ type: UInt16, isNested: Bool) -> (names: AttributeNames, headerSize: Int)? {
    switch (self, Int(type)) {
    case (.link, IFLA_LINKINFO): (.linkInfo, 0)
    case (.link, IFLA_AF_SPEC): (.families, 0)
    // Of what is not a veth link, the data may be anything.
    case (.linkInfo, IFLA_INFO_DATA) where isNested: (.veth, 0)
    case (.veth, VETH_INFO_PEER): (.link, LinkHeader.size)
    case (.families, Int(AF_INET)): (.linkIPv4, 0)
    case (.families, Int(AF_INET6)): (.linkIPv6, 0)
    case (.route, Int(RTA_METRICS.rawValue)): (.metrics, 0)
    default: isNested ? (.unknown, 0) : nil
    }
  }

  /// `IFLA_MTU`, or the number if it has no name here.
  func name(_ type: UInt16) -> String { table[type] ?? "attribute \(type)" }

  /// The name of the attribute at `offset` of a request, as `request` holds it; nil if none begins
  /// there.
  static func name(at offset: Int, of request: ArraySlice<UInt8>) -> String? {
    guard let type: UInt16 = request.integer(at: 4), let start = of(type) else { return nil }
    var names = start.names
    var rest = request.dropFirst(Message.headerSize + start.headerSize)
    let target = request.startIndex + offset
    while rest.startIndex <= target {
      guard let length: UInt16 = rest.integer(at: 0), let type: UInt16 = rest.integer(at: 2),
        length >= 4
      else { return nil }
      if rest.startIndex == target { return names.name(type & 0x3fff) }
      let end = rest.startIndex + (Int(length) + 3) & ~3
      if end <= target {
        rest = rest.dropFirst(end - rest.startIndex)
      } else {
        guard let inner = names.inside(type & 0x3fff, isNested: type & 0x8000 != 0) else {
          return nil
        }
        names = inner.names
        rest = rest.dropFirst(4 + inner.headerSize)
      }
    }
    return nil
  }

  private var table: [UInt16: String] {
    switch self {
    case .link: Self.linkNames
    case .linkInfo: [1: "IFLA_INFO_KIND", 2: "IFLA_INFO_DATA"]
    case .veth: [1: "VETH_INFO_PEER"]
    case .families: [2: "AF_INET", 10: "AF_INET6"]
    case .linkIPv4: [1: "IFLA_INET_CONF"]
    case .linkIPv6:
      [
        1: "IFLA_INET6_FLAGS", 2: "IFLA_INET6_CONF", 3: "IFLA_INET6_STATS",
        5: "IFLA_INET6_CACHEINFO", 6: "IFLA_INET6_ICMP6STATS", 7: "IFLA_INET6_TOKEN",
        8: "IFLA_INET6_ADDR_GEN_MODE",
      ]
    case .address:
      [
        1: "IFA_ADDRESS", 2: "IFA_LOCAL", 3: "IFA_LABEL", 4: "IFA_BROADCAST", 6: "IFA_CACHEINFO",
        8: "IFA_FLAGS", 11: "IFA_PROTO",
      ]
    case .route:
      [
        1: "RTA_DST", 4: "RTA_OIF", 5: "RTA_GATEWAY", 6: "RTA_PRIORITY", 7: "RTA_PREFSRC",
        8: "RTA_METRICS", 9: "RTA_MULTIPATH", 12: "RTA_CACHEINFO", 15: "RTA_TABLE",
        18: "RTA_VIA", 20: "RTA_PREF",
      ]
    case .metrics: [2: "RTAX_MTU", 8: "RTAX_ADVMSS"]
    case .discipline: [1: "TCA_KIND", 2: "TCA_OPTIONS", 3: "TCA_STATS", 7: "TCA_STATS2"]
    case .unknown: [:]
    }
  }

  private static let linkNames: [UInt16: String] = [
    1: "IFLA_ADDRESS", 2: "IFLA_BROADCAST", 3: "IFLA_IFNAME", 4: "IFLA_MTU", 5: "IFLA_LINK",
    6: "IFLA_QDISC", 7: "IFLA_STATS", 10: "IFLA_MASTER", 13: "IFLA_TXQLEN", 14: "IFLA_MAP",
    16: "IFLA_OPERSTATE", 17: "IFLA_LINKMODE", 18: "IFLA_LINKINFO", 20: "IFLA_IFALIAS",
    23: "IFLA_STATS64", 26: "IFLA_AF_SPEC", 27: "IFLA_GROUP", 28: "IFLA_NET_NS_FD",
    29: "IFLA_EXT_MASK", 30: "IFLA_PROMISCUITY", 31: "IFLA_NUM_TX_QUEUES",
    32: "IFLA_NUM_RX_QUEUES", 33: "IFLA_CARRIER", 35: "IFLA_CARRIER_CHANGES",
    37: "IFLA_LINK_NETNSID", 39: "IFLA_PROTO_DOWN", 40: "IFLA_GSO_MAX_SEGS",
    41: "IFLA_GSO_MAX_SIZE", 43: "IFLA_XDP", 47: "IFLA_CARRIER_UP_COUNT",
    48: "IFLA_CARRIER_DOWN_COUNT", 50: "IFLA_MIN_MTU", 51: "IFLA_MAX_MTU",
  ]
}
