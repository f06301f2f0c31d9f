import Addresses
import Linux
import Testing

@testable import Netlink

/// The octets that a batch with one request sends as its first.
private func request(_ build: (inout Batch) -> Void) throws -> [UInt8] {
  var batch = try RouteSocket().batch(until: .after(.seconds(1)))
  build(&batch)
  return batch.message(sequence: 1)
}

@Suite struct RequestTests {
  @Test("a veth pair is asked for by one message, and with it its report")
  func addVeth() throws {
    let mac = try #require(MACAddress("0a:58:0a:01:00:02"))
    #expect(
      try request {
        $0.addVeth(
          VethEnd("veth1", mtu: 1400), peer: VethEnd("eth0", mtu: 1400, mac: mac), in: 9,
          isUp: true)
      }
        == octets(
          """
          84000000 1000 0d06 01000000 00000000  # RTM_NEWLINK REQUEST|ACK|ECHO|CREATE|EXCL
          00 00 0000 00000000 01000000 01000000 # struct ifinfomsg: IFF_UP
          0a00 0300 7665746831 00 0000          # IFLA_IFNAME "veth1"
          0800 0400 78050000                    # IFLA_MTU 1400
          5000 1280                             # IFLA_LINKINFO
          0900 0100 76657468 00 000000          #   IFLA_INFO_KIND "veth"
          4000 0280                             #   IFLA_INFO_DATA
          3c00 0180                             #     VETH_INFO_PEER
          00 00 0000 00000000 00000000 00000000 #       struct ifinfomsg
          0900 0300 65746830 00 000000          #       IFLA_IFNAME "eth0"
          0800 0400 78050000                    #       IFLA_MTU 1400
          0a00 0100 0a580a010002 0000           #       IFLA_ADDRESS
          0800 1c00 09000000                    #       IFLA_NET_NS_FD 9
          """))
  }

  @Test("only the last request of a batch is acknowledged; each has its number")
  func batch() throws {
    #expect(
      try request {
        $0.setLink(.index(5), isUp: false)
        $0.setLink(.named("a"), alias: "")
        $0.deleteLink(.index(6))
      }
        == octets(
          """
          20000000 1300 0100 01000000 00000000  # RTM_SETLINK REQUEST
          00 00 0000 05000000 00000000 01000000
          2c000000 1300 0100 02000000 00000000
          00 00 0000 00000000 00000000 00000000
          0600 0300 61 00 0000                  # IFLA_IFNAME "a"
          0400 1400                             # IFLA_IFALIAS, empty
          20000000 1100 0500 03000000 00000000  # RTM_DELLINK REQUEST|ACK
          00 00 0000 06000000 00000000 00000000
          """))
  }

  @Test("what is read last needs no acknowledgement")
  func read() throws {
    #expect(
      try request { $0.readLink(.index(2)) }
        == octets(
          """
          28000000 1200 0100 01000000 00000000  # RTM_GETLINK REQUEST
          00 00 0000 02000000 00000000 00000000
          0800 1d00 08000000                    # IFLA_EXT_MASK RTEXT_FILTER_SKIP_STATS
          """))
  }

  @Test(
    "a link is silenced and named by one message, of which IPv6 is no part where it is missing",
    arguments: [true, false])
  func silence(hasIPv6: Bool) throws {
    let four = """
      2400 1a80                             # IFLA_AF_SPEC
      2000 0280                             #   AF_INET
      1c00 0180                             #     IFLA_INET_CONF
      0800 0400 00000000                    #       IPV4_DEVCONF_ACCEPT_REDIRECTS 0
      0800 0800 01000000                    #       IPV4_DEVCONF_RP_FILTER 1
      0800 1300 08000000                    #       IPV4_DEVCONF_ARP_IGNORE 8
      """
    let six = """
      0c00 0a80                             #   AF_INET6
      0500 0800 01 000000                   #     IFLA_INET6_ADDR_GEN_MODE none
      """
    #expect(
      try request { $0.silenceLink(.index(2), alias: "a", hasIPv6: hasIPv6) }
        == octets(
          """
          \(hasIPv6 ? "58" : "4c")000000 1300 0500 01000000 00000000  # RTM_SETLINK REQUEST|ACK
          00 00 0000 02000000 00000000 00000000
          0500 1400 61 000000                   # IFLA_IFALIAS "a"
          \(hasIPv6 ? four.replacing("2400 1a80", with: "3000 1a80") + "\n" + six : four)
          """))
  }

  @Test("links are put into a group, and all of it is deleted by one message")
  func group() throws {
    #expect(
      try request {
        $0.moveLink(5, toGroup: 0x7000_0001)
        $0.deleteLinks(inGroup: 0x7000_0001)
      }
        == octets(
          """
          28000000 1300 0100 01000000 00000000  # RTM_SETLINK REQUEST
          00 00 0000 05000000 00000000 00000000
          0800 1b00 01000070                    # IFLA_GROUP
          28000000 1100 0500 02000000 00000000  # RTM_DELLINK REQUEST|ACK
          00 00 0000 00000000 00000000 00000000
          0800 1b00 01000070                    # IFLA_GROUP
          """))
  }

  @Test("the kernel is let to announce addresses, and asked to, by two messages")
  func announcements() throws {
    #expect(
      try request {
        $0.enableAnnouncements(on: 2)
        $0.announceAddresses(of: 2, mac: .broadcast)
      }
        == octets(
          """
          34000000 1300 0100 01000000 00000000
          00 00 0000 02000000 00000000 00000000
          1400 1a80                             # IFLA_AF_SPEC
          1000 0280                             #   AF_INET
          0c00 0180                             #     IFLA_INET_CONF
          0800 1600 01000000                    #       IPV4_DEVCONF_ARP_NOTIFY 1
          2c000000 1300 0500 02000000 00000000
          00 00 0000 02000000 00000000 00000000
          0a00 0100 ffffffffffff 0000           # IFLA_ADDRESS
          """))
    #expect(Batch.announcementSetting(of: "eth0") == ("ipv6/conf/eth0/ndisc_notify", "1"))
  }

  @Test("an IPv4 address has no broadcast; an IPv6 address need not be doubted")
  func addresses() throws {
    let four = try IPPrefix("10.1.0.2/24")
    let six = try IPPrefix("fd00:1::2/64")
    #expect(
      try request {
        $0.addAddress(four, to: 2, scope: .link)
        $0.addAddress(six, to: 2, detectsDuplicates: false)
        $0.deleteAddress(four, from: 2)
      }
        == octets(
          """
          28000000 1400 0106 01000000 00000000        # RTM_NEWADDR REQUEST|CREATE|EXCL
          02 18 00 fd 02000000                        # struct ifaddrmsg: IPv4, /24, scope link
          0800 0200 0a010002                          # IFA_LOCAL
          0800 0100 0a010002                          # IFA_ADDRESS
          40000000 1400 0106 02000000 00000000
          0a 40 02 00 02000000                        # IPv6, /64, IFA_F_NODAD
          1400 0200 fd000001000000000000000000000002
          1400 0100 fd000001000000000000000000000002
          28000000 1500 0500 03000000 00000000        # RTM_DELADDR REQUEST|ACK
          02 18 00 00 02000000
          0800 0200 0a010002
          0800 0100 0a010002
          """))
  }

  @Test("a route has all its members; a table beyond 255 has an attribute")
  func routes() throws {
    let gateway = try #require(IPAddress("10.1.0.1"))
    let route = Route(
      to: try IPPrefix("10.2.3.4/16"), via: gateway, link: 2, mtu: 1400, advertisedMSS: 1340,
      priority: 50, table: 1000, isOnLink: true, source: IPAddress("10.1.0.2"))
    #expect(
      try request {
        $0.addRoute(route)
        $0.deleteRoute(Route(to: prefix("10.9.0.0/16"), link: 2))
      }
        == octets(
          """
          60000000 1800 010c 01000000 00000000  # RTM_NEWROUTE REQUEST|CREATE|APPEND
          02 10 00 00 00 03 00 01 04000000      # IPv4, /16, boot, universe, unicast, onlink
          0800 0100 0a020000                    # RTA_DST 10.2.0.0
          0800 0500 0a010001                    # RTA_GATEWAY
          0800 0400 02000000                    # RTA_OIF
          0800 0700 0a010002                    # RTA_PREFSRC
          0800 0600 32000000                    # RTA_PRIORITY 50
          0800 0f00 e8030000                    # RTA_TABLE 1000
          1400 0880                             # RTA_METRICS
          0800 0200 78050000                    #   RTAX_MTU 1400
          0800 0800 3c050000                    #   RTAX_ADVMSS 1340
          2c000000 1900 0500 02000000 00000000  # RTM_DELROUTE REQUEST|ACK
          02 10 00 00 fe 00 ff 01 00000000      # any origin, any scope
          0800 0100 0a090000
          0800 0400 02000000
          """))
  }

  @Test("the default route has no destination; a gateway of the other family is RTA_VIA")
  func defaultRoute() throws {
    let all = try IPPrefix("0.0.0.0/0")
    let route = Route(to: all, via: IPAddress("fe80::1"), link: 2)
    #expect(
      try request { $0.addRoute(route) }
        == octets(
          """
          3c000000 1800 050c 01000000 00000000
          02 00 00 00 fe 03 00 01 00000000
          1600 1200 0a00 fe800000000000000000000000000001 0000  # RTA_VIA AF_INET6
          0800 0400 02000000
          """))
    // A destination that is attached reaches as far as the link.
    #expect(Route(to: all, link: 2).header().scope == 253)
    #expect(Route(to: try IPPrefix("::/0"), link: 2).header().scope == 0)
    #expect(Route(to: all, link: 2, scope: .host).header().scope == 254)
  }

  @Test("flags of a link are changed one by one")
  func flags() throws {
    #expect(LinkHeader(index: 2).bytes == octets("00000000 02000000 00000000 00000000"))
    #expect(
      LinkHeader(index: 2, isUp: true, isPromiscuous: false).bytes
        == octets("00000000 02000000 01000000 01010000"))
    #expect(
      LinkHeader(index: 2, isPromiscuous: true).bytes
        == octets("00000000 02000000 00010000 00010000"))
  }

  @Test("the families of generic netlink are asked for by a list")
  func families() {
    #expect(
      GenericSocket.listing(sequence: 3)
        == octets(
          """
          14000000 1000 0103 03000000 00000000  # GENL_ID_CTRL REQUEST|DUMP
          03 01 0000                            # CTRL_CMD_GETFAMILY
          """))
  }

  @Test("an attribute of a request is found by its offset")
  func names() throws {
    let veth = try request {
      $0.addVeth(VethEnd("veth1"), peer: VethEnd("eth0"), in: 9)
    }
    func name(_ offset: Int) -> String? {
      NetlinkFamily.route.attributeName(at: offset, of: veth[...])
    }
    #expect(name(32) == "IFLA_IFNAME")
    #expect(name(44) == "IFLA_LINKINFO")
    #expect(name(48) == "IFLA_INFO_KIND")
    #expect(name(64) == "VETH_INFO_PEER")
    #expect(name(84) == "IFLA_IFNAME")
    #expect(name(96) == "IFLA_NET_NS_FD")
    #expect(name(33) == nil)
    #expect(name(0) == nil)
    #expect(name(.max - 4096) == nil)
  }
}
