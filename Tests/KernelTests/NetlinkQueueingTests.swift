import Linux
import Netlink
import TestSupport
import Testing

extension KernelNetlink {
  @Suite struct Queueing {
    @Test(
      "a token bucket is made, read back, replaced, and seen by tc",
      arguments: [
        TokenBucket(rate: 1_250_000, burst: 5000, limit: 40000),
        TokenBucket(rate: 125, burst: 200_000, limit: 300_000),
        TokenBucket(rate: 5_000_000_000, burst: 10_000_000, limit: 20_000_000),
      ])
    func limit(bucket: TokenBucket) throws {
      let pair = try TestPair("nl-tbf")
      let index = pair.container
      #expect(try pair.inside.queueingDiscipline(of: index, until: .soon)?.tokenBucket == nil)
      for _ in 0..<2 {
        try pair.inside.request(until: .soon) { $0.limit(index, by: bucket) }
      }
      let found = try #require(try pair.inside.queueingDiscipline(of: index, until: .soon))
      #expect(found.kind == "tbf")
      #expect(found.tokenBucket?.rate == bucket.rate)
      #expect(found.tokenBucket?.limit == bucket.limit)
      let burst = Double(found.tokenBucket?.burst ?? 0)
      // What lasts more than 274 s does not come back.
      if bucket.rate > 1000 {
        #expect(abs(burst - Double(bucket.burst)) <= 1 + Double(bucket.rate) / 1e6)
      }
      let seen = try pair.sandbox.exec("tc", ["qdisc", "show", "dev", "eth0"]).checked().stdout
      #expect(seen.contains("qdisc tbf"), "\(seen)")
    }

    @Test("the classes of htb are read, with rates beyond 32 bits, and no link has any other")
    func classes() throws {
      let pair = try TestPair("nl-htb")
      let index = pair.container
      #expect(try pair.inside.trafficClasses(of: index, until: .soon) == [])
      func tc(_ line: String) throws {
        try pair.sandbox.exec("tc", line.split(separator: " ").map(String.init)).checked()
      }
      try tc("qdisc add dev eth0 root handle 1: htb default 1")
      try tc("class add dev eth0 parent 1: classid 1:1 htb rate 8mbit ceil 16mbit")
      try tc("class add dev eth0 parent 1: classid 1:2 htb rate 80gbit")
      let found = try pair.inside.trafficClasses(of: index, until: .soon)
      #expect(
        found.sorted { $0.handle < $1.handle }.map { [UInt64($0.handle), $0.rate, $0.ceiling] } == [
          [0x10001, 1_000_000, 2_000_000], [0x10002, 10_000_000_000, 10_000_000_000],
        ])
      #expect(try pair.inside.trafficClasses(of: 4711, until: .soon) == [])
      try tc("qdisc replace dev eth0 root tbf rate 8mbit burst 10000 limit 20000")
      #expect(try pair.inside.trafficClasses(of: index, until: .soon) == [])
    }

    @Test("a link that is not there has none, and cannot be limited")
    func absent() throws {
      let pair = try TestPair("nl-tbf-absent")
      #expect(try pair.inside.queueingDiscipline(of: 4711, until: .soon) == nil)
      let error = try #require(throws: RouteError.self) {
        try pair.inside.request(until: .soon) {
          $0.limit(4711, by: TokenBucket(rate: 1000, burst: 2000, limit: 3000))
        }
      }
      #expect(error.errno == .noSuchDevice)
      #expect(error.description.hasPrefix("limit the rate: ENODEV"))
    }

    @Test("the kernel says which kinds of disciplines and actions it has, and nothing is made")
    func kinds() throws {
      let pair = try TestPair("nl-kinds")
      let before = try pair.inside.queueingDiscipline(of: 1, until: .soon)
      for kind in ["tbf", "htb"] {
        #expect(try pair.inside.hasDiscipline(kind, until: .soon))
        #expect(try pair.inside.queueingDiscipline(of: 1, until: .soon) == before)
      }
      #expect(try !pair.inside.hasDiscipline("nonsense", until: .soon))
      #expect(try !pair.inside.hasAction("nonsense", until: .soon))
    }

    @Test("a link has the queue length that it was made with")
    func queueLength() throws {
      let outside = try RouteSocket()
      let links = try outside.request(until: .soon) {
        $0.addVeth(VethEnd("nl-txq", queueLength: 24), peer: VethEnd("nl-txq2"), in: nil)
      }
      defer { _ = try? outside.request(until: .soon) { $0.deleteLink(.named("nl-txq")) } }
      #expect(links.first?.name == "nl-txq")
      #expect(try ip("link", "show", "nl-txq")[0]["txqlen"] == 24)
      #expect(try ip("link", "show", "nl-txq2")[0]["txqlen"] == 1000)
    }
  }
}
