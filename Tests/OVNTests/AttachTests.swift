import TestSupport
import Testing

@Suite("ovn", .privateHost, .only(on: .userspace), .serialized) struct OVNTests {
  @Test("containers of two hosts reach each other, and nothing of one host touches the other's")
  func traffic() throws {
    let lab = try Lab.shared
    let one = try LogicalNetwork(lab)
    let two = one.on(2)
    let (first, second) = (try Sandbox(), try Sandbox())
    // Container IDs are unique on one host only.
    let left = try one.add("c", first).checked()
    let right = try two.add("c", second).checked()
    #expect(left.firstAddress != right.firstAddress)
    let ports = try lab.ports(of: one.logicalSwitch)
    #expect(
      Set(ports.compactMap { $0["name"].text }) == [
        "h1/\(one.name)/c/eth0", "h2/\(one.name)/c/eth0",
      ])
    for (result, name) in [(left, "h1"), (right, "h2")] {
      let port = ports.first { $0["name"].text?.hasPrefix(name) == true } ?? .absent
      let mac = result["interfaces"][1]["mac"].text ?? ""
      #expect(port["addresses"].text == "\(mac) \(result.firstAddress)", "\(port)")
      #expect(port["port_security"] == port["addresses"])
      #expect(port["options"].description.contains(name), "requested-chassis")
      #expect(result["interfaces"][1]["mtu"] == 1442, "of the tunnels")
    }

    try expectTraffic(from: first, to: second, at: right.firstAddress, mtu: 1442)
    try eventually("a way to the other host") { try second.pings(left.firstAddress) }

    #expect(try one.add("c", first).code == 100, "it is up")
    try one.check("c", first, left).checked()
    try two.check("c", second, right).checked()
    // What is known to one host's runtime says nothing of the other's attachments.
    try one.gc(nil).checked()
    try one.gc(["c"]).checked()
    #expect(try lab.ports(of: one.logicalSwitch).count == 2)
    try one.gc([]).checked()
    #expect(
      try lab.ports(of: one.logicalSwitch).map { $0["name"] } == [
        .string("h2/\(one.name)/c/eth0")
      ])
    try two.check("c", second, right).checked()
    #expect(try one.check("c", first, left).status == 1)
    try one.del("c", first).checked()
    try two.check("c", second, right).checked()
    // Existing attachments, and DEL, with what a runtime that strips members leaves.
    try two.host.plugin().del(
      [
        "cniVersion": "1.1.0", "name": .string(two.name), "type": "ovn",
        "socket_file": .string(two.host.openVSwitch.endpoint),
      ], containerID: "c", sandbox: nil
    ).checked()
    try two.del("c").checked()
    // GC leaves a lease that is young: it may be of an ADD that goes on elsewhere.
    #expect(try one.traces().filter { !$0.hasPrefix("lease of h1/") } == [])
  }

  @Test("a container sends from its own addresses only, and its port joins port groups")
  func security() throws {
    let lab = try Lab.shared
    var network = try LogicalNetwork(lab)
    let group = "pg_\(network.logicalSwitch.filter { $0.isLetter || $0.isNumber })"
    try lab.ovn("nb", "pg-add", group)
    network.members["portGroups"] = [.string(group)]
    let (first, second) = (try Sandbox(), try Sandbox())
    let left = try network.add("a", first).checked()
    let right = try network.add("b", second).checked()
    try eventually("a way to the other port") { try first.pings(right.firstAddress) }
    try first.runs("ip", "address", "add", "10.244.0.250/24", "dev", "eth0").checked()
    let spoofed = try first.runs(
      "ping", "-q", "-c", "1", "-W", "1", "-I", "10.244.0.250", right.firstAddress)
    #expect(spoofed.status == 1, "\(spoofed)")
    try first.runs("ip", "address", "del", "10.244.0.250/24", "dev", "eth0").checked()
    try eventually("a way to the other port") { try first.pings(right.firstAddress) }
    let members = try lab.ovn("nb", "--bare", "--columns=ports", "list", "port_group", group)
    #expect(members.count == 2)
    try network.check("a", first, left).checked()
    let name = "h1/\(network.name)/a/eth0"
    for change in [
      ["lsp-set-port-security", name, "02:00:00:00:00:01"],
      ["pg-set-ports", group, "h1/\(network.name)/b/eth0"],
      ["lsp-set-options", name, "requested-chassis=h2"],
      ["lsp-set-addresses", name, "02:00:00:00:00:01 10.9.9.9"],
      ["lsp-del", name],
    ] {
      try run("ovn-nbctl", ["--db=\(lab.northbound)"] + change).checked()
      let refused = try network.check("a", first, left)
      #expect(refused.code == 999, "\(refused)")
      // That is some time later.
      let parts = refused.message.components(separatedBy: "; ").filter {
        !$0.contains("ovn-installed")
      }
      try Messages.expect(
        parts.joined(separator: "; "), of: "ovn", on: "CHECK, after ovn-nbctl \(change[0])",
        hiding: [
          "GROUP": group, "MAC": left["interfaces"][1]["mac"].text ?? "",
          "ADDRESS": left.firstAddress,
        ])
    }
    // Not up any more: an ADD after DEL, or in its place, makes all of it again.
    try network.del("a", first).checked()
    try network.add("a", first).checked()
    for id in ["a", "b"] { try network.del(id).checked() }
    #expect(try network.traces() == [])
  }

  @Test("a port that was made beforehand is taken with the addresses that it has, and stays")
  func preset() throws {
    let lab = try Lab.shared
    var network = try LogicalNetwork(lab)
    network.members["ipam"] = .absent
    let name = network.logicalSwitch
    let (port, router) = ("made-\(name)", "r-\(name)")
    try lab.ovn("nb", "lr-add", router)
    try lab.ovn("nb", "lrp-add", router, "\(router)-p", "02:00:00:00:01:01", "10.7.0.1/24")
    try lab.ovn(
      "nb", "lsp-add", name, "\(name)-r", "--", "lsp-set-type", "\(name)-r", "router", "--",
      "lsp-set-addresses", "\(name)-r", "router", "--", "lsp-set-options", "\(name)-r",
      "router-port=\(router)-p")
    let fixed = "02:00:00:00:00:05 10.7.0.5"
    try lab.ovn("nb", "lsp-add", name, port, "--", "lsp-set-addresses", port, fixed)
    let (sandbox, other) = (try Sandbox(), try Sandbox())
    let result = try network.add("a", sandbox, args: "OvnPort=\(port)").checked()
    #expect(result["ips"][0]["address"] == "10.7.0.5/24")
    #expect(result["ips"][0]["gateway"] == "10.7.0.1")
    #expect(result["interfaces"][1]["mac"] == "02:00:00:00:00:05")
    try eventually("a way to the router") { try sandbox.pings("10.7.0.1") }
    try network.check("a", sandbox, result, args: "OvnPort=\(port)").checked()
    let twice = try network.add("b", other, args: "OvnPort=\(port)")
    try Messages.expect(
      twice, code: 100, of: "ovn", on: "ADD, OvnPort that another attachment has",
      hiding: ["INTERFACE": result["interfaces"][0]["name"].text ?? ""])
    try network.gc(["a"]).checked()
    try network.del("a", sandbox).checked()
    #expect(try lab.ports(of: name).compactMap { $0["name"].text }.sorted() == ["\(name)-r", port])
    for (change, what) in [
      ([], "that there is not"),
      (["lsp-set-options", port, "requested-chassis=h2"], "for another chassis"),
      (["lsp-set-options", port], nil),
      (["lsp-set-addresses", port, "02:00:00:00:00:05 10.8.0.5"], "of no subnet"),
      (["lsp-set-addresses", port, "dynamic"], "with an address of OVN's choice"),
    ] as [([String], String?)] {
      if !change.isEmpty { try run("ovn-nbctl", ["--db=\(lab.northbound)"] + change).checked() }
      guard let what else { continue }
      let asked = change.isEmpty ? "nothing" : port
      try Messages.expect(
        network.add("a", sandbox, args: "OvnPort=\(asked)"), code: 7, of: "ovn",
        on: "ADD, OvnPort \(what)")
    }
    let both = try network.add(
      "a", sandbox, args: "OvnPort=\(port)",
      ["ipam": ["type": "host-local", "ranges": [[["subnet": "10.7.0.0/24"]]]]])
    try Messages.expect(both, code: 7, of: "ovn", on: "ADD, OvnPort and ipam")
    // Ignored, the rules of the group would be avoided.
    try run("ovn-nbctl", ["--db=\(lab.northbound)", "lsp-set-addresses", port, fixed]).checked()
    network.members["portGroups"] = ["g"]
    let grouped = try network.add("a", sandbox, args: "OvnPort=\(port)")
    #expect(grouped.code == 7)
    try Messages.expect(
      grouped.message, of: "ovn", on: "ADD, OvnPort and portGroups", hiding: ["PORT": port])
    let compared = try network.check("a", sandbox, result, args: "OvnPort=\(port)")
    #expect(compared.code == 7 && compared.message == grouped.message, "\(compared)")
    let asked = try network.host.plugin().status(
      network.configuration.with(["args": ["cni": ["ovnPort": .string(port)]]]))
    #expect(asked.code == 7 && asked.message == grouped.message, "\(asked)")
    try network.del("a", sandbox).checked()
    #expect(try network.traces().filter { !$0.hasPrefix("logical port") } == [])
  }
}
