import Addresses
import Linux
import Testing

@testable import Netlink

@Suite struct ErrorTests {
  static let route = Route(to: prefix("0.0.0.0/0"), via: IPAddress("10.1.0.1"))
  static let wide = Route(to: prefix("::/0"), via: IPAddress("fd00::1"))
  static let host = prefix("fd00::2/64")
  static let disabled = "IPv6 is disabled there (sysctl net.ipv6.conf.*.disable_ipv6)"

  @Test(
    "what a person may meet says what was attempted, why not, and what would be right",
    arguments: [
      (
        RouteError.refused(.addVeth("veth1", peer: "eth0"), .fileExists, words: nil),
        "add veth link \"veth1\": EEXIST (File exists); there is a link \"veth1\" here, or a link "
          + "\"eth0\" where the other end goes"
      ),
      (
        .refused(.addVeth("veth1", peer: "eth0"), .notSupported, words: "Unknown device type"),
        "add veth link \"veth1\": EOPNOTSUPP (Operation not supported); Unknown device type; "
          + "this kernel lacks the module veth"
      ),
      (
        .refused(.setLink(.index(5)), .notPermitted, words: nil),
        "set the link: EPERM (Operation not permitted); "
          + "that needs CAP_NET_ADMIN in the user namespace of the network namespace"
      ),
      (
        .refused(.addAddress(host, to: 5), .accessDenied, words: nil),
        "add address fd00::2/64: EACCES (Permission denied); \(disabled)"
      ),
      (
        .refused(.addRoute(wide), .accessDenied, words: nil),
        "add route ::/0 via fd00::1: EACCES (Permission denied); \(disabled)"
      ),
      (
        .refused(.addRoute(route), .fileExists, words: nil),
        "add route 0.0.0.0/0 via 10.1.0.1: EEXIST (File exists)"
      ),
      (
        .refused(.silenceLink(.named("veth1")), .noSuchDevice, words: nil),
        "silence link \"veth1\": ENODEV (No such device); there is no such link in the namespace"
      ),
      (
        .timedOut(.listLinks), "list links: the kernel did not respond before the deadline"
      ),
      (
        .malformed(.listRoutes(.v6), .badLength(3, at: 16)),
        "list routes of IPv6: the kernel's answer: "
          + "a length of 3 octets at octet 16 does not fit the message"
      ),
      (
        .system(.open, SystemError("socket", "domain 16", .notPermitted)),
        "open a netlink socket: socket(domain 16): EPERM (Operation not permitted)"
      ),
    ])
  func messages(error: RouteError, expected: String) {
    #expect(error.description == expected)
  }

  @Test("each request has its words")
  func requests() {
    let requests: [(RouteRequest, String)] = [
      (.renameLink(5, to: "eth1"), "rename the link to \"eth1\""),
      (.enableAnnouncements(on: 5), "enable announcements"),
      (.announceAddresses(of: 5), "announce the addresses"),
      (.deleteLink(.named("a")), "delete link \"a\""),
      (.readLink(.named("a")), "read link \"a\""),
      (.deleteAddress(Self.host, from: 5), "delete address fd00::2/64"),
      (.listAddresses(of: 5), "list addresses"),
      (.listAddresses(of: nil), "list addresses"),
      (.deleteRoute(Self.route), "delete route 0.0.0.0/0 via 10.1.0.1"),
      (.listRoutes(.v4), "list routes of IPv4"),
      (.readChecksumOffload("a"), "read TX checksum offload of link \"a\""),
      (.setChecksumOffload("a", true), "switch TX checksum offload of link \"a\" on"),
    ]
    for (request, words) in requests { #expect(request.description == words) }
    #expect(
      GenericRequest.listFamilies.description == "list the families of generic netlink")
  }
}

@Suite struct MessageTests {
  @Test("success is told by an error of zero")
  func success() throws {
    let datagram = octets(
      "24000000 0200 0001 03000000 00000000 00000000 20000000 1300 0500 03000000 00000000")
    var cursor = MessageCursor(datagram)
    let message = try #require(try cursor.next())
    #expect(message.sequence == 3)
    #expect(try Acknowledgement(message).errno == nil)
    #expect(try cursor.next() == nil)
  }

  @Test("the kernel's words stand after the whole request where it is echoed")
  func echoed() throws {
    let datagram = octets(
      """
      30000000 0200 0002 01000000 00000000  # NLM_F_ACK_TLVS, not capped
      ffffffff                              # EPERM
      14000000 1300 0500 01000000 00000000  # the request,
      01020304                              # whole
      0700 0100 6e6f 00 00                  # NLMSGERR_ATTR_MSG "no"
      """)
    var cursor = MessageCursor(datagram)
    let answer = try Acknowledgement(try #require(try cursor.next()))
    #expect(answer.errno == .notPermitted)
    #expect(answer.words == "no")
  }

  @Test(
    "a message that is longer than its datagram, or shorter than a header, is refused",
    arguments: [
      "11000000 0200 0000 01000000 00000000", "0f000000 0200 0000 01000000 00000000", "10",
    ])
  func lengths(hex: String) {
    var cursor = MessageCursor(octets(hex))
    #expect(throws: NetlinkError.self) { try cursor.next() }
  }

  @Test("a trace names messages and attributes, and has every octet")
  func trace() throws {
    var batch = try RouteSocket().batch(until: .after(.seconds(1)))
    batch.addVeth(VethEnd("veth1", mtu: 1400), peer: VethEnd("eth0"), in: 9, isUp: true)
    #expect(
      Trace(.route).text("send", batch.message(sequence: 1)) == """
        netlink send RTM_NEWLINK flags 0x60d sequence 1, 112 octets
          00000000000000000100000001000000
          IFLA_IFNAME 766574683100 "veth1"
          IFLA_MTU 78050000
          IFLA_LINKINFO
            IFLA_INFO_KIND 7665746800 "veth"
            IFLA_INFO_DATA
              VETH_INFO_PEER 00000000000000000000000000000000
                IFLA_IFNAME 6574683000 "eth0"
                IFLA_NET_NS_FD 09000000

        """)
    #expect(
      Trace(.route).text("receive", try captured("refusal")).hasSuffix(
        "  EINVAL (Invalid argument); mtu less than device minimum\n"))
    #expect(
      Trace(.route).text("receive", [1, 2, 3])
        == "netlink receive a length of 3 octets at octet 0 does not fit the message: 010203\n")
    #expect(
      Trace(.generic).text("send", GenericSocket.listing(sequence: 3)) == """
        netlink send type 16 flags 0x301 sequence 3, 20 octets
          03010000

        """)
  }
}
