import Addresses
import TestSupport
import Testing

@testable import Netlink

@Suite("Changes within a table of nf_tables") struct FilterChangeTests {
  private let messages = FilterMessages(table: FilterTable(.inet, "t", []))

  private func bytes(_ change: FilterChange) -> [[UInt8]] {
    messages.change(change).map { $0.bytes(7) }
  }

  @Test(
    "chains and rules come and go as nft has them",
    arguments: [
      (
        FilterChange.addChain("c", isNew: true),
        """
        24000000 030a 0106 07000000 00000000  # NFT_MSG_NEWCHAIN REQUEST|CREATE|EXCL
        01 00 0000                            # struct nfgenmsg: NFPROTO_INET
        0600 0100 74 00 0000                  # NFTA_CHAIN_TABLE "t"
        0600 0300 63 00 0000                  # NFTA_CHAIN_NAME "c"
        """
      ),
      (
        .addChain("c", isNew: false),
        """
        24000000 030a 0104 07000000 00000000  # NFT_MSG_NEWCHAIN REQUEST|CREATE
        01 00 0000
        0600 0100 74 00 0000
        0600 0300 63 00 0000
        """
      ),
      (
        .emptyChain("c"),
        """
        24000000 080a 0100 07000000 00000000  # NFT_MSG_DELRULE REQUEST
        01 00 0000
        0600 0100 74 00 0000                  # NFTA_RULE_TABLE "t"
        0600 0200 63 00 0000                  # NFTA_RULE_CHAIN "c"
        """
      ),
      (
        .deleteChain("c"),
        """
        24000000 050a 0100 07000000 00000000  # NFT_MSG_DELCHAIN REQUEST
        01 00 0000
        0600 0100 74 00 0000
        0600 0300 63 00 0000
        """
      ),
      (
        .deleteRule(handle: 5, chain: "c"),
        """
        30000000 080a 0100 07000000 00000000  # NFT_MSG_DELRULE REQUEST
        01 00 0000
        0600 0100 74 00 0000
        0600 0200 63 00 0000
        0c00 0300 0000000000000005            # NFTA_RULE_HANDLE
        """
      ),
      (
        .addElements([FilterElement([192, 0, 2, 1], .goTo("c"))], set: "m", isNew: true),
        """
        50000000 0c0a 0106 07000000 00000000  # NFT_MSG_NEWSETELEM REQUEST|CREATE|EXCL
        01 00 0000
        0600 0100 74 00 0000                  # NFTA_SET_ELEM_LIST_TABLE "t"
        0600 0200 6d 00 0000                  # NFTA_SET_ELEM_LIST_SET "m"
        2c00 0380                             # NFTA_SET_ELEM_LIST_ELEMENTS
        2800 0180                             #   NFTA_LIST_ELEM
        0c00 0180                             #     NFTA_SET_ELEM_KEY
        0800 0100 c0000201                    #       NFTA_DATA_VALUE
        1800 0280                             #     NFTA_SET_ELEM_DATA
        1400 0280                             #       NFTA_DATA_VERDICT
        0800 0100 fffffffc                    #         NFTA_VERDICT_CODE: NFT_GOTO
        0600 0200 63 00 0000                  #         NFTA_VERDICT_CHAIN "c"
        """
      ),
      (
        .deleteElements([FilterElement([1, 2, 3, 4]), FilterElement([5, 6, 7, 8])], set: "m"),
        """
        48000000 0e0a 0100 07000000 00000000  # NFT_MSG_DELSETELEM REQUEST
        01 00 0000
        0600 0100 74 00 0000
        0600 0200 6d 00 0000
        2400 0380                             # NFTA_SET_ELEM_LIST_ELEMENTS
        1000 0180 0c00 0180 0800 0100 01020304
        1000 0180 0c00 0180 0800 0100 05060708
        """
      ),
    ] as [(FilterChange, String)])
  func change(change: FilterChange, hex: String) {
    #expect(bytes(change) == [octets(hex)])
  }

  @Test("what one message has no room for goes in several, in order")
  func parts() throws {
    let elements = (0..<1001).map { FilterElement([UInt8($0 >> 8), UInt8($0 & 0xff)]) }
    let change = FilterChange.addElements(elements, set: "m", isNew: false)
    let parts = messages.change(change).map { $0.content }
    #expect(parts.count == 6 && parts.allSatisfy { $0.count < 1 << 16 })
    // Each element ends with its key of two bytes and two that fill up.
    let keys = try parts.flatMap { content throws -> [[UInt8]] in
      let attributes = try Attributes<FilterElementsSpace>(content.dropFirst(4))
      let list = try #require(attributes.payload(3))
      #expect(list.count % 16 == 0)
      return stride(from: 0, to: list.count, by: 16).map {
        Array(list.dropFirst($0 + 12).prefix(2))
      }
    }
    #expect(keys == elements.map { $0.key })
  }

