import Foundation
import TestSupport
import Testing

/// A change behind our back, of which CHECK tells.
struct Tampering: CustomTestStringConvertible, Sendable {
  /// A command on the host, or after `in`, in the sandbox; `PORT` is the host end, and `DATAPATH`
  /// that of the bridges.
  let testDescription: String
  init(_ command: String) { testDescription = command }
  var command: [String] { testDescription.split(separator: " ").map(String.init) }
}

@Suite("CHECK of ovs-bridge", .privateHost) struct CheckTests {
  /// The kernel's datapath lets a container have its checksums made later.
  private static let ofUserspace =
    Datapath.current == .kernel
    ? [] : [Tampering("in ethtool -K eth0 tx on")]

  @Test(
    "says what is, and what should be",
    arguments: [
      Tampering("ovs-vsctl set Port PORT tag=5"),
      Tampering("ovs-vsctl set Port PORT vlan_mode=trunk"),
      Tampering("ovs-vsctl set Port PORT trunks=7"),
      Tampering("ovs-vsctl set Port PORT protected=false"),
      Tampering("ovs-vsctl set Port PORT external_ids:network=other"),
      Tampering("ovs-vsctl set Port PORT external_ids:site=south"),
      Tampering("ovs-vsctl remove Port PORT external_ids owner"),
      Tampering("ovs-vsctl remove Port PORT external_ids addresses"),
      Tampering("ovs-vsctl set Port PORT external_ids:mac=02:00:00:00:00:99"),
      Tampering("ovs-vsctl set Interface PORT external_ids:containerID=c2"),
      Tampering("ovs-vsctl set Interface PORT external_ids:sandbox=/run/netns/x"),
      Tampering("ovs-vsctl remove Interface PORT external_ids iface-id"),
      Tampering("ovs-vsctl set Port PORT external_ids:contPodUid=uid-8"),
      Tampering("ovs-vsctl del-port PORT"),
      Tampering("ovs-vsctl add-br br2 -- set Bridge br2 datapath_type=DATAPATH -- remove-port"),
      Tampering("ip link set PORT down"),
      Tampering("ip link set PORT mtu 1300"),
      Tampering("ip link set PORT address 02:00:00:00:00:99"),
      Tampering("ip link set PORT alias mine"),
      Tampering("ip link set PORT group 7"),
      Tampering("ip link delete PORT"),
      Tampering("sysctl -q -w net.ipv4.conf.PORT.arp_ignore=0"),
      Tampering("sysctl -q -w net.ipv6.conf.PORT.addr_gen_mode=0"),
      Tampering("in ip link set eth0 down"),
      // Only newer kernels rename a link that is up.
      Tampering("in ip link set eth0 down; ip link set eth0 name eth9"),
      Tampering("in ip address flush dev eth0 scope global"),
      Tampering("in ip address del 10.1.0.2/24 dev eth0"),
      Tampering("in sysctl -q -w net.ipv6.conf.eth0.disable_ipv6=1"),
      Tampering("in ip route del 10.9.0.0/16"),
      Tampering("in ip route replace 10.9.0.0/16 via 10.1.0.77"),
      Tampering("in ip route change 10.8.0.0/16 via 10.1.0.9 metric 50 advmss 1200"),
      Tampering("in ip route change 10.8.0.0/16 via 10.1.0.9 metric 50 mtu 1300 advmss 1100"),
      Tampering("in ip route flush 10.7.0.0/16 table 1000"),
      Tampering("in ip route replace fd00:9::/64 via fd00:1::9"),
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
    var command = tampering.command.map {
      $0.replacing("PORT", with: name).replacing("DATAPATH", with: Datapath.current.rawValue)
    }
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
    #expect(refused.code == 999, "\(refused)")
    // What Open vSwitch says besides of a link that is gone is another on each datapath.
    let parts = refused.message.components(separatedBy: "; ").filter {
      !$0.contains(" has the error: ") && !$0.contains(": ofport is ")
    }
    try Messages.expect(
      parts.joined(separator: "; "), of: "ovs-bridge",
      on: "CHECK, after \(tampering.testDescription)",
      hiding: ["PORT": name, "MAC": result["interfaces"][0]["mac"].text ?? ""])
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
    try Messages.expect(refused, code: 999, of: "ovs-bridge", on: "CHECK, the lease is gone")
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
    try Messages.expect(without, code: 7, of: "ovs-bridge", on: "CHECK, no prevResult")
    let other = try network.plugin.check(
      configuration, previous: result, containerID: "c1", sandbox: sandbox, ifname: "eth7")
    try Messages.expect(
      other, code: 7, of: "ovs-bridge", on: "CHECK, an interface that prevResult lacks")
  }
}
