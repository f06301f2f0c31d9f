import Addresses
import Foundation
import Linux
import Netlink
import TestSupport
import Testing

private func prefix(_ text: String) throws -> IPPrefix { try IPPrefix(text) }
private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

extension KernelNetlink {
  @Suite struct Addresses {
    @Test("a container end is switched on, addressed and routed by one batch")
    func batch() throws {
      let pair = try TestPair("nl-addr")
      let (four, six) = (try prefix("10.1.0.2/24"), try prefix("fd00:1::2/64"))
      let routes = [
        Route(
          to: try prefix("0.0.0.0/0"), via: try address("10.1.0.1"), link: pair.container,
          mtu: 1400, advertisedMSS: 1340, priority: 50),
        // Bits beyond the prefix do not count.
        Route(to: try prefix("10.9.1.2/16"), link: pair.container),
        Route(
          to: try prefix("10.8.0.0/16"), via: try address("192.168.9.9"), link: pair.container,
          table: 1000, isOnLink: true),
        Route(
          to: try prefix("10.7.0.0/16"), via: try address("10.1.0.1"), table: 200,
          source: four.address),
        Route(to: try prefix("::/0"), via: try address("fd00:1::1"), link: pair.container),
        Route(
          to: try prefix("fd00:9::/64"), via: try address("fe80::1"), link: pair.container,
          mtu: 1300, priority: 7, table: 1000),
      ]
      try pair.inside.request(until: .soon) {
        $0.setLink(.index(pair.container), isUp: true)
        $0.addAddress(four, to: pair.container)
        $0.addAddress(six, to: pair.container, detectsDuplicates: false)
        for route in routes { $0.addRoute(route) }
      }

      let addresses = try pair.inside.addresses(of: pair.container, until: .soon)
      let own = try #require(addresses.first { $0.prefix == four })
      #expect(own.broadcast == nil)
      #expect(own.peer == nil)
      #expect(own.scope == .universe)
      #expect(own.isPermanent)
      #expect(own.linkIndex == pair.container)
      let wide = try #require(addresses.first { $0.prefix == six })
      #expect(!wide.isTentative)
      #expect(!wide.isDuplicate)
      let details = try pair.sandbox.ip("address", "show", "eth0")[0]["addr_info"]
      #expect(details.first(where: "local", is: "10.1.0.2")["prefixlen"] == 24)
      #expect(details.first(where: "local", is: "10.1.0.2")["broadcast"].isAbsent)
      #expect(details.first(where: "local", is: "fd00:1::2")["nodad"] == true)

      for route in routes {
        let found = try pair.inside.routes(
          route.destination.address.family, table: route.table, until: .soon)
        #expect(
          found.filter { $0.satisfies(route) }.count == 1, "\(route) in \(found)")
      }
      let shown = try pair.sandbox.ip("route", "show", "default")[0]
      #expect(shown["gateway"] == "10.1.0.1")
      #expect(shown["metric"] == 50)
      #expect(shown["metrics"][0] == ["mtu": 1400, "advmss": 1340])
      let far = try pair.sandbox.ip("route", "show", "table", "1000")[0]
      #expect(far["dst"] == "10.8.0.0/16")
      #expect(far["flags"] == ["onlink"])
      #expect(try pair.sandbox.ip("route", "show", "10.9.0.0/16")[0]["scope"] == "link")

