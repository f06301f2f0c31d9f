import TestSupport
import Testing

@Suite("GC of ovs-bridge", .privateHost) struct CollectTests {
  @Test("frees what is not valid, of its network only; told nothing, it frees nothing")
  func frees() throws {
    let network = try Network()
    let ovs = network.host.openVSwitch
    let configuration = network.configuration()
    let other = network.configuration(["name": "net2"])
    let sandboxes = try (0..<3).map { _ in try Sandbox() }
    try network.plugin.add(configuration, containerID: "kept", sandbox: sandboxes[0]).checked()
    try network.plugin.add(configuration, containerID: "lost", sandbox: sandboxes[1]).checked()
    try network.plugin.add(other, containerID: "other", sandbox: sandboxes[2]).checked()
    try ovs.vsctl("--no-wait", "add-port", "br1", "alien0")
    let before = try network.host.snapshot()

    try network.plugin.gc(configuration, valid: nil).checked()
    try network.plugin.call(
      ["CNI_COMMAND": "GC", "CNI_PATH": network.plugin.searchPath],
      input: configuration.with(["cni.dev/valid-attachments": .null]).encoded
    ).checked()
    #expect(try network.host.snapshot().difference(from: before) == "")

    try network.plugin.gc(configuration, valid: [("kept", "eth0")]).checked()
    let owners = try ovs.rows("Port").compactMap { $0["external_ids"]["containerID"].text }
    #expect(owners.sorted() == ["kept", "other"])
    #expect(try sandboxes[0].ip("link").array.count == 2)
    #expect(try sandboxes[1].ip("link").array.count == 1)

    try network.plugin.gc(configuration, valid: []).checked()
    #expect(try ovs.rows("Port").compactMap { $0["external_ids"]["containerID"].text } == ["other"])
    #expect(try ovs.ports(of: "br1").contains("alien0"))
  }

  @Test("deletes the link of an ADD that was killed before it had a port, or even an alias")
  func orphanedLink() throws {
    let network = try Network()
    let configuration = network.configuration()
    let sandbox = try Sandbox()
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    let name = result["interfaces"][0]["name"].text ?? ""
    try network.host.openVSwitch.vsctl("del-port", "br1", name)
    try network.host.namespace.exec("ip", ["link", "set", name, "alias", ""]).checked()
    try network.plugin.gc(network.configuration(["name": "net2"]), valid: []).checked()
    #expect(try network.host.ip("link", "show", name).array.count == 1)
    try network.plugin.gc(configuration, valid: []).checked()
    #expect(try sandbox.ip("link").array.count == 1)
  }

  @Test("deletes many links by one message, and no link of others with them")
  func together() throws {
    let network = try Network()
    let configuration = network.configuration()
    let sandboxes = try (0..<6).map { _ in try Sandbox() }
    for (number, sandbox) in sandboxes.enumerated() {
      try network.plugin.add(
        number == 5 ? network.configuration(["name": "net2"]) : configuration,
        containerID: "c\(number)", sandbox: sandbox
      ).checked()
    }
    // In the range of groups that host ends have, and called as they are.
    try network.host.namespace.exec(
      "ip", ["link", "add", "vethforeign", "group", "0x70000001", "type", "veth"]
    ).checked()
    let result = try network.plugin.call(
      [
        "CNI_COMMAND": "GC", "CNI_PATH": network.plugin.searchPath, "CNI_TRACE": "netlink",
      ], input: configuration.withValid([("c0", "eth0")]).encoded)
    try result.checked()
    #expect(result.stderr.split(separator: "netlink send RTM_DELLINK").count == 2)
    #expect(try sandboxes.map { try $0.ip("link").array.count } == [2, 1, 1, 1, 1, 2])
    let left = try network.host.ip("link").array.compactMap { $0["ifname"].text }
    #expect(left.filter { $0.hasPrefix("veth") }.count == 4, "\(left)")
    #expect(left.contains("vethforeign"))
    let owners = try network.host.openVSwitch.rows("Port").compactMap {
      $0["external_ids"]["containerID"].text
    }
    #expect(owners.sorted() == ["c0", "c5"])
  }

  /// The addresses that `host-local` has given, by the names of the networks.
  private func leases(_ host: TestHost) -> Set<String> {
    let names = host.directory.files().keys.filter {
      $0.hasPrefix("leases/") && $0.contains("/10.")
    }
    return Set(names.map { String($0.dropFirst("leases/".count)) })
  }

  @Test("frees leases by the IPAM plugin: null none, a list all but its own, an empty one all")
  func leases() throws {
    let network = try Network()
    let configuration = network.addressed("10.1.0.0/24")
    let other = network.addressed("10.2.0.0/24").with(["name": "net2"])
    let sandboxes = try (0..<3).map { _ in try Sandbox() }
    for (number, sandbox) in sandboxes.enumerated() {
      try network.plugin.add(
        number == 2 ? other : configuration, containerID: "c\(number)", sandbox: sandbox
      ).checked()
    }
    let all: Set = ["net1/10.1.0.2", "net1/10.1.0.3", "net2/10.2.0.2"]
    #expect(leases(network.host) == all)
    try network.plugin.gc(configuration, valid: nil).checked()
    #expect(leases(network.host) == all)
    try network.plugin.gc(configuration, valid: [("c1", "eth0")]).checked()
    #expect(leases(network.host) == ["net1/10.1.0.3", "net2/10.2.0.2"])
    try network.plugin.gc(configuration, valid: []).checked()
    #expect(leases(network.host) == ["net2/10.2.0.2"])
    #expect(try sandboxes.map { try $0.ip("link").array.count } == [1, 1, 2])
  }

  @Test("goes on past a failing database, firewall and IPAM plugin, and says so of each")
  func failing() throws {
    let network = try Network()
    let sandboxes = try [Sandbox(), Sandbox()]
    let configuration = network.addressed("10.1.0.0/24", members: ["ipMasq": true])
    for (id, sandbox) in zip(["c1", "c2"], sandboxes) {
      try network.plugin.add(configuration, containerID: id, sandbox: sandbox).checked()
    }
    network.host.openVSwitch.stopServer()
    let result = try network.plugin.gc(configuration, valid: [("c2", "eth0")])
    try Messages.expect(result, code: 11, of: "ovs-bridge", on: "GC, ovsdb-server is stopped")
    #expect(try sandboxes.map { try $0.ip("link").array.count } == [1, 2])
    #expect(leases(network.host) == ["net1/10.1.0.3"])
    let rules = try network.host.namespace.rules()
    #expect(rules.contains("10.1.0.3") && !rules.contains("10.1.0.2"), "\(rules)")

    let lacking = configuration.with(["ipam": ["type": "nowhere"]])
    let all = try network.plugin.gc(lacking, valid: [])
    try Messages.expect(
      all, code: 11, of: "ovs-bridge", on: "GC, ovsdb-server is stopped and the IPAM plugin is gone"
    )
    #expect(try sandboxes[1].ip("link").array.count == 1)
  }
}
