import Linux
import Testing

@testable import Netlink

/// What the kernel answers to RTM_GETQDISC, body by body.
private func decoded(_ body: [UInt8]) throws -> [QueueingDiscipline] {
  var found: [QueueingDiscipline] = []
  try QueueingDiscipline.decode(body[...], into: &found)
  return found
}

@Suite struct QueueingDisciplineTests {
  @Test("a token bucket is asked for by one message")
  func limit() throws {
    var batch = try RouteSocket().batch(until: .after(.seconds(1)))
    batch.limit(7, by: TokenBucket(rate: 1_250_000, burst: 5000, limit: 40000))
    #expect(
      batch.message(sequence: 1)
        == octets(
          """
          60000000 2400 0505 01000000 00000000  # RTM_NEWQDISC REQUEST|ACK|REPLACE|CREATE
          00 000000 07000000 00000000 ffffffff 00000000 # struct tcmsg: TC_H_ROOT
          0800 0100 74626600                    # TCA_KIND "tbf"
          3400 0280                             # TCA_OPTIONS
          2800 0100                             #   TCA_TBF_PARMS, struct tc_tbf_qopt
          00 01 0000 0000 0000 d0121300         #     rate: TC_LINKLAYER_ETHERNET, octets a second
          00 00 0000 0000 0000 00000000         #     peak rate: none
          409c0000 24f40000 00000000            #     limit 40000, 62500 ticks: 4 ms
          0800 0600 88130000                    #   TCA_TBF_BURST 5000
          """))
  }

  @Test("a rate beyond 32 bits has an attribute of its own")
  func wideRate() throws {
    var batch = try RouteSocket().batch(until: .after(.seconds(1)))
    batch.limit(7, by: TokenBucket(rate: 5_000_000_000, burst: 1_000_000, limit: 1))
    let message = batch.message(sequence: 1)
    let wide = octets("0c00 0400 00f2052a01000000")  // TCA_TBF_RATE64
    #expect((0..<(message.count - 12)).contains { Array(message[$0..<($0 + 12)]) == wide })
  }

  @Test("what the kernel reports of a token bucket, and of others, is read")
  func decode() throws {
    let bucket = octets(
      """
      00 000000 02000000 00000180 ffffffff 02000000 # struct tcmsg
      0800 0100 74626600                        # TCA_KIND "tbf"
      2c00 0200                                 # TCA_OPTIONS
      2800 0100
      00 01 0000 0000 0000 d0121300
      00 00 0000 0000 0000 00000000
      409c0000 24f40000 00000000
      0500 0c00 00 000000                       # TCA_HW_OFFLOAD
      """)
    #expect(
      try decoded(bucket) == [
        QueueingDiscipline(
          linkIndex: 2, kind: "tbf",
          tokenBucket: TokenBucket(rate: 1_250_000, burst: 5000, limit: 40000))
      ])
    let fair = octets(
      """
      00 000000 02000000 00000000 ffffffff 02000000
      0c00 0100 6e6f7175657565 00               # TCA_KIND "noqueue"
      """)
    #expect(
      try decoded(fair) == [QueueingDiscipline(linkIndex: 2, kind: "noqueue", tokenBucket: nil)])
    // A child of another discipline, and one at the ingress.
    for parent in ["01000100", "f1ffffff"] {
      let child = octets("00 000000 02000000 00000000 \(parent) 02000000 0800 0100 74626600")
      #expect(try decoded(child) == [])
    }
  }

  /// What the kernel answers to RTM_GETTCLASS of a class 1:1 with 1 Mbit/s that may borrow up to 80
  /// Gbit/s.
  private static let hierarchical = octets(
    """
    00 000000 02000000 01000100 ffffffff 00000000 # struct tcmsg
    0800 0100 68746200                            # TCA_KIND "htb"
    4000 0200                                     # TCA_OPTIONS
    3000 0100                                     #   TCA_HTB_PARMS, struct tc_htb_opt
    00 01 0000 0000 0000 48e80100                 #     rate 125000
    00 01 0000 0000 0000 ffffffff                 #     ceil: too much for this
    00000000 00000000 00000000 00000000 00000000
    0c00 0700 00e40b5402000000                    #   TCA_HTB_CEIL64
    """)
  private func classes(_ body: [UInt8]) throws -> [TrafficClass] {
    var found: [TrafficClass] = []
    try TrafficClass.decode(body[...], into: &found)
    return found
  }

  @Test("what the kernel reports of a class of htb is read, and never trapped on")
  func trafficClass() throws {
    let whole = Self.hierarchical
    #expect(
      try classes(whole) == [
        TrafficClass(handle: 0x10001, rate: 125_000, ceiling: 10_000_000_000)
      ])
    let fair = octets(
      "00 000000 02000000 01000100 ffffffff 00000000 0d00 0100 66715f636f64656c 00 000000")
    #expect(try classes(fair) == [])
    for count in 0..<whole.count { _ = try? classes(Array(whole.prefix(count))) }
    for position in whole.indices {
      var changed = whole
      changed[position] ^= 0xff
      _ = try? classes(changed)
    }
  }

  @Test("a message that is cut off anywhere is refused or read, never trapped on")
  func damaged() throws {
    let whole = octets(
      """
      00 000000 02000000 00000180 ffffffff 02000000 0800 0100 74626600 2c00 0200 2800 0100
      00 01 0000 0000 0000 d0121300 00 00 0000 0000 0000 00000000 409c0000 ffffffff 00000000
      """)
    for count in 0..<whole.count { _ = try? decoded(Array(whole.prefix(count))) }
    for position in whole.indices {
      var changed = whole
      changed[position] ^= 0xff
      _ = try? decoded(changed)
    }
  }
}