      try pair.inside.request(until: .soon) {
        for route in routes { $0.deleteRoute(route) }
        $0.deleteAddress(four, from: pair.container)
        $0.deleteAddress(six, from: pair.container)
      }
      #expect(try pair.inside.routes(.v4, table: nil, link: pair.container, until: .soon) == [])
      #expect(
        try pair.inside.addresses(of: pair.container, until: .soon).map(\.scope) == []
          || pair.inside.addresses(of: pair.container, until: .soon).map(\.scope) == [.link])
    }

    @Test("a table that no route was ever in is empty")
    func emptyTable() throws {
      let sandbox = try Sandbox()
      let inside = try RouteSocket(in: NetworkNamespace(path: sandbox.path))
      #expect(try inside.routes(.v4, table: 4711, until: .soon) == [])
      #expect(try inside.routes(.v6, table: 4711, until: .soon) == [])
    }

    @Test(
      "routes that were made otherwise are read: several next hops, a gateway of IPv6, blackholes")
    func foreignRoutes() throws {
      let pair = try TestPair("nl-hops")
      func make(_ words: String) throws {
        let words = ["-n", pair.sandbox.name] + words.split(separator: " ").map(String.init)
        try run("ip", words).checked()
      }
      try make("link set eth0 up")
      try make("address add 10.1.0.2/24 dev eth0")
      try make("route add 10.5.0.0/16 nexthop via 10.1.0.1 nexthop via 10.1.0.9")
      try make("route add 10.6.0.0/16 via inet6 fe80::1 dev eth0")
      try make("route add blackhole 10.7.0.0/16")
      let routes = try pair.inside.routes(.v4, until: .soon)
      func gateways(_ text: String) throws -> [String] {
        let destination = try prefix(text)
        return routes.filter { $0.destination == destination }.compactMap {
          $0.gateway?.description
        }
      }
      #expect(try gateways("10.5.0.0/16") == ["10.1.0.1", "10.1.0.9"])
      #expect(try gateways("10.6.0.0/16") == ["fe80::1"])
      #expect(routes.filter { !$0.isUnicast }.map(\.description) == ["10.7.0.0/16"])
      // The same by ourselves.
      let other = Route(
        to: try prefix("10.66.0.0/16"), via: try address("fe80::1"), link: pair.container)
      try pair.inside.request(until: .soon) { $0.addRoute(other) }
      #expect(try pair.inside.routes(.v4, until: .soon).contains { $0.satisfies(other) })
    }

    @Test("what is there already, or cannot be, is refused with the reason")
    func refusals() throws {
      let pair = try TestPair("nl-refuse")
      func message(_ build: (inout Batch) -> Void) -> String {
        do {
          try pair.inside.request(until: .soon, build)
          return "granted"
        } catch { return error.description }
      }
      let index = pair.container
      let (four, six) = (try prefix("10.1.0.2/24"), try prefix("fd00::2/64"))
      let route = Route(to: try prefix("10.9.0.0/16"), via: try address("10.1.0.1"))
      let far = Route(to: try prefix("0.0.0.0/0"), via: try address("10.2.0.1"), link: index)
      #expect(message { $0.addAddress(four, to: index) } == "granted")
      #expect(message { $0.setLink(.index(index), isUp: true) } == "granted")
      #expect(message { $0.addRoute(route) } == "granted")
      #expect(
        message { $0.addRoute(route) }
          == "add route 10.9.0.0/16 via 10.1.0.1: EEXIST (File exists)")
      #expect(
        message { $0.addAddress(four, to: index) }.hasPrefix(
          "add address 10.1.0.2/24: EEXIST (File exists)"))
      #expect(
        message { $0.addRoute(far) }
          == "add route 0.0.0.0/0 via 10.2.0.1: ENETUNREACH (Network is unreachable); "
          + "Nexthop has invalid gateway; "
          + "no address of a link is in one subnet with the gateway 10.2.0.1")
      #expect(
        message { $0.addAddress(four, to: 4711) }
          == "add address 10.1.0.2/24: ENODEV (No such device); "
          + "ipv4: Device not found; the link is gone")
      #expect(
        message { $0.deleteRoute(far) }
          == "delete route 0.0.0.0/0 via 10.2.0.1: ESRCH (No such process); there is no such route")
      #expect(
        message { $0.deleteAddress(six, from: index) }.hasPrefix(
          "delete address fd00::2/64: EADDRNOTAVAIL "))

      try pair.namespace.writeSettings([("ipv6/conf/eth0/disable_ipv6", "1")])
      let disabled = "IPv6 is disabled there (sysctl net.ipv6.conf.*.disable_ipv6)"
      let address = message { $0.addAddress(six, to: index) }
      #expect(
        address.hasPrefix(
          "add address fd00::2/64: EACCES (Permission denied); "))
      #expect(address.hasSuffix(disabled))
      let wide = Route(to: try prefix("fd00:9::/64"), link: index)
      #expect(message { $0.addRoute(wide) }.contains("disable_ipv6"))
    }

    @Test("two routes to one destination by different gateways are both there, in their order")
    func twoGateways() throws {
      let pair = try TestPair("nl-two")
      let routes = try ["10.1.0.1", "10.1.0.9"].map {
        Route(to: try prefix("10.9.0.0/16"), via: try address($0), link: pair.container)
      }
      let four = try prefix("10.1.0.2/24")
      try pair.inside.request(until: .soon) {
        $0.setLink(.index(pair.container), isUp: true)
        $0.addAddress(four, to: pair.container)
        for route in routes { $0.addRoute(route) }
      }
      let found = try pair.inside.routes(.v4, until: .soon).compactMap(\.gateway)
      #expect(found.map(\.description) == ["10.1.0.1", "10.1.0.9"])
    }

    @Test("an address in doubt is told from one that can be used")
    func tentative() throws {
      let pair = try TestPair("nl-dad")
      let six = try prefix("fd00::2/64")
      try pair.inside.request(until: .soon) {
        $0.addAddress(six, to: pair.container)
        $0.setLink(.index(pair.container), isUp: true)
      }
      let found = try pair.inside.addresses(of: pair.container, until: .soon)
      #expect(found.first { $0.prefix == six }?.isTentative == true)
    }

    @Test("the addresses of all links are listed with their links")
    func allAddresses() throws {
      let sandbox = try Sandbox()
      let inside = try RouteSocket(in: NetworkNamespace(path: sandbox.path))
      let found = try inside.addresses(until: .soon)
      #expect(found.map(\.prefix.description) == ["127.0.0.1/8", "::1/128"])
      #expect(found.map(\.scope) == [.host, .host])
      #expect(found.map(\.linkIndex) == [1, 1])
    }
  }
}
