import Addresses
import Linux
import TestSupport
import Testing

@testable import Netlink

/// What `Item` is reported in the messages of `datagram`.
private func decode<Item: Reported>(_ datagram: [UInt8]) throws -> [Item] {
  var items: [Item] = []
  var cursor = MessageCursor(datagram)
  while let message = try cursor.next() {
    if message.type == Item.answerType { try Item.decode(message.body, into: &items) }
  }
  return items
}

@Suite("what Linux 6.18 answered") struct CaptureTests {
  @Test("a link")
  func link() throws {
    let links: [Link] = try decode(captured("link"))
    let link = try #require(links.first)
    #expect(links.count == 1)
    #expect(link.name == "veth1")
    #expect(link.alias == "network net1")
    #expect(link.index == 2)
    #expect(link.mtu == 1400)
    #expect(link.mac == MACAddress("0a:58:0a:01:00:01"))
    #expect(link.kind == "veth")
    #expect(link.isUp)
    #expect(link.hasCarrier)
    #expect(link.operationalState == .up)
    #expect(link.peerIndex == 2)
    #expect(link.peerNamespaceID == 0)
    #expect(link.master == nil)
    #expect(link.group == 0)
    #expect(!link.isLoopback)
  }

  @Test("addresses of both families")
  func addresses() throws {
    let addresses: [LinkAddress] = try decode(captured("addresses"))
    #expect(
      addresses.map(\.prefix.description)
        == ["10.1.0.2/24", "fd00:1::2/64", "fe80::858:aff:fe01:2/64"])
    #expect(addresses.map(\.broadcast) == [IPAddress("10.1.0.255"), nil, nil])
    #expect(addresses.map(\.scope) == [.universe, .universe, .link])
    #expect(addresses.map(\.isTentative) == [false, false, true])
    #expect(addresses.allSatisfy { $0.isPermanent && $0.linkIndex == 2 && $0.peer == nil })
  }

  @Test("IPv4 routes, of which one has two next hops")
  func routes4() throws {
    let routes: [Route] = try decode(captured("routes4"))
    let hops = routes.filter { $0.table == 1000 }
    #expect(hops.map(\.description) == ["10.5.0.0/16 via 10.1.0.1", "10.5.0.0/16 via 10.1.0.9"])
    #expect(hops.map(\.linkIndex) == [2, 2])
    let main = routes.filter { $0.table == Route.mainTable }
    #expect(main.map(\.description) == ["0.0.0.0/0 via 10.1.0.1", "10.1.0.0/24"])
    #expect(main.first?.mtu == 1400)
    #expect(main.first?.advertisedMSS == 1340)
    #expect(main.first?.priority == 50)
    #expect(main.last?.source == IPAddress("10.1.0.2"))
    #expect(main.last?.scope == .link)
    #expect(routes.filter { $0.table == 255 }.allSatisfy { !$0.isUnicast })
  }

  @Test("IPv6 routes")
  func routes6() throws {
    let routes: [Route] = try decode(captured("routes6"))
    #expect(
      routes.map(\.description) == ["fd00:1::/64", "fd00:9::/64 via fe80::1", "fe80::/64"])
    #expect(routes.map(\.priority) == [256, 7, 256])
  }

  @Test("a refusal in the kernel's words, and the attribute that it is about")
  func refusals() throws {
    func acknowledgement(_ name: String) throws -> Acknowledgement {
      var cursor = MessageCursor(try captured(name))
      return try Acknowledgement(try #require(try cursor.next()))
    }
    let mtu = try acknowledgement("refusal")
    #expect(mtu.errno == .invalidArgument)
    #expect(mtu.words == "mtu less than device minimum")
    #expect(mtu.offset == nil)
    let name = try acknowledgement("policy")
    #expect(name.errno?.description == "ERANGE (Numerical result out of range)")
    #expect(name.words == "Attribute failed policy validation")
    #expect(name.offset == 32)
  }

  @Test("what a wanted route leaves open is not compared; what it says is")
  func satisfies() throws {
    let routes: [Route] = try decode(captured("routes4"))
    let route = try #require(routes.first { $0.destination.length == 0 })
    let wanted = Route(to: try IPPrefix("0.0.0.0/0"), via: IPAddress("10.1.0.1"))
    #expect(route.satisfies(wanted))
    func differs(_ change: (inout Route) -> Void) -> Bool {
      var other = wanted
      change(&other)
      return !route.satisfies(other)
    }
    #expect(differs { $0.gateway = IPAddress("10.1.0.2") })
    #expect(differs { $0.gateway = nil })
    #expect(differs { $0.linkIndex = 3 })
    #expect(differs { $0.mtu = 1500 })
    #expect(differs { $0.advertisedMSS = 1 })
    #expect(differs { $0.priority = 0 })
    #expect(differs { $0.table = 255 })
    #expect(differs { $0.scope = .link })
    #expect(differs { $0.isOnLink = true })
    #expect(differs { $0.source = IPAddress("10.1.0.2") })
    #expect(differs { $0.isUnicast = false })
    #expect(!differs { $0.mtu = 1400 })
  }
}

