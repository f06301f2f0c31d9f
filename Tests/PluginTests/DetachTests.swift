import TestSupport
import Testing

@Suite("DEL of ovs-bridge", .privateHost) struct DetachTests {
  /// An attached container, and the host as it was before.
  struct Attached {
    let network: Network
    let sandbox: Sandbox
    let configuration: Document
    let before: HostSnapshot

    init() throws {
      network = try Network()
      sandbox = try Sandbox()
      before = try network.host.snapshot()
      configuration = network.addressed("10.1.0.0/24")
      try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    }

    var leases: [String] {
      network.host.directory.files().keys.compactMap { $0.split(separator: "/").last }
        .filter { $0.hasPrefix("10.1.0.") }.map(String.init).sorted()
    }

    /// What is on the host beyond what was, and beyond what `host-local` keeps without leases.
    func leftovers() throws -> [String] {
      try network.host.snapshot().difference(from: before).split(separator: "\n").map(String.init)
        .filter { !$0.hasPrefix("+ file:") || $0.contains("/10.1.0.") }
    }
  }

  @Test("succeeds twice")
  func twice() throws {
    let attached = try Attached()
    for _ in 1...2 {
      try attached.network.plugin.del(
        attached.configuration, containerID: "c1", sandbox: attached.sandbox
      ).checked()
    }
    #expect(try attached.leftovers() == [])
  }

  @Test("needs no sandbox, no previous result and no path of it")
  func withoutSandbox() throws {
    let attached = try Attached()
    try attached.network.plugin.del(attached.configuration, containerID: "c1", sandbox: nil)
      .checked()
    #expect(try attached.leftovers() == [])
    #expect(try attached.sandbox.ip("link").array.count == 1, "the container end is gone, too")
  }

  @Test("frees everything after the sandbox is gone")
  func sandboxGone() throws {
    let attached = try Attached()
    attached.sandbox.delete()
    try attached.network.plugin.del(
      attached.configuration, containerID: "c1", sandbox: attached.sandbox
    ).checked()
    #expect(try attached.leftovers() == [])
  }

  @Test("frees link and address when ovsdb-server is stopped, and says what it could not do")
  func serverStopped() throws {
    let attached = try Attached()
    let ovs = attached.network.host.openVSwitch
    ovs.stopServer()
    let result = try attached.network.plugin.del(
      attached.configuration, containerID: "c1", sandbox: attached.sandbox)
    try Messages.expect(result, code: 11, of: "ovs-bridge", on: "DEL, ovsdb-server is stopped")
    #expect(try attached.sandbox.ip("link").array.count == 1)
    #expect(attached.network.host.directory.files().keys.allSatisfy { !$0.contains("/10.1.0.2") })

    try ovs.startServer()
    try attached.network.plugin.del(
      attached.configuration, containerID: "c1", sandbox: attached.sandbox
    ).checked()
    #expect(try ovs.ports(of: "br1") == [])
  }

  @Test("does the rest while the kernel deletes the link")
  func meanwhile() throws {
    let attached = try Attached()
    let result = try attached.network.plugin.del(
      attached.configuration.with(["logLevel": "debug", "timeout": 60]), containerID: "c1",
      sandbox: attached.sandbox)
    try result.checked()
    let order = ["deleted the veth pair", "took the port off its bridge"]
    let ends = [
      "the kernel is still at the veth pair, and is left to it",
      "the kernel has done with the veth pair",
    ]
    let steps = result.stderr.split(separator: "\n").compactMap { line in
      (order + ends).first { line.hasSuffix($0) }
    }
    #expect(ends.map { order + [$0] }.contains(steps), "\(steps)")
    #expect(try attached.leftovers() == [])
  }

  @Test("says why the kernel does not delete the link, and can be repeated")
  func refusedByKernel() throws {
    let attached = try Attached()
    let result = try attached.network.plugin.call(
      "DEL", attached.configuration, containerID: "c1", sandbox: attached.sandbox.path,
      ifname: "eth0", through: ["setpriv", "--bounding-set=-net_admin"])
    try Messages.expect(result, code: 999, of: "ovs-bridge", on: "DEL, without CAP_NET_ADMIN")
    #expect(try attached.sandbox.ip("link", "show", "eth0").array.count == 1)
    // With the right to, the same command does it.
    try attached.network.plugin.del(
      attached.configuration, containerID: "c1", sandbox: attached.sandbox
    ).checked()
    #expect(try attached.leftovers() == [])
  }

  @Test("needs no ovs-vswitchd")
  func switchStopped() throws {
    let attached = try Attached()
    attached.network.host.openVSwitch.stopSwitching()
    try attached.network.plugin.del(
      attached.configuration, containerID: "c1", sandbox: attached.sandbox
    ).checked()
    #expect(try attached.network.host.openVSwitch.vsctl("--no-wait", "list-ports", "br1") == [])
  }

  @Test("touches no port of others, not even one that has the same container ID in external_ids")
  func others() throws {
    let attached = try Attached()
    let ovs = attached.network.host.openVSwitch
    try ovs.vsctl(
      "--no-wait", "add-port", "br1", "alien0", "--", "set", "Port", "alien0",
      "external_ids:containerID=c1", "external_ids:interfaceName=eth0", "external_ids:owner=other")
    try attached.network.plugin.del(
      attached.configuration, containerID: "c1", sandbox: attached.sandbox
    ).checked()
    #expect(try ovs.ports(of: "br1") == ["alien0"])
  }

