import Foundation
import TestSupport
import Testing

/// What is not ours to change.
extension ForwardTests {
  // The machine of the kernel's datapath has no iptables; it is the same firewall.
  @Test(
    "is told by STATUS where it is that of iptables-legacy, with the command that mends it",
    .only(on: .userspace))
  func legacy() throws {
    let configuration = routed.configuration()
    try routed.plugin.status(configuration).checked()
    for program in ["iptables-legacy", "ip6tables-legacy"] {
      try host.exec(program, ["-A", "FORWARD", "-i", "br10", "-j", "ACCEPT"]).checked()
      try routed.plugin.status(configuration).checked()
      try host.exec(program, ["-P", "FORWARD", "DROP"]).checked()
      let status = try routed.plugin.status(configuration)
      try Messages.expect(
        status, code: 51, of: "ovs-bridge", on: "STATUS, FORWARD of \(program) drops")
      try routed.plugin.status(configuration.with(["forward": "leave"])).checked()
      let details = try #require(status.json["details"].text)
      let command = try #require(details.split(separator: " lets it pass").first)
      try host.exec("sh", ["-c", String(command)]).checked()
      try routed.plugin.status(configuration).checked()
    }
    let sandbox = try Sandbox()
    _ = try routed.add(configuration, "c1", sandbox)
    #expect(try sandbox.reaches("192.0.2.2"))
    try host.exec("iptables-legacy", ["-F", "FORWARD"]).checked()
    try host.exec("iptables-legacy", ["-A", "FORWARD", "-i", "br+", "-j", "ACCEPT"]).checked()
    try routed.plugin.status(configuration).checked()
    try host.exec("iptables-legacy", ["-F", "FORWARD"]).checked()
    try Messages.expect(
      shown("br1").joined(separator: "\n"), of: "patchbay",
      on: "show: FORWARD of iptables-legacy drops")
    try Messages.expect(
      findings("FORWARD"), of: "patchbay", on: "doctor: FORWARD of iptables-legacy drops")
    try routed.del(configuration, "c1", sandbox)
  }

  @Test(
    "is not told where iptables-legacy lets the network pass by its addresses, or all",
    .only(on: .userspace))
  func legacyAddresses() throws {
    let configuration = routed.configuration()
    func rules(_ program: String, _ rules: String...) throws {
      try host.exec(program, ["-P", "FORWARD", "DROP"]).checked()
      try host.exec(program, ["-F", "FORWARD"]).checked()
      for rule in rules {
        try host.exec(program, rule.split(separator: " ").map(String.init)).checked()
      }
    }
    func isTold() throws -> Bool { try routed.plugin.status(configuration).status != 0 }
    // Before there is an attachment, and by the addresses of the gateway.
    for isAttached in [false, true] {
      let sandbox = try Sandbox()
      if isAttached { _ = try routed.add(configuration, "c1", sandbox) }
      try rules("iptables-legacy", "-A FORWARD -s 10.1.0.0/24 -j ACCEPT")
      #expect(try !isTold())
      try rules(
        "iptables-legacy", "-A FORWARD -d 10.0.0.0/8 -m conntrack --ctstate ESTABLISHED -j ACCEPT")
      #expect(try !isTold())
      for narrow in [
        "-A FORWARD -s 10.1.0.0/25 -j ACCEPT", "-A FORWARD -s 10.2.0.0/24 -j ACCEPT",
        "-A FORWARD ! -s 10.1.0.0/24 -j ACCEPT", "-A INPUT -s 10.1.0.0/24 -j ACCEPT",
        "-A FORWARD -p udp -j ACCEPT",
      ] {
        try rules("iptables-legacy", narrow)
        #expect(try isTold(), "\(narrow)")
      }
      try host.exec("iptables-legacy", ["-F", "INPUT"]).checked()
      try rules("iptables-legacy", "-A FORWARD -j ACCEPT")
      #expect(try !isTold())
      try rules("ip6tables-legacy")
      #expect(try isTold())
      try host.exec("ip6tables-legacy", ["-N", "ours"]).checked()
      try rules("ip6tables-legacy", "-A FORWARD -j ours", "-A ours -s fd00:1::/48 -j ACCEPT")
      #expect(try !isTold())
      for rule in [["-F", "FORWARD"], ["-F", "ours"], ["-X", "ours"]] {
        try host.exec("ip6tables-legacy", rule).checked()
      }
      // A network that has no IPv6 is not concerned.
      if !isAttached {
        let single = routed.network.addressed("10.1.0.0/24").with(["isGateway": true])
        try routed.plugin.status(single).checked()
      }
      try host.exec("ip6tables-legacy", ["-P", "FORWARD", "ACCEPT"]).checked()
      if isAttached { try routed.del(configuration, "c1", sandbox) }
    }
  }

