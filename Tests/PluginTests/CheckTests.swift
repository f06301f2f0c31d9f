import Foundation
import TestSupport
import Testing

/// A change behind our back, and how CHECK tells of it.
struct Tampering: CustomTestStringConvertible, Sendable {
  let testDescription: String
  /// A command on the host, or after `in`, in the sandbox; `PORT` is the host end.
  let command: [String]
  let words: String
  init(_ command: String, _ words: String) {
    testDescription = command
    self.command = command.split(separator: " ").map(String.init)
    self.words = words
  }
}

@Suite("CHECK of ovs-bridge", .privateHost) struct CheckTests {
  /// The kernel's datapath lets a container have its checksums made later.
  private static let ofUserspace =
    Datapath.current == .kernel
    ? [] : [Tampering("in ethtool -K eth0 tx on", "TX checksum offload is on, should be off")]

  @Test(
    "says what is, and what should be",
    arguments: [
      Tampering("ovs-vsctl set Port PORT tag=5", "tag is 5, should be 100"),
      Tampering(
        "ovs-vsctl set Port PORT vlan_mode=trunk", #"vlan_mode is "trunk", should be "access""#),
      Tampering("ovs-vsctl set Port PORT trunks=7", "trunks is 7, should be every VLAN"),
      Tampering("ovs-vsctl set Port PORT protected=false", "protected is false, should be true"),
      Tampering(
        "ovs-vsctl set Port PORT external_ids:network=other",
        #"network is "other", should be "net1""#),
      Tampering(
        "ovs-vsctl set Port PORT external_ids:site=south",
        #"external_ids:site is "south", should be "north""#),
      Tampering(
        "ovs-vsctl remove Port PORT external_ids owner",
        #"port "PORT": external_ids:owner is absent, should be "patchbay""#),
      Tampering(
        "ovs-vsctl remove Port PORT external_ids addresses",
        #"external_ids:addresses is absent, should be "10.1.0.2/24 fd00:1::2/64""#),
      Tampering(
        "ovs-vsctl set Port PORT external_ids:mac=02:00:00:00:00:99",
        #"external_ids:mac is "02:00:00:00:00:99", should be "0a:58:0a:01:00:02""#),
      Tampering(
        "ovs-vsctl set Interface PORT external_ids:containerID=c2",
        #"Open vSwitch interface "PORT": external_ids:containerID is "c2", should be "c1""#),
      Tampering(
        "ovs-vsctl set Interface PORT external_ids:sandbox=/run/netns/x",
        #"external_ids:sandbox is "/run/netns/x", should be "/run/netns/"#),
      Tampering(
        "ovs-vsctl remove Interface PORT external_ids iface-id",
        #"external_ids:iface-id is absent, should be "lp1""#),
      Tampering(
        "ovs-vsctl set Port PORT external_ids:contPodUid=uid-8",
        #"external_ids:contPodUid is "uid-8", should be "uid-7""#),
      Tampering("ovs-vsctl del-port PORT", "there is no port"),
      Tampering(
        "ovs-vsctl add-br br2 -- set Bridge br2 datapath_type=\(Datapath.current.rawValue) -- remove-port",
        #"is "br2", should be "br1""#),
      Tampering("ip link set PORT down", "up is false, should be true"),
      Tampering("ip link set PORT mtu 1300", "mtu is 1300, should be 1400"),
      Tampering(
        "ip link set PORT address 02:00:00:00:00:99",
        #"link "PORT": mac is "02:00:00:00:00:99", should be ""#),
      Tampering(
        "ip link set PORT alias mine", #"alias is "mine", should be "patchbay:net1/c1/eth0""#),
      Tampering("ip link set PORT group 7", #"link "PORT": group is 7, should be 2082934514"#),
      Tampering("ip link delete PORT", #"there is no link "PORT" on the host"#),
      Tampering(
        "sysctl -q -w net.ipv4.conf.PORT.arp_ignore=0",
        "/proc/sys/net/ipv4/conf/PORT/arp_ignore of the host is 0, should be 8"),
      Tampering(
        "sysctl -q -w net.ipv6.conf.PORT.addr_gen_mode=0",
        "/proc/sys/net/ipv6/conf/PORT/addr_gen_mode of the host is 0, should be 1"),
      Tampering("in ip link set eth0 down", #"interface "eth0": up is false"#),
      // Only newer kernels rename a link that is up.
      Tampering(
        "in ip link set eth0 down; ip link set eth0 name eth9",
        #"there is no interface "eth0" in the sandbox"#),
      Tampering(
        "in ip address flush dev eth0 scope global", "has no address 10.1.0.2/24; it has"),
      Tampering(
        "in ip address del 10.1.0.2/24 dev eth0",
        #"interface "eth0" has no address 10.1.0.2/24; it has fd00:1::2/64"#),
      Tampering(
        "in sysctl -q -w net.ipv6.conf.eth0.disable_ipv6=1",
        "has no address fd00:1::2/64; it has 10.1.0.2/24"),
      Tampering(
        "in ip route del 10.9.0.0/16", "route 10.9.0.0/16 via 10.1.0.1 is not in table 254"),
      Tampering(
        "in ip route replace 10.9.0.0/16 via 10.1.0.77",
        #"route 10.9.0.0/16: gateway is "10.1.0.77", should be "10.1.0.1""#),
      Tampering(
        "in ip route change 10.8.0.0/16 via 10.1.0.9 metric 50 advmss 1200",
        "route 10.8.0.0/16: mtu is absent, should be 1300"),
      Tampering(
        "in ip route change 10.8.0.0/16 via 10.1.0.9 metric 50 mtu 1300 advmss 1100",
        "route 10.8.0.0/16: advmss is 1100, should be 1200"),
      Tampering(
        "in ip route flush 10.7.0.0/16 table 1000",
        "route 10.7.0.0/16 via 10.1.0.1 is not in table 1000"),
      Tampering(
        "in ip route replace fd00:9::/64 via fd00:1::9",
        #"route fd00:9::/64: gateway is "fd00:1::9", should be "fd00:1::1""#),
    ] + ofUserspace)
  func tampering(tampering: Tampering) throws {
    let network = try Network()
    let ovs = network.host.openVSwitch
    let sandbox = try Sandbox()
    var configuration = network.addressed("10.1.0.0/24", "fd00:1::/64").with([
      "vlan": 100, "mtu": 1400, "portIsolation": true, "external_ids": ["site": "north"],
    ])
    configuration = configuration.with([
      "ipam": configuration["ipam"].with([
        "routes": [
          ["dst": "10.9.0.0/16"],
          ["dst": "10.8.0.0/16", "gw": "10.1.0.9", "mtu": 1300, "advmss": 1200, "priority": 50],
          ["dst": "10.7.0.0/16", "table": 1000], ["dst": "fd00:9::/64"],
        ]
      ])
    ])
    let args = "IgnoreUnknown=1;K8S_POD_UID=uid-7;OvnPort=lp1"
    func check() throws -> PluginResult {
      try network.plugin.check(
        configuration, previous: result, containerID: "c1", sandbox: sandbox, args: args)
    }
    let result = try network.plugin.add(
      configuration, containerID: "c1", sandbox: sandbox, args: args
    ).checked()
    try check().checked()

    let name = result["interfaces"][0]["name"].text ?? ""
    var command = tampering.command.map { $0.replacing("PORT", with: name) }
    if command.last == "remove-port" {
      // The port as it is, on another bridge.
      let uuid = try network.port(result)["_uuid"].text ?? ""
      command = command.dropLast() + ["remove", "Bridge", "br1", "ports", uuid]
      command += ["--", "add", "Bridge", "br2", "ports", uuid]
    }
    switch command.first {
    case "ovs-vsctl": try ovs.vsctl(["--timeout=\(10 * slowness)"] + command.dropFirst()).checked()
    case "in":
      try sandbox.exec("sh", ["-ec", command.dropFirst().joined(separator: " ")]).checked()
    default: try network.host.namespace.exec(command[0], Array(command.dropFirst())).checked()
    }
    let before = try network.host.settledSnapshot()
    let refused = try check()
    #expect(refused.code == 999)
    #expect(
      refused.message.contains(tampering.words.replacing("PORT", with: name)),
      "\(refused.message)")
    #expect(try network.host.snapshot().difference(from: before) == "", "CHECK changes nothing")
  }

  @Test("knows the MTU of the host end by the result; the container end's is for later plugins")
  func byResult() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let configuration = network.configuration()
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    let name = result["interfaces"][0]["name"].text ?? ""
    func check() throws -> PluginResult {
      try network.plugin.check(
        configuration, previous: result, containerID: "c1", sandbox: sandbox)
    }
    for words in ["mtu 1600", "mtu 1300", "address 02:00:00:00:00:99"] {
      try sandbox.exec(
        "ip", ["link", "set", "eth0"] + words.split(separator: " ").map(String.init)
      ).checked()
      try check().checked()
    }
    try network.host.namespace.exec("ip", ["link", "set", name, "mtu", "1300"]).checked()
    try Messages.expect(check().message, of: "ovs-bridge", on: "CHECK, another MTU of the host end")
  }

  @Test("notices that the lease is gone")
  func lease() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let configuration = network.addressed("10.1.0.0/24")
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    try FileManager.default.removeItem(
      atPath: "\(network.host.directory.path)/leases/net1/10.1.0.2")
    let refused = try network.plugin.check(
      configuration, previous: result, containerID: "c1", sandbox: sandbox)
    #expect(refused.message.contains(#"plugin "host-local""#), "\(refused.message)")
  }

  @Test("needs a previous result that has the interface")
  func previousResult() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let configuration = network.configuration()
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    let without = try network.plugin.call(
      "CHECK", configuration, containerID: "c1", sandbox: sandbox.path, ifname: "eth0")
    #expect(without.message.contains("prevResult: missing; CHECK requires it"))
    let other = try network.plugin.check(
      configuration, previous: result, containerID: "c1", sandbox: sandbox, ifname: "eth7")
    #expect(other.message.hasPrefix("prevResult.interfaces: "), "\(other.message)")
  }
}
