import Foundation
import TestSupport
import Testing

/// A member of the configuration: what ADD makes of it, and a change of that which CHECK notices.
struct Member: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let members: [String: Document]
  /// Commands on the host (`ovs-vsctl …`, `ip …`) or, after `in`, in the sandbox; `PORT` is the host
  /// end. What the first one prints has the second one's text in it.
  let look: (command: String, finds: String)
  let tamper: String
  let words: String

  init(
    _ name: String, _ members: [String: Document], look: (String, String), tamper: String,
    _ words: String
  ) {
    (testDescription, self.members) = (name, members)
    self.look = (look.0, look.1)
    (self.tamper, self.words) = (tamper, words)
  }
}

@Suite("Every member of ovs-bridge", .privateHost) struct MemberTests {
  @Test(
    "is made by ADD, watched by CHECK, and leaves nothing after DEL",
    arguments: [
      Member(
        "vlan", ["vlan": 100], look: ("ovs-vsctl get Port PORT vlan_mode tag", "access\n100"),
        tamper: "ovs-vsctl clear Port PORT tag", "tag is absent, should be 100"),
      Member(
        "vlan 0", ["vlan": 0], look: ("ovs-vsctl get Port PORT tag", "0"),
        tamper: "ovs-vsctl set Port PORT tag=1", "tag is 1, should be 0"),
      Member(
        "trunk", ["trunk": [["id": 7], ["minID": 3, "maxID": 4], ["id": 3]]],
        look: ("ovs-vsctl get Port PORT vlan_mode trunks", "trunk\n[3, 4, 7]"),
        tamper: "ovs-vsctl remove Port PORT trunks 4", "trunks is 3,7, should be 3,4,7"),
      Member(
        "a trunk of one VLAN", ["trunk": [["id": 42]]],
        look: ("ovs-vsctl get Port PORT trunks", "[42]"),
        tamper: "ovs-vsctl clear Port PORT trunks", "trunks is every VLAN, should be 42"),
      Member(
        "vlanTrunk, as the bridge plugin means it", ["vlanTrunk": [["id": 42]]],
        look: ("ovs-vsctl get Port PORT vlan_mode tag trunks", "native-untagged\n1\n[42]"),
        tamper: "ovs-vsctl set Port PORT tag=2", "tag is 2, should be 1"),
      Member(
        "vlan and trunk", ["vlan": 5, "trunk": [["id": 6]]],
        look: ("ovs-vsctl get Port PORT vlan_mode tag trunks", "native-untagged\n5\n[6]"),
        tamper: "ovs-vsctl set Port PORT vlan_mode=native-tagged",
        #"vlan_mode is "native-tagged", should be "native-untagged""#),
      Member(
        "vlanMode", ["vlan": 5, "trunk": [["id": 6]], "vlanMode": "dot1q-tunnel"],
        look: ("ovs-vsctl get Port PORT vlan_mode tag cvlans", "dot1q-tunnel\n5\n[6]"),
        tamper: "ovs-vsctl set Port PORT cvlans=7", "cvlans is 7, should be 6"),
      Member(
        "mtu", ["mtu": 1280], look: ("in ip link show eth0", "mtu 1280"),
        tamper: "in ip link set eth0 mtu 1400", "mtu is 1400, should be 1280"),
      Member(
        "mac", ["mac": "02:00:00:00:00:07"], look: ("in ip link show eth0", "02:00:00:00:00:07"),
        tamper: "in ip link set eth0 address 02:00:00:00:00:08", #"mac is "02:00:00:00:00:08""#),
      Member(
        "portIsolation", ["portIsolation": true],
        look: ("ovs-vsctl get Port PORT protected", "true"),
        tamper: "ovs-vsctl set Port PORT protected=false", "protected is false, should be true"),
      Member(
        "ofport_request", ["ofport_request": 77],
        look: ("ovs-vsctl get Interface PORT ofport", "77"),
        tamper: "ovs-vsctl set Interface PORT ofport_request=78",
        "ofport_request is 78, should be 77"),
      Member(
        "interface_type", ["interface_type": "system"],
        look: ("ovs-vsctl get Interface PORT type", "system"),
        tamper: "ovs-vsctl set Interface PORT type=internal",
        #"type is "internal", should be "system""#),
      Member(
        "external_ids", ["external_ids": ["rack": "4"]],
        look: ("ovs-vsctl get Interface PORT external_ids:rack", "4"),
        tamper: "ovs-vsctl set Port PORT external_ids:rack=5",
        #"external_ids:rack is "5", should be "4""#),
      Member(
        "args.cni.ovnPort", ["args": ["cni": ["ovnPort": "lp1"]]],
        look: ("ovs-vsctl get Interface PORT external_ids:iface-id", "lp1"),
        tamper: "ovs-vsctl set Interface PORT external_ids:iface-id=lp2",
        #"iface-id is "lp2", should be "lp1""#),
      Member(
        "disableContainerInterface", ["disableContainerInterface": true],
        look: ("in ip link show eth0", "state DOWN"),
        tamper: "ip link set PORT down", "up is false, should be true"),
    ])
  func member(member: Member) throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let before = try network.host.snapshot()
    let configuration = network.configuration(member.members)
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    let name = result["interfaces"][0]["name"].text ?? ""
    func run(_ text: String) throws -> String {
      let words = text.split(separator: " ").map { $0 == "PORT" ? name : String($0) }
      let rest = Array(words.dropFirst())
      switch words[0] {
      case "ovs-vsctl":
        return try network.host.openVSwitch.vsctl(["--timeout=10"] + rest).checked().stdout
      case "in": return try sandbox.exec(rest[0], Array(rest.dropFirst())).checked().stdout
      default: return try network.host.namespace.exec(words[0], rest).checked().stdout
      }
    }
    #expect(try run(member.look.command).replacing("\"", with: "").contains(member.look.finds))
    try network.plugin.check(configuration, previous: result, containerID: "c1", sandbox: sandbox)
      .checked()
    _ = try run(member.tamper)
    let refused = try network.plugin.check(
      configuration, previous: result, containerID: "c1", sandbox: sandbox)
    #expect(refused.code == 999)
    #expect(refused.message.contains(member.words), "\(refused.message)")
    try network.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
    try eventually("the host is as before") {
      try network.host.snapshot().difference(from: before) == ""
    }
  }

  @Test("enableDAD lets the kernel look for duplicates, and ADD waits for its answer")
  func duplicates() throws {
    let network = try Network()
    let (first, second) = (try Sandbox(), try Sandbox())
    var configuration = network.addressed("fd00:1::/64", members: ["enableDAD": true])
    try network.plugin.add(configuration, containerID: "c1", sandbox: first).checked()
    let address = try first.link()["addr_info"].first(where: "local", is: "fd00:1::2")
    #expect(address["tentative"].isAbsent)
    #expect(address["nodad"].isAbsent)

    // The same address once more, by an IPAM plugin that does not know of the first.
    configuration = configuration.with([
      "ipam": ["type": "static", "addresses": [["address": "fd00:1::2/64"]]]
    ])
    let refused = try network.plugin.add(configuration, containerID: "c2", sandbox: second)
    #expect(refused.message.contains("another host on the network has it"), "\(refused.message)")
    #expect(try second.ip("link").array.count == 1)
  }

  @Test("socket_file may be a TCP endpoint, and configuration_path a file of defaults")
  func elsewhere() throws {
    let network = try Network()
    let ovs = network.host.openVSwitch
    let sandbox = try Sandbox()
    try network.host.namespace.exec(
      "ovs-appctl",
      [
        "--target=\(ovs.directory.path)/server.ctl", "ovsdb-server/add-remote",
        "ptcp:6640:127.0.0.1",
      ]
    ).checked()
    let file = try network.host.directory.write(
      #"{"socket_file": "tcp:127.0.0.1:6640", "vlan": 9, "bridge": "ignored"}"#, to: "ovs.conf")
    let configuration = network.configuration([
      "socket_file": "", "configuration_path": .string(file),
    ])
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    #expect(try network.port(result)["tag"] == 9)
    #expect(try ovs.ports(of: "br1").count == 1)
    try network.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
    #expect(try ovs.ports(of: "br1") == [])
  }

  @Test("an existing configuration of the reference OVS plugin works when its type is changed")
  func reference() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let configuration: Document = [
      "cniVersion": "0.4.0", "name": "ovs-conf", "type": "ovs-bridge", "bridge": "br1",
      "vlan": 100, "mtu": 0, "ofport_request": 0, "interface_type": "", "deviceID": "",
      "socket_file": .string(network.host.openVSwitch.endpoint),
      "link_state_check_retries": 5, "link_state_check_interval": 1000,
      "ipam": [
        "type": "host-local", "subnet": "10.1.0.0/24",
        "dataDir": .string("\(network.host.directory.path)/leases"),
      ],
    ]
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    #expect(result["ips"][0]["version"] == "4")
    #expect(try network.port(result)["tag"] == 100)
    try network.plugin.check(configuration, previous: result, containerID: "c1", sandbox: sandbox)
      .checked()
  }
}