  @Test(
    "is a warning of validate, unless ADD opens it, with the command that mends it",
    .only(on: .userspace))
  func validated() throws {
    func warnings(_ members: [String: Document] = [:], _ others: [Document] = []) throws
      -> [String]
    {
      let plugin = routed.configuration(members)
        .with(["cniVersion": .absent, "name": .absent])
      let list = Document.object([
        "cniVersion": "1.0.0", "name": "net1", "plugins": .array([plugin] + others),
      ])
      let file = try routed.host.directory.write(
        String(decoding: list.encoded, as: UTF8.self), to: "net1.conflist")
      let output = try host.exec(
        "\(Plugin.directory)/patchbay",
        ["validate", "--quiet", "--cni-path", "/there/is/none", file]
      ).checked()
      return output.stdout.split(separator: "\n").map { String($0.dropFirst(file.count + 2)) }
    }
    #expect(try warnings() == [])
    let left = try warnings(["forward": "leave"])
    #expect(left.count == 2, "\(left)")
    try Messages.expect(
      left.joined(separator: "\n"), of: "patchbay", on: "validate, a FORWARD that is left as it is")
    #expect(try warnings(["forward": "leave"], [["type": "firewall"]]) == [])
    #expect(
      try warnings(["isGateway": false, "isDefaultGateway": false, "ipMasq": false]) == [])
    try host.exec(
      "nft",
      [
        "add table inet mine; "
          + "add chain inet mine gate { type filter hook forward priority 5; policy drop; }"
      ]
    ).checked()
    let other = try warnings()
    #expect(other.count == 1, "\(other)")
    try Messages.expect(
      other.joined(separator: "\n"), of: "patchbay", on: "validate, a chain of others that drops")
    try host.exec("nft", ["delete", "table", "inet", "mine"]).checked()
    // What it says is so.
    for warning in left {
      let command = try #require(warning.split(separator: "; ", maxSplits: 1).last)
      try host.exec("sh", ["-c", String(command.replacing(" lets it pass", with: ""))]).checked()
    }
    #expect(try warnings(["forward": "leave"]) == [])
    try host.exec("iptables-legacy", ["-P", "FORWARD", "DROP"]).checked()
    try Messages.expect(
      warnings().joined(separator: "\n"), of: "patchbay",
      on: "validate, FORWARD of iptables-legacy drops")
  }

  @Test("is told by STATUS where it is firewalld's, with the command that mends it")
  func firewalld() throws {
    let table = "table inet firewalld"
    let rules = """
      \(table) {
        chain filter_FORWARD {
          type filter hook forward priority 10;
          jump filter_FORWARD_ZONES
          reject with icmpx admin-prohibited
        }
        chain filter_FORWARD_ZONES { iifname "eth9" accept; }
      }
      """
    try host.exec("nft", ["-f", "-"], input: Array(rules.utf8)).checked()
    let configuration = routed.configuration()
    let status = try routed.plugin.status(configuration)
    try Messages.expect(status, code: 51, of: "ovs-bridge", on: "STATUS, firewalld drops")
    try routed.plugin.status(configuration.with(["forward": "leave"])).checked()
    let zones = ["add", "rule", "inet", "firewalld", "filter_FORWARD_ZONES"]
    // A zone may have sources in place of links.
    try host.exec("nft", zones + ["ip saddr 10.1.0.0/24 accept"]).checked()
    #expect(try routed.plugin.status(configuration).code == 51)
    try host.exec("nft", zones + ["ip6 saddr fd00::/20 accept"]).checked()
    try routed.plugin.status(configuration).checked()
    try host.exec("nft", ["flush", "chain", "inet", "firewalld", "filter_FORWARD_ZONES"]).checked()
    #expect(try routed.plugin.status(configuration).code == 51)
    try host.exec("nft", zones + ["iifname br1 accept"]).checked()
    try routed.plugin.status(configuration).checked()
  }
}
