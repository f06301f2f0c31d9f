import Foundation
import TestSupport
import Testing

/// A host with an address in both families, and a container that sends it whatever it can.
private struct Attacked {
  let network: Network
  let sandbox: Sandbox
  let hostEnd: String
  let configuration: Document
  let result: Document

  var host: Sandbox { network.host.namespace }

  /// - Parameter members: Of the attachment's configuration.
  init(_ members: [String: Document], addressed: Bool) throws {
    network = try Network()
    sandbox = try Sandbox()
    let host = network.host.namespace
    // Whatever the host's defaults are: links take advertisements and do not ask where a packet
    // comes from, and the host forwards.
    for setting in [
      "net.ipv4.conf.all.rp_filter=2", "net.ipv4.conf.default.rp_filter=2",
      "net.ipv4.conf.default.accept_redirects=1", "net.ipv4.conf.default.arp_accept=1",
      "net.ipv6.conf.default.accept_ra=2", "net.ipv4.ip_forward=1",
    ] {
      try host.exec("sysctl", ["-q", "-w", setting]).checked()
    }
    for address in ["192.0.2.1/32", "2001:db8:1::1/128"] {
      try host.exec("ip", ["address", "add", address, "dev", "lo"]).checked()
    }
    configuration =
      addressed
      ? network.addressed("10.1.0.0/24", members: members) : network.configuration(members)
    result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    hostEnd = result["interfaces"][0]["name"].text ?? ""
  }

  /// Counts what the host's IP stack gets by host ends and what it sends there: after the rule, for
  /// which the same would be counted without it.
  func watch() throws {
    let mine = "iifgroup 0x70000000-0x7fffffff counter"
    let out = "oifgroup 0x70000000-0x7fffffff counter"
    let rules = """
      table inet watch {
        chain input { type filter hook prerouting priority -299; \(mine); }
        chain output { type filter hook output priority 0; \(out); }
      }
      table arp watch {
        chain input { type filter hook input priority 10; \(mine); }
        chain output { type filter hook output priority 0; \(out); }
      }
      """
    try host.exec("nft", ["-f", "-"], input: Array(rules.utf8)).checked()
  }

  /// How many packets were counted since the last time, of IP and of ARP.
  func seen() throws -> (ip: Int, arp: Int) {
    func count(_ family: String) throws -> Int {
      let text = try host.exec("nft", ["list", "table", family, "watch"]).checked().stdout
      let words = text.split(whereSeparator: { $0.isWhitespace })
      return words.indices.dropLast().reduce(0) {
        $0 + (words[$1] == "packets" ? Int(words[$1 + 1]) ?? 0 : 0)
      }
    }
    let counts = (try count("inet"), try count("arp"))
    for family in ["inet", "arp"] {
      try host.exec("nft", ["delete", "table", family, "watch"]).checked()
    }
    try watch()
    return counts
  }

  /// Sends everything, and waits until it has come to the host end.
  func attack() throws {
    var targets = [try host.hardwareAddress(hostEnd)]
    for interface in result["interfaces"].array.dropFirst(2) {
      targets.append((interface["mac"].text ?? "").replacing(":", with: ""))
    }
    let frames = HostileFrames(
      own: try sandbox.hardwareAddress(), targets: targets, host4: "192.0.2.1", own4: "10.1.0.2",
      host6: "2001:db8:1::1", own6: "2001:db8:9::9"
    ).all.map { $0.frame }
    let before = try received()
    try sandbox.sendFrames(frames)
    try eventually("the frames are at the host end") { try received() >= before + frames.count }
  }

  private func received() throws -> Int {
    let path = "/sys/class/net/\(hostEnd)/statistics/rx_packets"
    return Int(try host.exec("cat", [path]).checked().stdout.dropLast()) ?? 0
  }

