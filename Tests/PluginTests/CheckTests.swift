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
      Tampering("ovs-vsctl del-port PORT", "there is no port"),
      Tampering(
        "ovs-vsctl add-br br2 -- set Bridge br2 datapath_type=netdev -- remove-port",
        #"is "br2", should be "br1""#),
      Tampering("ip link set PORT down", "up is false, should be true"),
      Tampering("ip link set PORT mtu 1300", "mtu is 1300, should be 1400"),
      Tampering("in ip link set eth0 mtu 1300", #"interface "eth0": mtu is 1300, should be 1400"#),
      Tampering("in ip link set eth0 address 02:00:00:00:00:99", #"mac is "02:00:00:00:00:99""#),
      Tampering("in ip link set eth0 down", #"interface "eth0": up is false"#),
      Tampering("in ip link set eth0 name eth9", #"there is no interface "eth0" in the sandbox"#),
      Tampering("in ip address flush dev eth0", "has no address 10.1.0.2/24; it has none"),
      Tampering(
        "in ip route del 10.9.0.0/16", "route 10.9.0.0/16 via 10.1.0.1 is not in table 254"),
      Tampering("in ethtool -K eth0 tx on", "TX checksum offload is on, should be off"),
    ])
  func tampering(tampering: Tampering) throws {
    let network = try Network()
    let ovs = network.host.openVSwitch
    let sandbox = try Sandbox()
    var configuration = network.addressed(
      "10.1.0.0/24",
      members: [
        "vlan": 100, "mtu": 1400, "portIsolation": true, "external_ids": ["site": "north"],
      ])
    configuration = configuration.with([
      "ipam": configuration["ipam"].with(["routes": [["dst": "10.9.0.0/16"]]])
    ])
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    try network.plugin.check(configuration, previous: result, containerID: "c1", sandbox: sandbox)
      .checked()

    let name = result["interfaces"][0]["name"].text ?? ""
    var command = tampering.command.map { $0 == "PORT" ? name : $0 }
    if command.last == "remove-port" {
      // The port as it is, on another bridge.
      let uuid = try network.port(result)["_uuid"].text ?? ""
      command = command.dropLast() + ["remove", "Bridge", "br1", "ports", uuid]
      command += ["--", "add", "Bridge", "br2", "ports", uuid]
    }
    switch command.first {
    case "ovs-vsctl": try ovs.vsctl(["--timeout=10"] + command.dropFirst()).checked()
    case "in": try sandbox.exec(command[1], Array(command.dropFirst(2))).checked()
    default: try network.host.namespace.exec(command[0], Array(command.dropFirst())).checked()
    }
    let before = try network.host.settledSnapshot()
    let refused = try network.plugin.check(
      configuration, previous: result, containerID: "c1", sandbox: sandbox)
    #expect(refused.code == 999)
    #expect(refused.message.contains(tampering.words), "\(refused.message)")
    #expect(try network.host.snapshot().difference(from: before) == "", "CHECK changes nothing")
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
    #expect(other.message.contains(#"prevResult.interfaces: none is "eth7""#), "\(other.message)")
  }
}
