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

  /// Driver, options, members of the network, and words of the sentence.
  private static let refusals: [(String, [String: Document], [String: Document], String)] = [
    ("cni", ["network": "none"], [:], "no net configuration with name \"none\""),
    ("cni", ["network": "ovs-1", "vlan": "1"], [:], "-o vlan: unknown option of the driver cni"),
    ("cni", ["network": "ovs-1"], ["subnets": [["subnet": "10.7.0.0/24"]]], "--subnet has no"),
    ("cni", ["network": "ovs-1"], ["internal": true], "--internal has no effect"),
    ("cni", ["network": "broken"], [:], "no plugin \"no-such-plugin\""),
    ("ovs", ["bridge": ""], [:], "no bridge is named"),
    ("ovs", ["bridge": "a/b"], [:], "-o bridge: \"a/b\" is not a bridge name"),
    ("ovs", ["vlan": "9100"], [:], "-o vlan: 9100 is not in 0…4094"),
    ("ovs", ["vlan": "ten"], [:], "-o vlan=ten: not a number"),
    ("ovs", ["trunk": "20-10"], [:], "-o trunk=20-10: write VLANs"),
    ("ovs", ["vlan_mode": "access"], [:], "-o vlan: missing"),
    ("ovs", ["isolate": "maybe"], [:], "-o isolate=maybe: not one of true, false"),
    ("ovs", ["colour": "red"], [:], "-o colour: unknown option of the driver ovs"),
    ("ovs", ["gateway": "me"], [:], "-o gateway=me: not one of host"),
    ("ovs", ["metric": "-1"], [:], "-o metric=-1: not in 0…4294967295"),
    ("ovs", ["external_ids": "owner=me"], [:], "written by the plugin"),
    ("ovs", ["ingress_rate": "1000000"], [:], "-o ingress_burst: missing"),
    ("ovs", ["mtu": "1000"], ["subnets": [["subnet": "fd00:7::/64"]]], "less than 1280"),
    ("ovs", ["masquerade": "true"], ["internal": true], "not the gateway"),
    ("ovs", ["subnet": "10.8.0.0/24"], [:], "is for --ipam-driver none"),
    ("ovs", ["subnet": "10.8.0/24"], ["ipam_options": ["driver": "none"]], "-o subnet=10.8.0/24"),
    ("ovs", [:], ["network_interface": "br9"], "name two bridges"),
    ("ovs", [:], ["ipam_options": ["driver": "dhcp"]], "not one of host-local, none"),
    ("ovs", ["bridge": "br9", "create_bridge": "false"], [:], "br9"),
  ]

  @Test("refuses what setup would refuse, in one sentence")
  func refused() throws {
    let podman = try PodmanHost()
    try podman.writeList("ovs-1")
    try podman.writeList("broken", [["type": "no-such-plugin"]])
    for (driver, options, members, words) in Self.refusals {
      let result = try podman.call(driver, ["create"], podman.network(driver, options, members))
      #expect(result.refusal?.contains(words) == true, "\(words): \(result)")
      #expect(result.refusal?.contains("\n") == false)
    }
  }

  @Test("info says what the driver is; another command, name or text is refused")
  func others() throws {
    let podman = try PodmanHost()
    for words in [["info"], []] {
      #expect(try podman.call("ovs", words).checked()["api_version"] == "1.0.0")
    }
    #expect(try podman.call("ovs", ["destroy"]).refusal?.contains("not a command") == true)
    #expect(try podman.call("ovs", ["setup"], ["x": 1]).refusal?.contains("one argument") == true)
    #expect(try podman.call("ovs", ["create"], ["name": 1]).refusal?.contains("name") == true)
    #expect(try podman.call("ovs", ["create"]).refusal?.contains("not JSON") == true)
    let unnamed = try podman.host.namespace.exec(
      "\(Plugin.directory)/netavark-driver", ["create"], environment: podman.environment)
    #expect(PluginResult(unnamed).refusal?.contains("is not a driver") == true)
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
      #expect(result.refusal?.contains("run podman as root") == true, "\(result)")
    }
  }
}
