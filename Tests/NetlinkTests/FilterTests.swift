import Addresses
import Linux
import TestSupport
import Testing

@testable import Netlink

@Suite("Messages to nf_tables and about XDP programs") struct FilterTests {
  @Test("an XDP program is attached in the driver's mode, where there is none or a certain one")
  func program() throws {
    var batch = try RouteSocket().batch(until: .after(.seconds(1)))
    batch.attachProgram(9, to: 5)
    #expect(
      batch.message(sequence: 1)
        == octets(
          """
          34000000 1300 0500 01000000 00000000  # RTM_SETLINK REQUEST|ACK
          00 00 0000 05000000 00000000 00000000 # struct ifinfomsg
          1400 2b80                             # IFLA_XDP
          0800 0100 09000000                    #   IFLA_XDP_FD 9
          0800 0300 05000000                    #   IFLA_XDP_FLAGS DRV_MODE|UPDATE_IF_NOEXIST
          """))
    batch = try RouteSocket().batch(until: .after(.seconds(1)))
    batch.attachProgram(9, replacing: 8, to: 5)
    #expect(
      batch.message(sequence: 1).suffix(28)
        == octets(
          """
          1c00 2b80                             # IFLA_XDP
          0800 0100 09000000                    #   IFLA_XDP_FD 9
          0800 0300 14000000                    #   IFLA_XDP_FLAGS DRV_MODE|REPLACE
          0800 0800 08000000                    #   IFLA_XDP_EXPECTED_FD 8
          """)[...])
  }

  @Test("a table is made by its messages, with numbers in network order")
  func table() throws {
    let rule = FilterRule([.load(.link, offset: 6, count: 6), .verdict(.goTo("i"))])
    let place = FilterChain.Place(.ingress(device: "veth1"), priority: -300, drops: true)
    let table = FilterTable(.netdev, "t", comment: "c", [FilterChain("i", place, [rule])])
    let messages = FilterMessages(table: table).creation().map { $0.bytes(7) }
    try #require(messages.count == 3)
    #expect(
      messages[0]
        == octets(
          """
          24000000 000a 0104 07000000 00000000  # NFT_MSG_NEWTABLE REQUEST|CREATE
          05 00 0000                            # struct nfgenmsg: NFPROTO_NETDEV
          0600 0100 74 00 0000                  # NFTA_TABLE_NAME "t"
          0800 0600 00 02 63 00                 # NFTA_TABLE_USERDATA: comment "c"
          """))
    #expect(
      messages[1]
        == octets(
          """
          58000000 030a 0104 07000000 00000000  # NFT_MSG_NEWCHAIN REQUEST|CREATE
          05 00 0000
          0600 0100 74 00 0000                  # NFTA_CHAIN_TABLE "t"
          0600 0300 69 00 0000                  # NFTA_CHAIN_NAME "i"
          2000 0480                             # NFTA_CHAIN_HOOK
          0800 0100 00000000                    #   NFTA_HOOK_HOOKNUM: ingress
          0800 0200 fffffed4                    #   NFTA_HOOK_PRIORITY -300
          0a00 0300 7665746831 00 0000          #   NFTA_HOOK_DEV "veth1"
          0800 0500 00000000                    # NFTA_CHAIN_POLICY: drop
          0b00 0700 66696c746572 00 00          # NFTA_CHAIN_TYPE "filter"
          """))
    #expect(
      messages[2]
        == octets(
          """
          94000000 060a 010c 07000000 00000000  # NFT_MSG_NEWRULE REQUEST|CREATE|APPEND
          05 00 0000
          0600 0100 74 00 0000                  # NFTA_RULE_TABLE "t"
          0600 0200 69 00 0000                  # NFTA_RULE_CHAIN "i"
          7000 0480                             # NFTA_RULE_EXPRESSIONS
          3400 0180                             #   NFTA_LIST_ELEM
          0c00 0100 7061796c6f6164 00           #     NFTA_EXPR_NAME "payload"
          2400 0280                             #     NFTA_EXPR_DATA
          0800 0100 00000001                    #       NFTA_PAYLOAD_DREG: NFT_REG_1
          0800 0200 00000000                    #       NFTA_PAYLOAD_BASE: link layer
          0800 0300 00000006                    #       NFTA_PAYLOAD_OFFSET
          0800 0400 00000006                    #       NFTA_PAYLOAD_LEN
          3800 0180                             #   NFTA_LIST_ELEM
          0e00 0100 696d6d656469617465 00 0000  #     NFTA_EXPR_NAME "immediate"
          2400 0280                             #     NFTA_EXPR_DATA
          0800 0100 00000000                    #       NFTA_IMMEDIATE_DREG: NFT_REG_VERDICT
          1800 0280                             #       NFTA_IMMEDIATE_DATA
          1400 0280                             #         NFTA_DATA_VERDICT
          0800 0100 fffffffc                    #           NFTA_VERDICT_CODE: NFT_GOTO
          0600 0200 69 00 0000                  #           NFTA_VERDICT_CHAIN "i"
          """))
  }

  @Test("expressions are read back as they were written")
  func expressions() throws {
    let all: [FilterExpression] = [
      .loadInputName, .loadInputGroup, .loadProtocol, .loadTransport, .loadFamily,
      .toNetworkOrder,
      .load(.link, offset: 6, count: 6), .load(.network, offset: 1, count: 16),
      .load(.transport, offset: 0, count: 1), .loadExtension(44, offset: 2, count: 2),
      .mask([255, 0, 1]), .compare(.equal, [1]), .compare(.notEqual, [1, 2]),
      .compare(.less, [1]), .compare(.atMost, [1]), .compare(.greater, [1]),
      .compare(.atLeast, [0]), .verdict(.accept), .verdict(.drop), .verdict(.return),
      .verdict(.jump("a")), .verdict(.goTo("b")), .counter(packets: 0),
    ]
    for expression in all {
      var writer = AttributeWriter<FilterExpressionSpace>()
      expression.encode(into: &writer)
      #expect(try FilterExpression(Attributes(writer.bytes[...])) == expression)
    }
  }

  @Test("no bytes at all trap what reads tables, chains and rules")
  func hostile() {
    var random = SeededGenerator(3)
    let chain = FilterChain("c", .init(.prerouting, priority: 0), [])
    let messages = FilterMessages(table: FilterTable(.inet, "t", [chain]))
    for _ in 0..<2000 {
      let count = Int.random(in: 0...80, using: &random)
      let bytes = (0..<count).map { _ in
        random.next() % 3 == 0 ? UInt8(4) : UInt8.random(in: 0...255, using: &random)
      }
      _ = try? messages.tableDeviation(bytes[...])
      _ = try? messages.deviation(of: chain, bytes[...])
      _ = try? ReportedRule(bytes[...])
    }
  }
}
