import Foundation
import TestSupport
import Testing

@Suite(
  "A host whose own firewall drops what it forwards", .privateHost, .only(on: .userspace))
struct ForwardTests {
  let routed: Routed
  var host: Sandbox { routed.host.namespace }

  /// As Docker and ufw leave it.
  init() throws {
    routed = try Routed()
    for program in ["iptables-nft", "ip6tables-nft"] {
      try host.exec(program, ["-P", "FORWARD", "DROP"]).checked()
      try host.exec(program, ["-A", "FORWARD", "-i", "other0", "-j", "ACCEPT"]).checked()
    }
    try routed.beyond.exec("ip", ["route", "add", "10.1.0.0/24", "via", "192.0.2.1"]).checked()
  }

  func patchbay(_ words: String...) throws -> Output {
    try host.exec(
      "\(Plugin.directory)/patchbay", words + ["--db", routed.ovs.endpoint],
      environment: ProcessInfo.processInfo.environment.merging(
        ["CNI_PATH": Plugin.directory, "NETCONFPATH": "\(routed.host.directory.path)/net.d"]
      ) { $1 })
  }
  /// What is wrong with a port.
  func shown(_ port: String) throws -> [String] {
    let document = try Document(parsing: patchbay("show", "--json").bytes)
    return document["bridges"][0]["ports"].first(where: "name", is: .string(port))["problems"].array
      .compactMap(\.text)
  }

  /// What `doctor` says of this.
  func findings(_ word: String) throws -> String {
    try Document(parsing: patchbay("doctor", "--json").bytes)["groups"].array
      .flatMap { $0["checks"].array.compactMap { $0["text"].text } }
      .filter { $0.contains(word) }.joined(separator: "\n")
  }

  private func listing() throws -> [String] {
    try ["iptables-nft", "ip6tables-nft"].flatMap {
      try host.exec($0, ["-S", "FORWARD"]).checked().stdout.split(separator: "\n").map(String.init)
    }
  }