  @Test("a destination is translated from two registers, as nft has it")
  func translation() throws {
    let rule = FilterRule(
      FilterExpression.translateDestination(
        to: try #require(IPAddress("10.1.0.2")), port: 80), comment: "p")
    #expect(
      bytes(.appendRule(rule, chain: "c"))
        == [
          octets(
            """
            c0000000 060a 010c 07000000 00000000  # NFT_MSG_NEWRULE REQUEST|CREATE|APPEND
            01 00 0000
            0600 0100 74 00 0000
            0600 0200 63 00 0000
            9400 0480                             # NFTA_RULE_EXPRESSIONS
            2c00 0180                             #   NFTA_LIST_ELEM
            0e00 0100 696d6d656469617465 00 0000  #     NFTA_EXPR_NAME "immediate"
            1800 0280                             #     NFTA_EXPR_DATA
            0800 0100 00000001                    #       NFTA_IMMEDIATE_DREG: NFT_REG_1
            0c00 0280 0800 0100 0a010002          #       NFTA_IMMEDIATE_DATA: 10.1.0.2
            2c00 0180
            0e00 0100 696d6d656469617465 00 0000
            1800 0280
            0800 0100 00000002                    #       NFT_REG_2
            0c00 0280 0600 0100 0050 0000         #       80
            3800 0180
            0800 0100 6e617400                    #     "nat"
            2c00 0280
            0800 0100 00000001                    #       NFTA_NAT_TYPE: NFT_NAT_DNAT
            0800 0200 00000002                    #       NFTA_NAT_FAMILY: NFPROTO_IPV4
            0800 0300 00000001                    #       NFTA_NAT_REG_ADDR_MIN
            0800 0500 00000002                    #       NFTA_NAT_REG_PROTO_MIN
            0800 0700 00000002                    #       NFTA_NAT_FLAGS: PROTO_SPECIFIED
            0800 0700 00 02 70 00                 # NFTA_RULE_USERDATA: comment "p"
            """)
        ])
  }

  @Test(
    "the kernel's number for a type of keys says what their parts are",
    arguments: [
      (7, 4, [.ipv4Address]), (8, 16, [.ipv6Address]), (41, 16, [.linkName]),
      (12 << 6 | 13, 8, [.transport, .port]),
      (7 << 12 | 12 << 6 | 13, 12, [.ipv4Address, .transport, .port]),
      (8 << 12 | 12 << 6 | 13, 24, [.ipv6Address, .transport, .port]),
      // Another length, and types that are not known.
      (7, 16, nil), (12 << 6 | 13, 4, nil), (9, 6, nil), (7 << 6 | 63, 8, nil), (0, 0, nil),
    ] as [(UInt32, UInt32, [FilterSet.Field]?)])
  func types(type: UInt32, length: UInt32, fields: [FilterSet.Field]?) {
    #expect(FilterSet(type: type, length: length)?.fields == fields)
  }

  @Test("each part of a key takes whole words, and a part that is none of its type is no key")
  func keys() throws {
    let (v4, v6) = (try #require(IPAddress("192.0.2.1")), try #require(IPAddress("2001:db8::1")))
    let port: [FilterSet.Value] = [.number(6), .number(8080)]
    let ports = FilterSet([.ipv4Address, .transport, .port])
    #expect(ports.key([.address(v4)] + port) == octets("c0000201 06000000 1f900000"))
    for wrong: [FilterSet.Value] in [
      port, [.address(v6)] + port, [.address(v4), .number(256), .number(1)],
      [.address(v4), .name("tcp"), .number(1)], [.number(1)] + port, [],
    ] {
      #expect(ports.key(wrong) == nil)
    }
    #expect(
      FilterSet([.ipv6Address, .transport, .port]).key([.address(v6)] + port)
        == octets("20010db8 00000000 00000000 00000001 06000000 1f900000"))
    #expect(FilterSet([.ipv4Address]).key([.address(v4)]) == octets("c0000201"))
    let links = FilterSet([.linkName])
    #expect(links.key([.name("br1")]) == octets("62723100 00000000 00000000 00000000"))
    #expect(links.key([.name("abcdefghijklmno")])?.last == 0)
    for name in ["abcdefghijklmnop", ""] { #expect(links.key([.name(name)]) == nil, "\(name)") }
  }
}