  /// What the host has learned: routes and addresses from advertisements, neighbours at the host
  /// end.
  func learned() throws -> [String] {
    var lines: [String] = []
    for words in [
      ["-6", "route", "show", "table", "all", "proto", "ra"],
      ["-6", "-o", "address", "show", "scope", "global", "dynamic"],
      ["neighbour", "show", "dev", hostEnd], ["-6", "-o", "address", "show", "dev", hostEnd],
    ] {
      lines += try host.exec("ip", words).checked().stdout.split(separator: "\n").map(String.init)
    }
    return lines
  }

  func expectNothing(_ when: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    _ = try seen()
    try attack()
    let counts = try seen()
    figures("hostile frames \(when); seen by the host: \(counts.ip + counts.arp)")
    #expect(counts.ip == 0, "IP \(when)", sourceLocation: sourceLocation)
    #expect(counts.arp == 0, "ARP \(when)", sourceLocation: sourceLocation)
    #expect(try learned() == [], "\(when)", sourceLocation: sourceLocation)
  }
}

@Suite("What a container sends into its host end", .privateHost) struct HostShieldTests {
  static let members: [(String, [String: Document], Bool)] = [
    ("layer 2", [:], false),
    (
      "an access port, isolated, with rates",
      [
        "vlan": 10, "portIsolation": true,
        "bandwidth": [
          "ingressRate": 100_000_000, "ingressBurst": 10_000_000, "egressRate": 1_000_000_000,
          "egressBurst": 100_000_000,
        ],
      ], false
    ),
    ("a trunk", ["trunk": [["minID": 0, "maxID": 30]]], false),
    ("a gateway", ["isDefaultGateway": true], true),
    (
      "the gateway of a VLAN, isolated",
      ["isDefaultGateway": true, "vlan": 20, "portIsolation": true], true
    ),
  ]

  @Test(
    "is never processed by the host: at a port, after a restart of ovs-vswitchd, at no port",
    arguments: members.indices)
  func nothing(index: Int) throws {
    let (name, members, addressed) = Self.members[index]
    let attacked = try Attacked(members, addressed: addressed)
    let ovs = attacked.network.host.openVSwitch
    try attacked.watch()
    try attacked.expectNothing("at \(name)")
    ovs.stopSwitching()
    try attacked.expectNothing("at \(name) without ovs-vswitchd")
    try ovs.startSwitching()
    try attacked.expectNothing("at \(name) after a restart")
    try ovs.vsctl("del-port", attacked.hostEnd)
    try attacked.expectNothing("at \(name) that is no port any more")

    // What is counted would be something without the rule.
    for family in ["inet", "arp"] {
      try attacked.host.exec("nft", ["delete", "table", family, "patchbay_host_ends"]).checked()
    }
    try attacked.attack()
    let counts = try attacked.seen()
    #expect(counts.ip > 0 && counts.arp > 0)
  }

  @Test("is not processed before the host end is a port")
  func before() throws {
    let attacked = try Attacked([:], addressed: false)
    try attacked.watch()
    let network = attacked.network
    let sandbox = try Sandbox()
    let switching = try #require(network.host.openVSwitch.switching)
    switching.suspend()
    defer { switching.resume() }
    let late = DispatchWorkItem {
      _ = try? network.plugin.add(
        network.configuration(["timeout": .integer(4 * slowness)]), containerID: "c2",
        sandbox: sandbox)
    }
    DispatchQueue.global().async(execute: late)
    try eventually("the container's end is up") {
      try sandbox.exec("cat", ["/sys/class/net/eth0/operstate"]).stdout == "up\n"
    }
    let frames = HostileFrames(
      own: try sandbox.hardwareAddress(), targets: [], host4: "192.0.2.1", own4: "10.1.0.9",
      host6: "2001:db8:1::1", own6: "2001:db8:9::9"
    ).all.map { $0.frame }
    try sandbox.sendFrames(frames)
    let counts = try attacked.seen()
    #expect(counts.ip == 0 && counts.arp == 0)
    late.wait()
  }

