import Foundation
import TestSupport
import Testing

@Suite("A published port is reached", .privateHost)
struct DirectionTests {
  private static let transports = ["tcp", "udp", "sctp"]

  /// Three containers: one that publishes port 80 as 8080 by every protocol, a neighbour of it, and
  /// one of another network.
  private struct Place {
    let publishing: Publishing
    let (own, neighbour, other): (Sandbox, Sandbox, Sandbox)
    let previous: Document
    let mappings: [Document]
    let server: Echo

    init(
      _ members: [String: Document] = [:], hostIP: String? = nil, bridge: [String: Document] = [:]
    ) throws {
      publishing = try Publishing()
      own = try Sandbox()
      neighbour = try Sandbox()
      other = try Sandbox()
      mappings = transports.map { mapping(8080, 80, $0, hostIP: hostIP) }
      previous = try publishing.attach("c1", own, bridge)
      let result = try publishing.publish(mappings, "c1", own, previous, members).checked()
      #expect(result == previous)
      _ = try publishing.attach("c2", neighbour, bridge)
      _ = try publishing.attach("c3", other, network: 2)
      server = try Echo("c1", in: own, port: 80)
    }

    /// Whom the server sees; nil where it is not reached.
    func ask(_ from: Sandbox, _ transport: String, _ address: String) throws -> String? {
      try Echo.ask(from, transport, address, 8080)?.peer
    }
  }

  /// The addresses of the host: outside, and the gateways of both networks.
  private static let addresses = [
    ["192.0.2.1", "10.1.0.1", "10.2.0.1"], ["2001:db8:2::1", "fd00:1::1", "fd00:2::1"],
  ]

