import JSON
import PluginConfigurations
import Testing

@testable import Attachments

private func rates(_ members: String) throws -> Rates? {
  let text = #"{"bridge": "br1", \#(members)}"#
  let configuration = try OVSBridgeConfiguration(
    JSONCursor(try JSONValue(parsing: Array(text.utf8))))
  return Rates(configuration.bandwidth, mtu: configuration.mtu)
}

@Suite struct RatesValueTests {
  @Test("no limit is no rates")
  func none() throws {
    #expect(try rates(#""mtu": 1500"#) == nil)
    #expect(try rates(#""bandwidth": {"ingressRate": 0, "ingressBurst": 0}"#) == nil)
  }

  @Test("a direction without limit has no columns")
  func oneDirection() throws {
    let ingress = try #require(
      try rates(#""bandwidth": {"ingressRate": 8000, "ingressBurst": 8000}"#))
    #expect(ingress.containerBucket == nil)
    #expect(ingress.policingRate(.system) == 0)
    #expect(ingress.policingBurst(.system) == 0)
    let egress = try #require(
      try rates(#""bandwidth": {"egressRate": 8000, "egressBurst": 8000}"#))
    #expect(egress.qosSettings == nil)
    #expect(egress.queueSettings == nil)
    #expect(egress.hostQueueLength == nil)
  }

  @Test(
    "QoS has bits, and a burst of two frames at least and of what 32 bits can tell at most",
    arguments: [
      (10_000_000, 1, 1500, "10000000", "40000"),
      (10_000_000, 1, 9000, "10000000", "144352"),
      (10_000_000, 20_000_000, 1500, "10000000", "20000000"),
      // What runtimes write for "any": 2³¹-1.
      (1_000_000, 2_147_483_647, 1500, "1000000", "200000000"),
      (1 << 50, 1 << 50, 1500, "34359738360", "34359738360"),
    ])
  func qos(rate: Int, burst: Int, mtu: Int, maximum: String, bits: String) throws {
    let found = try #require(
      try rates(
        #""mtu": \#(mtu), "bandwidth": {"ingressRate": \#(rate), "ingressBurst": \#(burst)}"#)
    )
    #expect(found.qosSettings == ["max-rate": maximum])
    #expect(
      found.queueSettings == ["max-rate": maximum, "min-rate": maximum, "burst": bits])
  }

  @Test(
    "the policer of the kernel's datapath has kilobits, and room for 64 KiB",
    arguments: [
      (10_000_000, 1, 10_000, 1000), (10_000_001, 1_000_001, 10_001, 1001),
      (1000, 2_147_483_647, 1, 2_147_484), (1 << 50, 1 << 50, 4_294_967_295, 4_294_967_295),
    ])
  func policing(rate: Int, burst: Int, kilobits: Int64, size: Int64) throws {
    let found = try #require(
      try rates(#""bandwidth": {"egressRate": \#(rate), "egressBurst": \#(burst)}"#))
    #expect(found.policingRate(.system) == kilobits)
    #expect(found.policingBurst(.system) == size)
    #expect(found.policingRate(.netdev) == 0)
    #expect(found.policingBurst(.netdev) == 0)
  }

  @Test("the fewer frames may wait on the host end, the longer they are")
  func queueLength() throws {
    for (mtu, length) in [(68, 24), (1500, 24), (4000, 9), (9000, 4), (65535, 4)] {
      let found = try rates(
        #""mtu": \#(mtu), "bandwidth": {"ingressRate": 10000000, "ingressBurst": 1}"#)
      #expect(found?.hostQueueLength == UInt32(length), "\(mtu)")
    }
  }

  @Test("the token bucket has octets, room for two frames and 4 ms, and a queue of 25 ms")
  func bucket() throws {
    func bucket(_ rate: Int, _ burst: Int) throws -> [UInt64] {
      let found = try rates(#""bandwidth": {"egressRate": \#(rate), "egressBurst": \#(burst)}"#)
      return found?.containerBucket.map { [$0.rate, UInt64($0.burst), UInt64($0.limit)] } ?? []
    }
    #expect(try bucket(10_000_000, 1) == [1_250_000, 5000, 5000 + 31250])
    #expect(try bucket(1_000_000_000, 1) == [125_000_000, 500_000, 500_000 + 3_125_000])
    #expect(try bucket(8000, 1_600_000) == [1000, 200_000, 203_044])
    #expect(try bucket(8000, 1 << 50) == [1000, 4_294_967_295, 4_294_967_295])
  }
}