  @Test(
    "a gateway takes no advertisement, of whatever family it is and whatever the host's defaults",
    arguments: [nil, 20] as [Int?])
  func advertisements(vlan: Int?) throws {
    let members: [String: Document] = [
      "isDefaultGateway": true, "vlan": vlan.map { .integer($0) } ?? .absent,
    ]
    let attacked = try Attacked(members, addressed: true)
    let gateway = attacked.result["interfaces"][2]["name"].text ?? ""
    // Forwarding hides what a link with accept_ra 1 would do.
    try attacked.host.exec("sysctl", ["-q", "-w", "net.ipv6.conf.all.forwarding=0"]).checked()
    let frames = HostileFrames(
      own: try attacked.sandbox.hardwareAddress(), targets: [], host4: "10.1.0.1", own4: "10.1.0.2",
      host6: "2001:db8:1::1", own6: "2001:db8:9::9")
    try attacked.sandbox.sendFrames([frames.advertisementFrame("2001:db8:66::")])
    // ARP goes the same way after it.
    #expect(try attacked.sandbox.reaches("10.1.0.1"))
    #expect(try attacked.learned() == [])
    try attacked.network.plugin.check(
      attacked.configuration, previous: attacked.result, containerID: "c1",
      sandbox: attacked.sandbox
    ).checked()

    // The same advertisement works where the setting is another, of which CHECK tells.
    try attacked.host.exec(
      "sysctl", ["-q", "-w", "net.ipv6.conf.\(gateway.replacing(".", with: "/")).accept_ra=1"]
    )
    .checked()
    try attacked.host.exec(
      "sysctl", ["-q", "-w", "net.ipv6.conf.\(gateway.replacing(".", with: "/")).autoconf=1"]
    )
    .checked()
    try eventually("the advertisement is taken") {
      try attacked.sandbox.sendFrames([frames.advertisementFrame("2001:db8:66::")])
      return try !attacked.learned().isEmpty
    }
    let check = try attacked.network.plugin.check(
      attacked.configuration, previous: attacked.result, containerID: "c1",
      sandbox: attacked.sandbox)
    try Messages.expect(
      check, code: 999, of: "ovs-bridge", on: "CHECK, \(gateway) takes router advertisements")
  }

  @Test("the rule is looked for, not assumed: CHECK misses it, and the next ADD puts it back")
  func flushed() throws {
    let attacked = try Attacked([:], addressed: false)
    let (network, host) = (attacked.network, attacked.host)
    func check() throws -> PluginResult {
      try network.plugin.check(
        attacked.configuration, previous: attacked.result, containerID: "c1",
        sandbox: attacked.sandbox)
    }
    try check().checked()
    let whole = try host.exec("nft", ["list", "ruleset"]).checked().stdout
    #expect(whole.contains("iifname \"veth*\" iifgroup 1879048192-2147483647 drop"))
    for (number, command) in [
      "flush ruleset", "delete table arp patchbay_host_ends",
      "flush chain inet patchbay_host_ends prerouting",
      "insert rule inet patchbay_host_ends prerouting accept",
      "add table arp patchbay_host_ends { flags dormant; }",
      "delete chain inet patchbay_host_ends prerouting; add chain inet patchbay_host_ends prerouting "
        + "{ type filter hook prerouting priority 0; }",
    ].enumerated() {
      try host.exec("nft", [command]).checked()
      let missed = try check()
      try Messages.expect(missed, code: 999, of: "ovs-bridge", on: "CHECK, after nft \(command)")
      let sandbox = try Sandbox()
      try network.plugin.add(
        network.configuration(), containerID: "d\(number)", sandbox: sandbox
      ).checked()
      #expect(try host.exec("nft", ["list", "ruleset"]).checked().stdout == whole, "\(command)")
      try check().checked()
    }
  }
}