  @Test("from everywhere, by every address of the host, of both families")
  func everywhere() throws {
    let place = try Place()
    let host = place.publishing.host.namespace
    for transport in Self.transports {
      #expect(try place.ask(host, transport, "127.0.0.1") == "10.1.0.1")
      for (family, addresses) in Self.addresses.enumerated() {
        let gateway = ["10.1.0.1", "fd00:1::1"][family]
        // The first may be lost while neighbours are looked for.
        var outside: String?
        for _ in 0..<3 where outside == nil {
          outside = try place.ask(place.publishing.beyond, transport, addresses[0])
        }
        #expect(
          outside == ["192.0.2.2", "2001:db8:2::2"][family], "\(transport) from outside")
        for address in addresses {
          let what = "\(transport) to \(address)"
          #expect(try place.ask(host, transport, address) != nil, "\(what) from the host")
          #expect(try place.ask(place.own, transport, address) == gateway, "\(what) from itself")
          #expect(
            try place.ask(place.neighbour, transport, address) == gateway,
            "\(what) from a neighbour")
          #expect(
            // That network is masqueraded itself.
            try place.ask(place.other, transport, address) == gateway,
            "\(what) from another network")
        }
      }
    }
    try place.publishing.check(place.mappings, "c1", place.own, place.previous).checked()
  }

  @Test("by the one address of the host that it is of, and by no other")
  func address() throws {
    let place = try Place(hostIP: "192.0.2.1")
    let host = place.publishing.host.namespace
    for transport in Self.transports {
      for from in [host, place.own, place.neighbour, place.other, place.publishing.beyond] {
        #expect(
          try place.ask(from, transport, "192.0.2.1") != nil, "\(transport) from \(from.name)")
      }
    }
    #expect(try place.ask(host, "tcp", "127.0.0.1") == nil)
    #expect(try place.ask(place.neighbour, "tcp", "10.1.0.1") == nil)
    #expect(try place.ask(place.publishing.beyond, "tcp", "2001:db8:2::1") == nil)
    // Nothing leads from 127.0.0.1, so nothing is opened for it.
    #expect(try place.publishing.loopbackRoute() == "0")
  }

  @Test("by 127.0.0.1 alone")
  func loopback() throws {
    let place = try Place(hostIP: "127.0.0.1")
    let host = place.publishing.host.namespace
    #expect(try place.ask(host, "tcp", "127.0.0.1") == "10.1.0.1")
    #expect(try place.ask(host, "tcp", "192.0.2.1") == nil)
    #expect(try place.ask(place.publishing.beyond, "tcp", "192.0.2.1") == nil)
    #expect(try place.publishing.loopbackRoute() == "1")
  }

  @Test("from its ranges only")
  func sources() throws {
    let ranges: Document = ["192.0.2.0/24", "fd00:2::/64"]
    let place = try Place(["sourceRanges": ranges])
    for transport in Self.transports {
      #expect(try place.ask(place.publishing.beyond, transport, "192.0.2.1") == "192.0.2.2")
      #expect(try place.ask(place.other, transport, "2001:db8:2::1") == "fd00:1::1")
    }
    #expect(try place.ask(place.other, "tcp", "192.0.2.1") == nil)
    #expect(try place.ask(place.neighbour, "tcp", "192.0.2.1") == nil)
    #expect(try place.ask(place.publishing.beyond, "tcp", "2001:db8:2::1") == nil)
    try place.publishing.check(
      place.mappings, "c1", place.own, place.previous, ["sourceRanges": ranges]
    ).checked()
  }

  @Test("with its own address as the container sees it, or always with the host's")
  func masquerading() throws {
    let all = try Place(["masqAll": true])
    #expect(try all.ask(all.publishing.beyond, "tcp", "192.0.2.1") == "10.1.0.1")
    #expect(try all.ask(all.other, "udp", "2001:db8:2::1") == "fd00:1::1")
    #expect(try all.ask(all.neighbour, "tcp", "192.0.2.1") == "10.1.0.1")
    try all.publishing.check(
      all.mappings, "c1", all.own, all.previous, ["masqAll": true]
    ).checked()
    let none = try Place(["snat": false])
    #expect(try none.ask(none.publishing.beyond, "tcp", "192.0.2.1") == "192.0.2.2")
    #expect(try none.ask(none.publishing.host.namespace, "tcp", "127.0.0.1") == nil)
    #expect(try none.publishing.loopbackRoute() == "0")
    #expect(try !none.publishing.rules().contains("neighbours-"))
  }

  @Test("by isolated neighbours as well: published is published")
  func isolated() throws {
    let place = try Place(bridge: ["portIsolation": true])
    #expect(try place.ask(place.neighbour, "tcp", "10.1.0.1") == "10.1.0.1")
    #expect(try place.ask(place.neighbour, "udp", "2001:db8:2::1") == "fd00:1::1")
  }

  @Test("and what listens on 127.0.0.1 of the host is not, though the link is open to it")
  func closed() throws {
    let place = try Place()
    let host = place.publishing.host.namespace
    #expect(try place.publishing.loopbackRoute() == "1")
    // What gets as far as the host's own sockets.
    try host.exec(
      "nft",
      [
        "add table inet probe; "
          + "add chain inet probe arrived { type filter hook input priority 0; }; "
          + "add rule inet probe arrived udp dport 7000 counter"
      ]
    ).checked()
    func count() throws -> Int {
      let rule = try host.exec("nft", ["-j", "list", "chain", "inet", "probe", "arrived"]).checked()
      let items = try Document(parsing: rule.bytes)["nftables"].array
      let expressions = items.flatMap { $0["rule"]["expr"].array }
      return expressions.compactMap { $0["counter"]["packets"].integer }.first ?? -1
    }
    func mac(_ sandbox: Sandbox, _ link: String) throws -> String {
      let text = try sandbox.ip("link", "show", link)[0]["address"].text ?? ""
      return text.filter { $0 != ":" }
    }
    let header = try mac(host, "br1") + mac(place.neighbour, "eth0") + "0800"
    // IPv4 with checksum, from 10.1.0.3 to 127.0.0.1, and from 127.0.0.9 to the gateway; then UDP
    // from 1234 to 7000.
    let udp = "04d21b5800090000" + "78"
    let packets = [
      "4500001d000100004011f1ca0a0100037f000001", "4500001d000100004011f1c47f0000090a010001",
    ]
    func send() throws {
      for packet in packets {
        try Echo.send(header + packet + udp, by: "eth0", of: place.neighbour)
      }
    }
    try send()
    usleep(200_000)
    #expect(try count() == 0)
    // Without the rule they would.
    try host.exec("nft", ["flush", "chain", "inet", "patchbay-ports", "localnet"]).checked()
    try send()
    try eventually("frames to 127.0.0.1 arrive") { try count() > 0 }
    let refused = try place.publishing.check(place.mappings, "c1", place.own, place.previous)
    try Messages.expect(
      refused, code: 999, of: "portmap", on: "CHECK, the chain localnet was emptied")
    func finding() throws -> String? {
      let output = try host.exec(
        "\(Plugin.directory)/patchbay",
        ["doctor", "--json", "--db", place.publishing.host.openVSwitch.endpoint])
      return try Document(parsing: output.bytes)["groups"].array.flatMap { $0["checks"].array }
        .compactMap { $0["text"].text }.first { $0.contains("route_localnet") }
    }
    try Messages.expect(
      #require(try finding()), of: "patchbay", on: "doctor: loopback addresses without a rule")
    // What it says mends it.
    try host.exec("sysctl", ["-w", "net/ipv4/conf/br1/route_localnet=0"]).checked()
    #expect(try finding() == nil)
  }
}