@Suite struct FuzzTests {
  private func read(_ octets: [UInt8]) {
    var (links, addresses, routes) = ([Link](), [LinkAddress](), [Route]())
    try? Link.decode(octets[...], into: &links)
    try? LinkAddress.decode(octets[...], into: &addresses)
    try? Route.decode(octets[...], into: &routes)
    _ = NetlinkFamily.route.attributeName(at: octets.count / 2, of: octets[...])
    _ = Trace(.route).text("receive", octets)
    _ = Trace(.generic).text("receive", octets)
    var cursor = MessageCursor(octets)
    while let message = try? cursor.next() {
      _ = try? Acknowledgement(message).words(about: octets[...], of: .route)
      try? Link.decode(message.body, into: &links)
      try? LinkAddress.decode(message.body, into: &addresses)
      try? Route.decode(message.body, into: &routes)
    }
    for link in links { _ = "\(link)" }
    for route in routes { _ = (route.description, route.satisfies(route), route.header().bytes) }
  }

  @Test("no octets at all trap a decoder")
  func random() {
    var random = SeededGenerator(4711)
    for _ in 0..<3000 {
      let count = Int.random(in: 0...120, using: &random)
      // Small numbers are more often lengths that nearly fit.
      let limit: UInt8 = Bool.random(using: &random) ? 255 : 40
      read((0..<count).map { _ in UInt8.random(in: 0...limit, using: &random) })
    }
  }

  @Test("no change of what a kernel sends traps a decoder", arguments: captures)
  func mutated(name: String) throws {
    var random = SeededGenerator(815)
    let original = try captured(name)
    for _ in 0..<400 {
      var octets = original
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<octets.count, using: &random)
        octets[place] = [0, 1, 3, 4, 0x7f, 0x80, 0xff].randomElement(using: &random) ?? 0
      }
      if Bool.random(using: &random) {
        octets.removeLast(Int.random(in: 0..<octets.count, using: &random))
      }
      read(octets)
    }
  }

  @Test("a routing message of any kind is written and read back the same")
  func routes() throws {
    var random = SeededGenerator(99)
    for _ in 0..<500 {
      let family: IPAddress.Family = Bool.random(using: &random) ? .v4 : .v6
      func address() throws -> IPAddress {
        let limit: UInt128 = family == .v4 ? UInt128(UInt32.max) : .max
        return try #require(
          IPAddress(family, value: UInt128.random(in: 0...limit, using: &random)))
      }
      func maybe<Value>(_ value: Value) -> Value? { Bool.random(using: &random) ? value : nil }
      let length = UInt8.random(in: 0...family.bits, using: &random)
      let route = Route(
        to: try #require(IPPrefix(try address(), length: length)).masked,
        via: maybe(try address()), link: maybe(.random(in: 1...Int32.max, using: &random)),
        mtu: maybe(1400), advertisedMSS: maybe(.random(in: 0...UInt32.max, using: &random)),
        priority: maybe(7), table: .random(in: 1...1000, using: &random),
        scope: Scope(rawValue: .random(in: 0...254, using: &random)),
        isOnLink: Bool.random(using: &random), source: maybe(try address()))
      var writer = AttributeWriter<RouteSpace>(route.header().bytes)
      route.encode(into: &writer)
      var read: [Route] = []
      try Route.decode(writer.bytes[...], into: &read)
      #expect(read == [route])
    }
  }
}