  @Test("lets containers out and answers in, and is as it was after the last of them")
  func accept() throws {
    let before = try listing()
    let sandboxes = try [Sandbox(), Sandbox()]
    let configuration = routed.configuration(["ipMasq": false, "vlan": 40])
    let result = try routed.add(configuration, "c1", sandboxes[0])
    let second = try routed.add(configuration, "c2", sandboxes[1])
    #expect(try sandboxes[0].reaches("192.0.2.2"))
    try routed.beyond.exec("ip", ["route", "add", "fd00:1::/64", "via", "2001:db8:2::1"]).checked()
    // The router asks for its neighbour after duplicate address detection only.
    try eventually("IPv6 passes") { try sandboxes[0].reaches("2001:db8:2::2") }
    // What is new comes in only where it is published.
    #expect(try !routed.beyond.reaches(result.firstAddress, count: 1))
    try host.exec(
      "nft", ["-f", "-"],
      input: Array(
        """
        table ip published {
          chain in {
            type nat hook prerouting priority -100;
            iifname "up0" ip daddr 192.0.2.1 icmp type echo-request dnat to \(second.firstAddress)
          }
        }
        """.utf8)
    ).checked()
    #expect(try routed.beyond.reaches("192.0.2.1"))
    try host.exec("nft", ["delete", "table", "ip", "published"]).checked()

    // Three rules a family, in words of iptables and of nft, whatever came how often.
    let rules = try listing()
    #expect(rules.count == before.count + 6, "\(rules)")
    #expect(
      rules.contains {
        $0.contains("-o br1.40") && $0.contains("--ctstate RELATED,ESTABLISHED ")
      }, "\(rules)")
    let native = try host.exec("nft", ["list", "chain", "ip", "filter", "FORWARD"]).stdout
    #expect(
      native.contains(#"oifname "br1.40" ct state related,established accept"#)
        && native.contains(#"oifname "br1.40" ct status dnat accept"#), "\(native)")
    func check() throws -> PluginResult {
      try routed.plugin.check(
        configuration, previous: result, containerID: "c1", sandbox: sandboxes[0])
    }
    try check().checked()
    try host.exec("iptables-nft", ["-F", "FORWARD"]).checked()
    try Messages.expect(
      check(), code: 999, of: "ovs-bridge", on: "CHECK, FORWARD drops what the gateway forwards")
    #expect(try !sandboxes[0].reaches("192.0.2.2", count: 1))
    try host.exec("iptables-nft", ["-A", "FORWARD", "-i", "other0", "-j", "ACCEPT"]).checked()
    try Messages.expect(
      shown("br1.40").joined(separator: "\n"), of: "patchbay", on: "show: FORWARD drops")
    #expect(try patchbay("doctor").status == 1)
    try Messages.expect(findings("FORWARD"), of: "patchbay", on: "doctor: FORWARD drops")
    let repaired = try patchbay("repair", "net1").checked().stdout
    try Messages.expect(repaired, of: "patchbay", on: "repair, of what lets br1.40 pass")
    try check().checked()
    #expect(try sandboxes[0].reaches("192.0.2.2"))
    #expect(try shown("br1.40") == [])
    #expect(try findings("FORWARD") == "")

    let sandbox = try Sandbox()
    _ = try routed.add(configuration, "c3", sandbox)
    try check().checked()
    for (id, gone) in [("c1", sandboxes[0]), ("c2", sandboxes[1]), ("c3", sandbox)] {
      #expect(try listing().count == before.count + 6)
      try routed.del(configuration, id, gone)
    }
    #expect(try listing() == before)
  }

  @Test("stays as it is with forward: leave")
  func leave() throws {
    let before = try listing()
    let sandbox = try Sandbox()
    let configuration = routed.configuration(["forward": "leave"])
    let result = try routed.add(configuration, "c1", sandbox)
    #expect(try listing() == before)
    #expect(try !sandbox.reaches("192.0.2.2", count: 1))
    try routed.plugin.check(configuration, previous: result, containerID: "c1", sandbox: sandbox)
      .checked()
    _ = try patchbay("repair", "net1").checked()
    #expect(try listing() == before)
    // What the operator is told does what it says.
    let told = try #require(try shown("br1").first { $0.contains("ip filter FORWARD") })
    let command = try #require(told.split(separator: "; ", maxSplits: 1).last)
    try host.exec("sh", ["-c", String(command.replacing(" lets it pass", with: ""))]).checked()
    #expect(try sandbox.reaches("192.0.2.2"))
    try routed.del(configuration, "c1", sandbox)
  }

  @Test("of a gateway that went without a command goes with DEL or GC", arguments: [false, true])
  func orphans(byGC: Bool) throws {
    let before = try listing()
    let sandbox = try Sandbox()
    let configuration = routed.configuration()
    let other = routed.configuration(["bridge": "br2", "name": "net2"])
    _ = try routed.add(configuration, "c1", sandbox)
    _ = try routed.add(
      other.with([
        "ipam": [
          "type": "static", "addresses": [["address": "10.2.0.5/24", "gateway": "10.2.0.1"]],
        ]
      ]), "c2", try Sandbox())
    try routed.ovs.vsctl(["--timeout=10", "del-br", "br1"]).checked()
    #expect(try listing().contains { $0.contains("-i br1 ") })
    if byGC {
      try routed.plugin.gc(configuration, valid: []).checked()
    } else {
      try routed.del(configuration, "c1", sandbox)
    }
    let left = try listing()
    #expect(!left.contains { $0.contains(" br1 ") } && left.contains { $0.contains("-i br2 ") })
    try routed.del(other, "c2", nil)
    #expect(try listing() == before)
  }

  @Test("is left alone where a chain drops nothing")
  func harmless() throws {
    for program in ["iptables-nft", "ip6tables-nft"] {
      try host.exec(program, ["-F", "FORWARD"]).checked()
      try host.exec(program, ["-P", "FORWARD", "ACCEPT"]).checked()
    }
    let before = try listing()
    let sandbox = try Sandbox()
    _ = try routed.add(routed.configuration(), "c1", sandbox)
    #expect(try listing() == before)
    #expect(try sandbox.reaches("192.0.2.2"))
    try routed.del(routed.configuration(), "c1", sandbox)
  }
}
