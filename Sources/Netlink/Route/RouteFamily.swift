internal import CLinux

extension NetlinkFamily {
  /// rtnetlink(7).
  static var route: NetlinkFamily {
    NetlinkFamily(
      number: NETLINK_ROUTE, messageName: { Self.routeMessages[$0] },
      layout: {
        switch Int($0) {
        case RTM_NEWLINK...RTM_SETLINK: AttributeLayout(LinkSpace.self, header: LinkHeader.size)
        case RTM_NEWADDR...RTM_GETADDR:
          AttributeLayout(AddressSpace.self, header: AddressHeader.size)
        case RTM_NEWROUTE...RTM_GETROUTE:
          AttributeLayout(RouteSpace.self, header: RouteHeader.size)
        case RTM_NEWNEIGH...RTM_GETNEIGH:
          AttributeLayout(NeighbourSpace.self, header: NeighbourSpace.headerSize)
        // Behind `struct rtgenmsg` and its padding.
        case RTM_NEWNSID...RTM_GETNSID: AttributeLayout(NamespaceSpace.self, header: 4)
        case RTM_NEWQDISC...RTM_GETQDISC, RTM_NEWTCLASS...RTM_GETTCLASS:
          AttributeLayout(DisciplineSpace.self, header: DisciplineHeader.size)
        default: nil
        }
      })
  }

  private static let routeMessages: [UInt16: String] = [
    16: "RTM_NEWLINK", 17: "RTM_DELLINK", 18: "RTM_GETLINK", 19: "RTM_SETLINK",
    20: "RTM_NEWADDR", 21: "RTM_DELADDR", 22: "RTM_GETADDR",
    24: "RTM_NEWROUTE", 25: "RTM_DELROUTE", 26: "RTM_GETROUTE",
    28: "RTM_NEWNEIGH", 29: "RTM_DELNEIGH", 30: "RTM_GETNEIGH",
    36: "RTM_NEWQDISC", 37: "RTM_DELQDISC", 38: "RTM_GETQDISC",
    40: "RTM_NEWTCLASS", 41: "RTM_DELTCLASS", 42: "RTM_GETTCLASS",
    88: "RTM_NEWNSID", 89: "RTM_DELNSID", 90: "RTM_GETNSID",
  ]
}
