import Foundation
import TestSupport
import Testing

@Suite("In chains with the reference plugins", .privateHost) struct ChainTests {
  private let network: Network
  private let dual: [String: Document]

  init() throws {
    network = try Network()
    let addressed = network.addressed("10.1.0.0/24", "fd00:1::/64")
    let routes: Document = ["routes": [["dst": "0.0.0.0/0"], ["dst": "fd00:2::/64"]]]
    dual = addressed.with(["ipam": addressed["ipam"].with(routes.members)]).members
  }

  /// The versions of the specification with CHECK that the installed reference plugins speak.
  static let spoken: [String] = {
    let answer = try? Plugin("tuning", reference: true).call(
      ["CNI_COMMAND": "VERSION"], input: Array(#"{"cniVersion": "1.0.0"}"#.utf8))
    let versions = answer?.json["supportedVersions"].array.compactMap(\.text) ?? []
    return ["0.4.0", "1.0.0", "1.1.0"].filter { versions.contains($0) }
  }()

  @Test("the reference plugins speak two versions with CHECK at least")
  func versions() { #expect(Self.spoken.starts(with: ["0.4.0", "1.0.0"])) }

  private func reference(_ name: String) -> Plugin { network.host.plugin(name, reference: true) }
  private func ours(_ members: [String: Document] = [:]) -> (Plugin, [String: Document]) {
    var all = dual.filter { !["cniVersion", "name", "type"].contains($0.key) }
    for (key, value) in members { all[key] = value }
    return (network.plugin, all)
  }
  private func mirror(_ role: String) -> (Plugin, [String: Document]) {
    (
      network.host.plugin("ovs-mirror-\(role)"),
      [
        "bridge": "br1", "socket_file": .string(network.host.openVSwitch.endpoint),
        "mirrors": [["name": "m1", "ingress": true]],
      ]
    )
  }

  /// Members of a result that a plugin must hand on; the reference drops `mtu`, and adds `dns`.
  private func same(_ left: Document, _ right: Document) -> Bool {
    ["ips", "routes"].allSatisfy { left[$0] == right[$0] }
      && left["interfaces"].array.map { $0["name"] }.prefix(2)
        == right["interfaces"].array.map { $0["name"] }.prefix(2)
  }

  @Test(
    "ADD, CHECK and DEL pass, and DEL leaves the host as before, with one after ovs-bridge",
    arguments: [
      (
        "tuning",
        [
          "sysctl": ["net.ipv4.conf.eth0.arp_filter": "1"], "mtu": 1400, "allmulti": true,
          "txQLen": 777,
        ]
      ), ("tuning", ["mac": "02:00:00:00:00:77", "promisc": true, "mtu": 1600]),
      (
        "bandwidth",
        [
          "ingressRate": 10_000_000, "ingressBurst": 100_000, "egressRate": 10_000_000,
          "egressBurst": 100_000,
        ]
      ), ("sbr", [:]), ("firewall", [:]),
    ] as [(String, [String: Document])], spoken)
  func after(case: (name: String, members: [String: Document]), version: String) throws {
    let (name, members) = `case`
    let sandbox = try Sandbox()
    let before = try network.host.snapshot()
    let chain = Chain(network, version: version, [ours(), (reference(name), members)])
    let results = try chain.add("c1", sandbox)
    #expect(same(results[0], results[1]), "\(results)")
    try chain.check("c1", sandbox, results[1])
    try chain.delete("c1", sandbox, results[1])
    if name == "firewall" {
      let left = try network.host.namespace.exec("iptables-save").checked().stdout
      #expect(!left.contains("10.1.0.2"), "\(left)")
      // It leaves the chains that all containers share.
      try network.host.namespace.exec("nft", ["flush", "ruleset"]).checked()
    }
    try network.expectAsBefore(before)
    #expect(try sandbox.ip("link").array.map { $0["ifname"] } == ["lo"])
  }

  /// The reference portmap, which publishes 5201 of the container as 5300 of the host.
  private func publishing() -> (Plugin, [String: Document]) {
    let mapping: Document = ["hostPort": 5300, "containerPort": 5201, "protocol": "tcp"]
    return (
      reference("portmap"),
      [
        "snat": true, "capabilities": ["portMappings": true],
        "runtimeConfig": ["portMappings": [mapping]],
      ]
    )
  }
  /// That the published port is answered by the container.
  private func expectPublished(_ sandbox: Sandbox) throws {
    let directory = try TemporaryDirectory()
    let server = try Daemon(
      "ip", ["netns", "exec", sandbox.name, executable("iperf3"), "-s"],
      environment: ProcessInfo.processInfo.environment, log: "\(directory.path)/log")
    defer { server.stop() }
    try eventually("iperf3 listens") {
      try sandbox.exec("ss", ["-ltn"]).stdout.contains(":5201")
    }
    try network.host.namespace.exec("iperf3", ["-c", "10.1.0.1", "-p", "5300", "-n", "100K"])
      .checked()
  }
  private func gateway(_ bridge: String) -> [String: Document] {
    network.addressed("10.1.0.0/24").with([
      "isGateway": true, "bridge": .string(bridge), "cniVersion": .absent, "name": .absent,
      "type": .absent,
    ]).members
  }

  @Test("CHECK of the reference portmap fails with ip6tables, after the reference bridge as well")
  func portmapFault() throws {
    for plugin in [network.plugin, reference("bridge")] {
      let sandbox = try Sandbox()
      let chain = Chain(
        network,
        [(plugin, gateway(plugin.name == "bridge" ? "kbr0" : "br1")), publishing()])
      let results = try chain.add("c1", sandbox)
      let refused = try chain.check(only: "portmap", "c1", sandbox, results[1])
      #expect(refused.count == 1)
      #expect(
        refused[0].message.hasPrefix("could not check ipv6 dnat: chain CNI-DN-"), "\(refused)")
      try chain.check("c1", sandbox, results[1])
      try chain.delete("c1", sandbox, results[1])
    }
  }

  @Test(
    "a published port reaches the container through the gateway of ovs-bridge", arguments: spoken)
  func portmap(version: String) throws {
    let sandbox = try Sandbox()
    let chain = Chain(
      network, version: version,
      [(network.plugin, gateway("br1")), (reference("firewall"), [:]), publishing()])
    let results = try chain.add("c1", sandbox)
    #expect(same(results[0], results[2]), "\(results)")
    try chain.check("c1", sandbox, results[2])
    try expectPublished(sandbox)
    try chain.delete("c1", sandbox, results[2])
    let left = try network.host.namespace.exec("iptables-save").checked().stdout
    #expect(!left.contains("5300") && !left.contains("10.1.0.2"), "\(left)")
    #expect(try network.host.openVSwitch.ports(of: "br1") == [])
  }

  @Test("all of them before and after ovs-bridge: results, CHECK in order, DEL in reverse")
  func everything() throws {
    let sandbox = try Sandbox()
    try network.host.namespace.exec("ip", ["link", "set", "br1", "up"]).checked()
    let before = try network.host.settledSnapshot()
    // Before ovs-bridge there is no link yet that they could limit or publish; sbr, which moves the
    // routes of one, cannot be there.
    let chain = Chain(
      network,
      [
        (network.host.plugin("loopback"), [:]),
        (reference("portmap"), ["capabilities": ["portMappings": true]]),
        (reference("bandwidth"), ["ingressRate": 0]),
        (reference("tuning"), ["sysctl": ["net.ipv4.ip_default_ttl": "63"]]),
        (reference("firewall"), [:]), (network.plugin, gateway("br1")),
        (reference("tuning"), ["sysctl": ["net.ipv4.conf.eth0.arp_filter": "1"], "mtu": 1400]),
        (reference("firewall"), [:]),
        (
          reference("bandwidth"),
          [
            "ingressRate": 50_000_000, "ingressBurst": 8_000_000, "egressRate": 50_000_000,
            "egressBurst": 8_000_000,
          ]
        ), (reference("sbr"), [:]), publishing(),
      ])
    let results = try chain.add("c1", sandbox)
    let (earlier, made) = (results[4], results[5])
    #expect(made["interfaces"][0]["name"] == "lo")
    #expect(made["interfaces"][2]["name"] == "eth0")
    #expect(made["ips"].array.prefix(earlier["ips"].array.count) == earlier["ips"].array[...])
    #expect(made["ips"].array.last?["address"] == "10.1.0.2/24")
    let last = results[10]
    #expect(last["ips"] == made["ips"])
    #expect(
      last["interfaces"].array.prefix(4).map { $0["name"] }
        == made["interfaces"].array.map { $0["name"] })
    try chain.check("c1", sandbox, last)

    try expectPublished(sandbox)
    try chain.delete("c1", sandbox, last)
    let left = try network.host.namespace.exec("iptables-save").checked().stdout
    #expect(!left.contains("5300") && !left.contains("10.1.0.2"), "\(left)")
    // The reference plugins leave the chains that all containers share.
    try network.host.namespace.exec("nft", ["flush", "ruleset"]).checked()
    try network.expectAsBefore(before)
    #expect(try sandbox.ip("link").array.map { $0["ifname"] } == ["lo"])
  }

  @Test("plugins before ovs-bridge hand on to it, and mirrors hand on what they get")
  func between() throws {
    let sandbox = try Sandbox()
    let before = try network.host.snapshot()
    let chain = Chain(
      network,
      [
        (reference("loopback"), [:]),
        (reference("tuning"), ["sysctl": ["net.ipv4.ip_default_ttl": "63"]]),
        ours(), (reference("tuning"), ["sysctl": ["net.ipv4.conf.eth0.arp_filter": "1"]]),
        mirror("producer"),
        (reference("bandwidth"), ["ingressRate": 10_000_000, "ingressBurst": 100_000]),
      ])
    let results = try chain.add("c1", sandbox)
    let last = try #require(results.last)
    #expect(
      last["interfaces"].array.prefix(3).map { $0["name"] }
        == ["lo", results[2]["interfaces"][1]["name"], "eth0"])
    #expect(last["ips"].array.contains(results[0]["ips"][0]), "\(last)")
    #expect(results[4]["interfaces"] == results[3]["interfaces"])
    #expect(results[4]["ips"] == results[3]["ips"])
    #expect(
      try network.host.openVSwitch.row("Mirror", "m1")["select_src_port"]
        == (try network.host.openVSwitch.row(
          "Port", results[2]["interfaces"][1]["name"].text ?? ""))["_uuid"])
    // The reference loopback wants the result to tell of lo alone.
    try chain.check("c1", sandbox, last, but: ["loopback"])
    try chain.delete("c1", sandbox, last)
    let left = try network.host.snapshot().difference(from: before)
    #expect(left.split(separator: "\n").filter { !$0.contains("/leases/") } == [])
  }
}