  @Test("goes on past an IPAM plugin that fails, reports it, and keeps what its rows remember")
  func failingIPAM() throws {
    let attached = try Attached()
    let (plugin, ovs) = (attached.network.plugin, attached.network.host.openVSwitch)
    let result = try plugin.del(
      attached.configuration, containerID: "c1", sandbox: attached.sandbox, path: "/nowhere")
    try Messages.expect(result, code: 999, of: "ovs-bridge", on: "DEL, the IPAM plugin is gone")
    #expect(try attached.sandbox.ip("link").array.count == 1)
    #expect(try ovs.ports(of: "br1").count == 1)
    // Without the members that say where the lease is.
    try plugin.del(
      attached.network.configuration(["bridge": .absent]), containerID: "c1", sandbox: nil
    ).checked()
    #expect(try attached.leftovers() == [])
  }

  @Test("deletes a host end that was renamed")
  func renamed() throws {
    let attached = try Attached()
    let name = try #require(try attached.network.host.openVSwitch.ports(of: "br1").first)
    for change in [["down"], ["name", "renamed0"], ["up"]] {
      try attached.network.host.namespace.exec(
        "ip", ["link", "set", change == ["up"] ? "renamed0" : name] + change
      ).checked()
    }
    try attached.network.plugin.del(
      attached.configuration, containerID: "c1", sandbox: attached.sandbox
    ).checked()
    #expect(try attached.leftovers() == [])
    #expect(try attached.sandbox.ip("link").array.count == 1)
  }

  @Test("does without a file of defaults that is of no use, and so does GC")
  func brokenDefaults() throws {
    let attached = try Attached()
    for text in ["", "[]", "{\"bridge\": "] {
      let path = try attached.network.host.directory.write(text, to: "ovs.conf")
      let configuration = attached.configuration.with(["configuration_path": .string(path)])
      let plugin = attached.network.plugin
      #expect(
        try plugin.add(configuration, containerID: "c2", sandbox: attached.sandbox).status == 1)
      try plugin.del(configuration, containerID: "c1", sandbox: attached.sandbox).checked()
      try plugin.add(attached.configuration, containerID: "c1", sandbox: attached.sandbox).checked()
      try plugin.gc(configuration, valid: []).checked()
      #expect(try attached.leftovers() == [])
      try plugin.add(attached.configuration, containerID: "c1", sandbox: attached.sandbox).checked()
    }
  }

  @Test(
    "frees the lease that ADD took, whatever the configuration says of IPAM by now",
    arguments: [
      .absent, ["type": "host-local"], ["type": "nowhere"],
      ["type": "host-local", "dataDir": "/run/elsewhere", "ranges": "none"],
    ] as [Document])
  func remembered(ipam: Document) throws {
    let attached = try Attached()
    try attached.network.plugin.del(
      attached.configuration.with(["ipam": ipam]), containerID: "c1", sandbox: attached.sandbox
    ).checked()
    #expect(try attached.leftovers() == [])
  }

  @Test(
    "takes nothing from a row that is not the configuration of an IPAM plugin",
    arguments: [
      "{", "[]", #"{"dataDir": "/x"}"#, #"{"type": "../sh"}"#,
      #"{"type": "host-local", "dataDir": "leases"}"#,
      #"{"type": "host-local", "x": ""# + String(repeating: "x", count: 1024) + #""}"#,
    ])
  func forged(text: String) throws {
    let attached = try Attached()
    let ovs = attached.network.host.openVSwitch
    let port = try #require(try ovs.ports(of: "br1").first)
    let value = "\"" + text.replacing("\"", with: "\\\"") + "\""
    try ovs.vsctl("set", "Port", port, "external_ids:ipam=\(value)")
    try attached.network.plugin.del(
      attached.configuration, containerID: "c1", sandbox: attached.sandbox
    ).checked()
    #expect(try attached.leftovers() == [])
  }

  @Test("treats a path that is the plugin's own namespace, or none, as a sandbox that is gone")
  func foreignPath() throws {
    for path in ["/proc/self/ns/net", "/dev/null", "/run/netns/nowhere"] {
      let attached = try Attached()
      try attached.network.plugin.call(
        "DEL", attached.configuration, containerID: "c1", sandbox: path, ifname: "eth0"
      ).checked()
      #expect(try attached.leftovers() == [], "\(path)")
    }
  }

  @Test(
    "takes no mistake in the configuration for a reason to keep anything, and neither does GC",
    arguments: [
      ["bridge": .absent], ["bridge": "a/b"], ["vlan": 9100], ["trunk": "all"], ["mtu": "large"],
      ["mac": "x"], ["ipMasq": "perhaps"], ["isGateway": 1], ["bandwidth": ["ingressRate": -1]],
      ["external_ids": ["owner": "me"]], ["timeout": 0], ["logLevel": "loud"],
      ["runtimeConfig": ["mac": 7]],
    ] as [[String: Document]])
  func mistakes(members: [String: Document]) throws {
    let attached = try Attached()
    let plugin = attached.network.plugin
    let wrong = attached.configuration.with(members)
    let refused = try plugin.add(wrong, containerID: "c2", sandbox: attached.sandbox)
    #expect(refused.code == 7, "\(refused)")
    try plugin.del(wrong, containerID: "c1", sandbox: attached.sandbox).checked()
    #expect(try attached.leftovers() == [])
    try plugin.add(attached.configuration, containerID: "c1", sandbox: attached.sandbox).checked()
    try plugin.gc(wrong, valid: []).checked()
    #expect(try attached.leftovers() == [])
  }
}
