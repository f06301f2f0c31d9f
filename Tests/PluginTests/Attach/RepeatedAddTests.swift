import Foundation
import TestSupport
import Testing

@Suite("ADD of an attachment that is up", .privateHost) struct RepeatedAddTests {
  /// What makes ADD impossible besides that the attachment is up.
  struct Reason: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let members: [String: Document]
    var sandbox: String?
    var args: String?
    var path: String?
    let code: Int
    init(
      _ name: String, _ members: [String: Document] = [:], sandbox: String? = nil,
      args: String? = nil, path: String? = nil, _ code: Int = 100
    ) {
      (testDescription, self.members, self.sandbox) = (name, members, sandbox)
      (self.args, self.path, self.code) = (args, path, code)
    }
  }

  private static let reasons = [
    Reason("nothing else"),
    Reason("a bridge that may not be made", ["bridge": "br9", "createBridge": false]),
    Reason("another bridge", ["bridge": "br9"]),
    Reason("another VLAN", ["vlan": 5]),
    Reason("another network", ["name": "net2"]),
    Reason("no IPAM", ["ipam": .absent]),
    Reason("an IPAM plugin that is not there", ["ipam": ["type": "nowhere"]]),
    Reason("an IPAM plugin that refuses", ["ipam": ["type": "host-local"]]),
    Reason("no plugins", path: "/nowhere"),
    Reason("a gateway", ["isGateway": true, "vlan": 5]),
    Reason("a firewall", ["ipMasq": true]),
    Reason("an illegal tag", ["vlan": 9100], 7),
    Reason("an illegal MTU", ["mtu": 12], 7),
    Reason("a log level that is none", ["logLevel": "loud"], 7),
    Reason("what cannot be done", ["hairpinMode": true], 2),
    Reason("a version that is none", ["cniVersion": "9.9.9"], 1),
    Reason("no server at the socket", ["socket_file": "unix:/nowhere"], 11),
    Reason("arguments that are none", args: "nonsense", 4),
    Reason("a sandbox that is not there", sandbox: "/run/netns/nowhere", 8),
    Reason("a sandbox that is none", sandbox: "/dev/null", 8),
    Reason("the host's own namespace", sandbox: "/proc/self/ns/net", 8),
  ]

  @Test("is refused for whatever reason, and leaves it as it was")
  func refused() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let configuration = network.addressed("10.1.0.0/24")
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    let before = try network.host.settledSnapshot()
    // What makes it this link; counters and states of neighbours change by themselves.
    func identity() throws -> [Document] {
      let link = try sandbox.link()
      return ["ifindex", "address", "mtu", "ifalias"].map { link[$0] }
    }
    let inside = try identity()
    for reason in Self.reasons {
      let refused = try network.plugin.call(
        "ADD", configuration.with(reason.members), containerID: "c1",
        sandbox: reason.sandbox ?? sandbox.path, ifname: "eth0", args: reason.args,
        path: reason.path)
      #expect(refused.status == 1 && refused.code == reason.code, "\(reason): \(refused)")
      #expect(try network.host.snapshot().difference(from: before) == "", "\(reason)")
      #expect(try identity() == inside, "\(reason)")
    }
    try network.plugin.check(configuration, previous: result, containerID: "c1", sandbox: sandbox)
      .checked()
  }

  @Test("is refused whatever the container has made of its end")
  func changedByContainer() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let configuration = network.addressed("10.1.0.0/24")
    try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    var name = "eth0"
    let index = try sandbox.link()["ifindex"]
    func leases() -> [String: String] {
      network.host.directory.files().filter { $0.key.hasPrefix("leases/") }
    }
    let before = leases()
    for words in [
      ["alias", "patchbay:net1/c2/eth0"], ["alias", ""], ["group", "7"],
      ["address", "02:00:00:00:00:99"], ["mtu", "1400"], ["down"], ["name", "other"],
    ] {
      try sandbox.exec("ip", ["link", "set", name] + words).checked()
      if words[0] == "name" { name = words[1] }
      let refused = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      #expect(refused.code == 100, "\(words): \(refused)")
      #expect(try sandbox.ip("link", "show", name)[0]["ifindex"] == index, "\(words)")
    }
    #expect(try network.host.openVSwitch.ports(of: "br1").count == 1)
    #expect(leases() == before)
    // Moved into a namespace of its own, it is no interface of this sandbox any more.
    let own = try Sandbox()
    try sandbox.exec("ip", ["link", "set", name, "netns", own.name]).checked()
    try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    #expect(try own.ip("link").array.count == 1)
  }

  @Test("is refused at once while ovs-vswitchd hangs")
  func hung() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let configuration = network.addressed("10.1.0.0/24")
    try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    let before = try network.host.settledSnapshot()
    network.host.openVSwitch.switching?.suspend()
    defer { network.host.openVSwitch.switching?.resume() }
    let refused = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
    #expect(refused.code == 100)
    #expect(
      refused.message
        == #"interface "eth0" of container "c1" is attached to network "net1" already; it is up, "#
        + "and was left as it is; DEL detaches it")
    #expect(try network.host.snapshot().difference(from: before) == "")
  }

  @Test("in another namespace replaces it, though the old one is kept, and keeps its address")
  func otherNamespace() throws {
    let network = try Network()
    let (old, new) = (try Sandbox(), try Sandbox())
    let configuration = network.addressed("10.1.0.0/24")
    let first = try network.plugin.add(configuration, containerID: "c1", sandbox: old).checked()
    let second = try network.plugin.add(configuration, containerID: "c1", sandbox: new).checked()
    #expect(first["ips"] == second["ips"])
    #expect(try old.ip("link").array.count == 1)
    #expect(try new.addresses() == ["10.1.0.2/24"])
    #expect(try network.host.openVSwitch.ports(of: "br1").count == 1)
    try network.plugin.check(configuration, previous: second, containerID: "c1", sandbox: new)
      .checked()
  }

  @Test("an ADD that replaces what was lost and fails keeps the lease that was there before")
  func keptLease() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let configuration = network.addressed("10.1.0.0/24", members: ["timeout": 2])
    let leases = "\(network.host.directory.path)/leases/net1"
    try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    try sandbox.exec("ip", ["link", "del", "eth0"]).checked()
    let failed = try network.plugin.add(
      configuration.with(["interface_type": "nonsense"]), containerID: "c1", sandbox: sandbox)
    #expect(failed.status == 1)
    #expect(FileManager.default.fileExists(atPath: "\(leases)/10.1.0.2"))
    #expect(try sandbox.ip("link").array.count == 1)
    // One that had none before is given back.
    let other = try network.plugin.add(
      configuration.with(["interface_type": "nonsense"]), containerID: "c2", sandbox: sandbox)
    #expect(other.status == 1)
    #expect(!FileManager.default.fileExists(atPath: "\(leases)/10.1.0.3"))
  }

  @Test("refuses a bridge that may not be made before it makes anything or asks the IPAM plugin")
  func early() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let before = try network.host.snapshot()
    let refused = try network.plugin.add(
      network.addressed("10.1.0.0/24", members: ["bridge": "br9", "createBridge": false]),
      containerID: "c1", sandbox: sandbox)
    #expect(refused.code == 7)
    // Not even the directory of leases, nor the last address in it.
    #expect(try network.host.snapshot().difference(from: before) == "")
  }
}
