import TestSupport
import Testing

@Suite("create of the netavark drivers", .privateHost) struct DriverCreateTests {
  @Test("returns what podman is to store, unknown members included, and makes nothing")
  func created() throws {
    let podman = try PodmanHost()
    try podman.writeList("ovs-1")
    let before = try podman.host.snapshot()
    let chained = podman.network("cni", ["network": "ovs-1"], ["later": ["x": 1]])
    #expect(
      try podman.call("cni", ["create"], chained).checked()
        == chained.with(["dns_enabled": false, "ipam_options": ["driver": "none"]]))
    let port = podman.network(
      "ovs", ["vlan": "10", "mtu": "1400", "trunk": "20-30,40", "external_ids": "a=b,c=d"],
      ["subnets": [["subnet": "10.7.0.0/24"], ["subnet": "fd00:7::/64"]]])
    #expect(
      try podman.call("ovs", ["create"], port).checked() == port.with(["dns_enabled": false]))
    let missing = podman.network("ovs", ["bridge": "br7"])
    try podman.call("ovs", ["create"], missing).checked()
    #expect(try podman.host.snapshot().difference(from: before) == "")
  }

  /// Driver, options and members of the network.
  private static let refusals: [(String, [String: Document], [String: Document])] = [
    ("cni", ["network": "none"], [:]),
    ("cni", ["network": "ovs-1", "vlan": "1"], [:]),
    ("cni", ["network": "ovs-1"], ["subnets": [["subnet": "10.7.0.0/24"]]]),
    ("cni", ["network": "ovs-1"], ["internal": true]),
    ("cni", ["network": "broken"], [:]),
    ("ovs", ["bridge": ""], [:]),
    ("ovs", ["bridge": "a/b"], [:]),
    ("ovs", ["vlan": "9100"], [:]),
    ("ovs", ["vlan": "ten"], [:]),
    ("ovs", ["trunk": "20-10"], [:]),
    ("ovs", ["vlan_mode": "access"], [:]),
    ("ovs", ["isolate": "maybe"], [:]),
    ("ovs", ["colour": "red"], [:]),
    ("ovs", ["gateway": "me"], [:]),
    ("ovs", ["metric": "-1"], [:]),
    ("ovs", ["external_ids": "owner=me"], [:]),
    ("ovs", ["ingress_rate": "1000000"], [:]),
    ("ovs", ["mtu": "1000"], ["subnets": [["subnet": "fd00:7::/64"]]]),
    ("ovs", ["masquerade": "true"], ["internal": true]),
    ("ovs", ["subnet": "10.8.0.0/24"], [:]),
    ("ovs", ["subnet": "10.8.0/24"], ["ipam_options": ["driver": "none"]]),
    ("ovs", [:], ["network_interface": "br9"]),
    ("ovs", [:], ["ipam_options": ["driver": "dhcp"]]),
    ("ovs", ["bridge": "br9", "create_bridge": "false"], [:]),
  ]

  @Test("refuses what setup would refuse, in one sentence")
  func refused() throws {
    let podman = try PodmanHost()
    try podman.writeList("ovs-1")
    try podman.writeList("broken", [["type": "no-such-plugin"]])
    for (driver, options, members) in Self.refusals {
      try podman.expectRefusal(
        podman.call(driver, ["create"], podman.network(driver, options, members)),
        on: "\(driver) create, options \(Document.object(options)), \(Document.object(members))")
    }
  }

  @Test("info says what the driver is; another command, name or text is refused")
  func others() throws {
    let podman = try PodmanHost()
    for words in [["info"], []] {
      #expect(try podman.call("ovs", words).checked()["api_version"] == "1.0.0")
    }
    try podman.expectRefusal(podman.call("ovs", ["destroy"]), on: "ovs destroy")
    try podman.expectRefusal(
      podman.call("ovs", ["setup"], ["x": 1]), on: "ovs setup, without a namespace")
    try podman.expectRefusal(
      podman.call("ovs", ["create"], ["name": 1]), on: "ovs create, of a name that is a number")
    try podman.expectRefusal(podman.call("ovs", ["create"]), on: "ovs create, without a text")
    let unnamed = try podman.host.namespace.exec(
      "\(Plugin.directory)/netavark-driver", ["create"], environment: podman.environment)
    try podman.expectRefusal(PluginResult(unnamed), on: "netavark-driver create")
  }

  @Test("rootless podman gets one clear sentence")
  func rootless() throws {
    let podman = try PodmanHost()
    let variables = ["_CONTAINERS_ROOTLESS_UID": "1000"]
    let created = try podman.call("ovs", ["create"], podman.network("ovs"), variables)
    let sandbox = try Sandbox()
    let container = podman.container("c1", podman.routed(), ["static_ips": ["10.7.0.5"]])
    let set = try podman.call("ovs", ["setup", sandbox.path], container, variables)
    for result in [created, set] {
      try podman.expectRefusal(result, on: "ovs, of podman without root")
    }
  }
}
