import TestSupport
import Testing

extension OVNTests {
  @Test("refuses what cannot be, and STATUS says so")
  func refusals() throws {
    let lab = try Lab.shared
    let network = try LogicalNetwork(lab)
    let sandbox = try Sandbox()
    func status(_ members: [String: Document]) throws -> PluginResult {
      try network.host.plugin().status(network.configuration.with(members))
    }
    #expect(try status([:]).status == 0)
    #expect(try status(["switch": .absent]).status == 0, "what is absent is not judged")
    let twice = uniqueName("ls")
    try lab.ovn("nb", "ls-add", twice, "--", "--add-duplicate", "ls-add", twice)
    for (members, what) in [
      (["switch": "nothing"], "no such logical switch"),
      (["switch": .string(twice)], "two logical switches of the name"),
      (["portGroups": ["nothing"]], "no such port group"),
      (["integrationBridge": "br-none"], "no integrationBridge"),
    ] as [([String: Document], String)] {
      for (command, code) in [("ADD", 7), ("STATUS", 50)] {
        let refused = try command == "ADD" ? network.add("a", sandbox, members) : status(members)
        // What the lab has of other tests as well.
        let others = refused.message.components(separatedBy: "OVN has ").dropFirst().first ?? ""
        try Messages.expect(
          refused, code: code, of: "ovn", on: "\(command), \(what)",
          hiding: [
            "SOCKET": network.host.openVSwitch.endpoint,
            "SWITCHES": String(others.prefix { $0 != ";" }),
          ])
      }
    }
    for (members, what) in [
      (["switch": .absent], "without switch"), (["nb": "ssl:192.0.2.1:6641"], "nb by TLS"),
      (["nb": "x"], "nb is no endpoint"), (["portGroups": "x"], "portGroups is a text"),
      (["integrationBridge": "a/b"], "integrationBridge has a slash"), (["mtu": 5], "mtu 5"),
    ] as [([String: Document], String)] {
      try Messages.expect(
        network.add("a", sandbox, members), code: 7, of: "ovn", on: "ADD, \(what)")
    }
    try Messages.expect(
      status(["nb": "unix:/nowhere/nb.sock"]), code: 50, of: "ovn", on: "STATUS, nb is not there")
    #expect(try network.traces() == [])
  }

  @Test("STATUS has code 50 while no ovn-controller is at work on this host")
  func controller() throws {
    let lab = try Lab(hosts: 1)
    let network = try LogicalNetwork(lab)
    let host = network.host
    func status() throws -> PluginResult { try host.plugin().status(network.configuration) }
    try eventually("ovn-controller at work") { try status().status == 0 }
    host.killController()
    // ovs-vswitchd closes its end of the connection in its own time.
    try eventually("STATUS that says so") { try status().code == 50 }
    let state = try status()
    try Messages.expect(state, code: 50, of: "ovn", on: "STATUS, ovn-controller was killed")
    // What is said of another way to the bridge is that nothing can be seen.
    let remote = "external_ids:ovn-bridge-remote=\"tcp:127.0.0.1:6653\""
    try host.openVSwitch.vsctl("set", "Open_vSwitch", ".", remote)
    try status().checked()
    try host.openVSwitch.vsctl("remove", "Open_vSwitch", ".", "external_ids", "ovn-bridge-remote")
    #expect(try status().code == 50)
    try host.restartController()
    try eventually("ovn-controller at work again", timeout: .seconds(30)) {
      try status().status == 0
    }
  }

  @Test("an ADD that OVN does not finish leaves nothing, and a DEL without the central is repeated")
  func central() throws {
    let lab = try Lab.shared
    let network = try LogicalNetwork(lab)
    let (first, second) = (try Sandbox(), try Sandbox())
    let result = try network.add("a", first).checked()
    let far = try network.on(2).add("b", second).checked()
    try eventually("a way through the tunnel") { try first.pings(far.firstAddress) }
    lab.daemon("northd")?.suspend()
    let late = try network.add("c", try Sandbox(), ["timeout": 1])
    try Messages.expect(late, code: 11, of: "ovn", on: "ADD, ovn-northd does nothing")
    #expect(try network.traces().filter { $0.contains("/c/") } == [])
    lab.daemon("northd")?.resume()

    lab.daemon("nb")?.suspend()
    let refused = try network.add("d", try Sandbox(), ["timeout": 2])
    try Messages.expect(refused, code: 11, of: "ovn", on: "ADD, the northbound database is stopped")
    #expect(try first.pings(far.firstAddress, count: 3), "existing traffic needs no central")
    let undone = try network.del("a", first, ["timeout": 2])
    try Messages.expect(undone, code: 11, of: "ovn", on: "DEL, the northbound database is stopped")
    lab.daemon("nb")?.resume()
    // Its address is not free while the logical port is there.
    #expect(try lab.leases(network.name)[result.firstAddress] == "h1/\(network.name)/a/eth0")
    try network.del("a", first).checked()
    try network.on(2).del("b", second).checked()
    #expect(try network.traces() == [])
  }

  @Test("what an ADD that was killed has left goes with DEL, with GC, and with another ADD")
  func leftovers() throws {
    let lab = try Lab.shared
    let network = try LogicalNetwork(lab)
    let sandbox = try Sandbox()
    func abandon(_ id: String) throws {
      // The logical port alone: the rows of Open vSwitch come after it.
      let pairs = [
        "owner=patchbay", "network=\(network.name)", "containerID=\(id)", "interfaceName=eth0",
        "host=h1", "began=1",
      ].map { "external_ids:\($0)" }
      let name = "h1/\(network.name)/\(id)/eth0"
      try run(
        "ovn-nbctl",
        [
          "--db=\(lab.northbound)", "lsp-add", network.logicalSwitch, name, "--", "set",
          "Logical_Switch_Port", name,
        ] + pairs
      ).checked()
    }
    try abandon("a")
    try network.del("a").checked()
    try abandon("b")
    try network.on(2).gc([]).checked()
    #expect(try lab.ports(of: network.logicalSwitch).count == 1)
    try network.gc([]).checked()
    #expect(try network.traces() == [])
    try abandon("c")
    let result = try network.add("c", sandbox).checked()
    try network.check("c", sandbox, result).checked()
    #expect(try lab.ports(of: network.logicalSwitch).count == 1)
    // Another's port of that name.
    try network.del("c", sandbox).checked()
    try lab.ovn(
      "nb", "lsp-add", network.logicalSwitch, "h1/\(network.name)/c/eth0")
    let taken = try network.add("c", sandbox)
    try Messages.expect(taken, code: 100, of: "ovn", on: "ADD, another's port of the name")
    #expect(try network.traces() == ["logical port h1/\(network.name)/c/eth0"])
    // Without IPAM: the MAC address alone, and any address of it.
    try lab.ovn("nb", "lsp-del", "h1/\(network.name)/c/eth0")
    let plain = try network.add("c", sandbox, ["ipam": .absent]).checked()
    #expect(
      try lab.ports(of: network.logicalSwitch)[0]["addresses"] == plain["interfaces"][1]["mac"])
    try network.del("c", sandbox).checked()
    #expect(try network.traces() == [])
  }
}
