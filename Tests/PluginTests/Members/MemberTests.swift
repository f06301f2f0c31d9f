import Foundation
import TestSupport
import Testing

/// A member of the configuration: what ADD makes of it, and a change of that which CHECK notices.
struct Member: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let members: [String: Document]
  /// `CNI_ARGS`
  var args: String?
  /// Whether the container has addresses, of both families.
  var hasAddresses = false
  /// What the host has been given before.
  var prepare: String?
  /// Commands on the host (`ovs-vsctl …`, `ip …`) or, after `in`, in the sandbox; `PORT` is the host
  /// end. What the first one prints has the second one's text in it.
  let look: (command: String, finds: String)
  let tamper: String
  let words: String
  /// What is in the lines of what stays after DEL, as README.md says it does.
  var kept: [String] = []

  init(
    _ name: String, _ members: [String: Document], args: String? = nil,
    hasAddresses: Bool = false, prepare: String? = nil, look: (String, String), tamper: String,
    _ words: String, kept: [String] = []
  ) {
    (testDescription, self.members, self.args) = (name, members, args)
    (self.hasAddresses, self.prepare) = (hasAddresses, prepare)
    self.look = (look.0, look.1)
    (self.tamper, self.words, self.kept) = (tamper, words, kept)
  }

  /// Moves the port to another bridge, as it is.
  static let move =
    "ovs-vsctl add-br br2 -- set Bridge br2 datapath_type=netdev -- --id=@p get Port PORT -- "
    + "remove Bridge BRIDGE ports @p -- add Bridge br2 ports @p"
}

@Suite("Every member of ovs-bridge", .privateHost) struct MemberTests {
  static let table = [
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
      tamper: "ip link set PORT mtu 1400", "mtu is 1400, should be 1280"),
    Member(
      "mac", ["mac": "02:00:00:00:00:07"], look: ("in ip link show eth0", "02:00:00:00:00:07"),
      tamper: "ovs-vsctl set Port PORT external_ids:mac=02:00:00:00:00:08",
      #"mac is "02:00:00:00:00:08""#),
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
    Member(
      "bridge", ["bridge": "br1"], look: ("ovs-vsctl port-to-br PORT", "br1"),
      tamper: Member.move.replacing("BRIDGE", with: "br1"),
      #"bridge of port "PORT" is "br2", should be "br1""#, kept: ["br2"]),
    Member(
      "createBridge", ["bridge": "br5", "createBridge": true],
      look: ("ovs-vsctl get Bridge br5 datapath_type external_ids", "netdev\n{owner=patchbay}"),
      tamper: Member.move.replacing("BRIDGE", with: "br5"),
      #"bridge of port "PORT" is "br2", should be "br5""#, kept: ["br2", "br5"]),
    Member(
      "datapath", ["bridge": "br5", "datapath": "netdev"],
      look: ("ovs-vsctl get Bridge br5 datapath_type", "netdev"),
      tamper: "in ethtool -K eth0 tx on",
      "TX checksum offload is on, should be off on a netdev bridge", kept: ["br5"]),
    Member(
      "ipam", [:], hasAddresses: true, look: ("in ip address show eth0", "10.1.0.2/24"),
      tamper: "in ip address del fd00:1::2/64 dev eth0", "has no address fd00:1::2/64"),
    Member(
      "isGateway", ["isGateway": true], hasAddresses: true,
      look: ("ip address show br1", "inet 10.1.0.1/24"),
      tamper: "ip address del 10.1.0.1/24 dev br1",
      #"gateway "br1" has no address 10.1.0.1/24; it has fd00:1::1/64"#),
    Member(
      "isGateway with vlan", ["isGateway": true, "vlan": 7], hasAddresses: true,
      look: ("ovs-vsctl get Port br1.7 tag external_ids:role", "7\ngateway"),
      tamper: "ovs-vsctl del-port br1.7",
      #"there is no gateway port "br1.7" in the database, and there should be one"#),
    Member(
      "isDefaultGateway", ["isDefaultGateway": true], hasAddresses: true,
      look: ("in ip route", "default via 10.1.0.1"), tamper: "in ip route del default",
      "route 0.0.0.0/0 via 10.1.0.1 is not in table 254 of the sandbox"),
    Member(
      "forceAddress", ["isGateway": true, "forceAddress": true], hasAddresses: true,
      prepare: "ip address add 10.9.0.1/24 dev br1",
      look: ("ip -4 -br address show br1", "UNKNOWN        10.1.0.1/24"),
      tamper: "ip address del 10.1.0.1/24 dev br1",
      #"gateway "br1" has no address 10.1.0.1/24; it has fd00:1::1/64"#, kept: ["10.9.0"]),
    Member(
      "ipMasq", ["ipMasq": true], hasAddresses: true,
      look: ("nft list table inet patchbay-net1", "fd00:1::2"),
      tamper: "nft flush map inet patchbay-net1 sources4",
      "map sources4 of table inet patchbay-net1 leads from 10.1.0.2 to nothing, and should lead"),
    Member(
      "bandwidth", ["bandwidth": ["ingressRate": 8_000_000, "ingressBurst": 800_000]],
      look: ("tc qdisc show dev PORT", "qdisc htb"), tamper: "ovs-vsctl clear Port PORT qos",
      #"port "PORT": qos is absent, should be the one that ADD made"#),
    Member(
      "runtimeConfig.bandwidth",
      ["runtimeConfig": ["bandwidth": ["egressRate": 8_000_000, "egressBurst": 800_000]]],
      look: ("in tc qdisc show dev eth0", "qdisc tbf"), tamper: "in tc qdisc del dev eth0 root",
      #"queueing discipline is "noqueue", should be "tbf": what the container sends is not limited"#
    ),
    Member(
      "runtimeConfig.mac", ["runtimeConfig": ["mac": "02:00:00:00:00:07"]],
      look: ("in ip link show eth0", "02:00:00:00:00:07"),
      tamper: "ovs-vsctl set Port PORT external_ids:mac=02:00:00:00:00:08",
      #"mac is "02:00:00:00:00:08", should be "02:00:00:00:00:07""#),
    Member(
      "args.cni.mac", ["args": ["cni": ["mac": "02:00:00:00:00:07"]]],
      look: ("ovs-vsctl get Port PORT external_ids:mac", "02:00:00:00:00:07"),
      tamper: "ovs-vsctl set Port PORT external_ids:mac=02:00:00:00:00:08",
      #"mac is "02:00:00:00:00:08", should be "02:00:00:00:00:07""#),
    Member(
      "MAC of CNI_ARGS", [:], args: "MAC=02:00:00:00:00:07",
      look: ("in ip link show eth0", "02:00:00:00:00:07"),
      tamper: "ovs-vsctl set Port PORT external_ids:mac=02:00:00:00:00:08",
      #"mac is "02:00:00:00:00:08", should be "02:00:00:00:00:07""#),
    Member(
      "OvnPort of CNI_ARGS", [:], args: "OvnPort=lp1",
      look: ("ovs-vsctl get Interface PORT external_ids:iface-id", "lp1"),
      tamper: "ovs-vsctl remove Interface PORT external_ids iface-id",
      #"external_ids:iface-id is absent, should be "lp1""#),
    Member(
      "K8S_POD_UID of CNI_ARGS", [:], args: "K8S_POD_UID=uid-7",
      look: ("ovs-vsctl get Port PORT external_ids:contPodUid", "uid-7"),
      tamper: "ovs-vsctl set Port PORT external_ids:contPodUid=uid-8",
      #"external_ids:contPodUid is "uid-8", should be "uid-7""#),
    Member(
      "enableDAD, as the reference spells it", ["enabledad": true], hasAddresses: true,
      look: ("in sysctl -n net.ipv6.conf.eth0.enhanced_dad net.ipv6.conf.eth0.accept_dad", "1\n1"),
      tamper: "in ip address del fd00:1::2/64 dev eth0", "has no address fd00:1::2/64"),
    Member(
      "link_state_check_retries, link_state_check_interval",
      ["link_state_check_retries": 100, "link_state_check_interval": 100],
      look: ("ovs-vsctl get Interface PORT error link_state", "[]\nup"),
      tamper: "ip link set PORT down", "up is false, should be true"),
  ]

  @Test("is made by ADD, watched by CHECK, and leaves nothing after DEL", arguments: table)
  func member(member: Member) throws {
    let network = try Network()
    let sandbox = try Sandbox()
    // The link of a gateway stays up.
    try network.host.namespace.exec("ip", ["link", "set", "br1", "up"]).checked()
    if let words = member.prepare?.split(separator: " ").map(String.init) {
      try network.host.namespace.exec(words[0], Array(words.dropFirst())).checked()
    }
    let before = try network.host.settledSnapshot()
    let configuration =
      (member.hasAddresses
      ? network.addressed("10.1.0.0/24", "fd00:1::/64") : network.configuration())
      .with(member.members)
    let result = try network.plugin.add(
      configuration, containerID: "c1", sandbox: sandbox, args: member.args
    ).checked()
    func check() throws -> PluginResult {
      try network.plugin.check(
        configuration, previous: result, containerID: "c1", sandbox: sandbox, args: member.args)
    }
    let name = result["interfaces"][0]["name"].text ?? ""
    func run(_ text: String) throws -> String {
      let words = text.split(separator: " ").map { String($0).replacing("PORT", with: name) }
      let rest = Array(words.dropFirst())
      switch words[0] {
      case "ovs-vsctl":
        return try network.host.openVSwitch.vsctl(["--timeout=\(10 * slowness)"] + rest).checked()
          .stdout
      case "in": return try sandbox.exec(rest[0], Array(rest.dropFirst())).checked().stdout
      default: return try network.host.namespace.exec(words[0], rest).checked().stdout
      }
    }
    #expect(try run(member.look.command).replacing("\"", with: "").contains(member.look.finds))
    try check().checked()
    _ = try run(member.tamper)
    let refused = try check()
    #expect(refused.code == 999)
    let words = member.words.replacing("PORT", with: name)
    #expect(refused.message.contains(words), "\(refused.message)")
    try network.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
    try network.expectAsBefore(before, but: member.kept)
    #expect(try sandbox.ip("link").array.count == 1)
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

  /// Members that have no effect of their own that could be looked at like this, and the test that
  /// shows what they do.
  private static let others = [
    "socket_file": "elsewhere", "configuration_path": "elsewhere", "dns": "dns",
    "timeout": "waits", "logLevel": "log", "logFile": "log", "promisc": "PromiscuityTests",
    "acceptRA": "HostSettingsTests", "stp": "HostSettingsTests", "ignoreArgs": "StaticTests",
    "forward": "ForwardTests", "guard": "PortGuardTests", "mode": "PortGuardTests",
    "allowed": "PortGuardTests", "dhcpClient": "PortGuardTests", "linkLocal": "PortGuardTests",
  ]

  @Test("is told by README.md, and each that it tells is in the table or has a test beside it")
  func documented() throws {
    let text = try Project.text("plugins/main/ovs-bridge/README.md")
    let lines = text.split(separator: "\n").filter { $0.hasPrefix("| `") }
    let told = lines.flatMap { line in
      let cell = line.dropFirst(2).split(separator: "|").first ?? ""
      return cell.split(separator: "`").map(String.init).filter { $0.first?.isLetter == true }
    }
    #expect(told.count >= 29)
    // Members are found in whatever case.
    let shown = Set(
      Self.table.flatMap { $0.members.keys.map { $0.lowercased() } } + ["ipam"]
        + Self.others.keys.map { $0.lowercased() })
    #expect(told.filter { !shown.contains($0.lowercased()) } == [])
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
    let before = try network.host.snapshot()
    let configuration = network.configuration([
      "socket_file": "", "configuration_path": .string(file),
    ])
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    #expect(try network.port(result)["tag"] == 9)
    #expect(try ovs.ports(of: "br1").count == 1)
    func check() throws -> PluginResult {
      try network.plugin.check(
        configuration, previous: result, containerID: "c1", sandbox: sandbox)
    }
    try check().checked()
    try ovs.vsctl("set", "Port", result["interfaces"][0]["name"].text ?? "", "tag=8")
    #expect(try check().message.contains("tag is 8, should be 9"))
    try network.plugin.status(configuration).checked()
    try network.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
    try network.expectAsBefore(before)

    // A path alone is that of a Unix domain socket, as the reference's documentation has it.
    let plain = network.configuration(["socket_file": .string(ovs.socket)])
    try network.plugin.add(plain, containerID: "c1", sandbox: sandbox).checked()
    try network.plugin.gc(plain, valid: []).checked()
    try network.expectAsBefore(before)
  }

  @Test("dns replaces the settings of IPAM in the result")
  func dns() throws {
    let network = try Network()
    let dns: Document = ["nameservers": ["10.1.0.53"], "domain": "example.org"]
    let result = try network.plugin.add(
      network.addressed("10.1.0.0/24", members: ["dns": dns]), containerID: "c1", sandbox: Sandbox()
    ).checked()
    #expect(result["dns"] == dns)
  }

  @Test("timeout, and the product of link_state_check_*, bound the wait for ovs-vswitchd")
  func waits() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let before = try network.host.snapshot()
    network.host.openVSwitch.switching?.suspend()
    for (members, atLeast) in [
      (["link_state_check_retries": 4, "link_state_check_interval": 250], 1), (["timeout": 2], 2),
    ] as [([String: Document], Int)] {
      let started = ContinuousClock.now
      let result = try network.plugin.add(
        network.configuration(members), containerID: "c1", sandbox: sandbox)
      let elapsed = ContinuousClock.now - started
      #expect(result.code == 11)
      #expect(result.message.contains("is ovs-vswitchd running?"), "\(result.message)")
      #expect(
        elapsed >= .seconds(atLeast) && elapsed < .seconds(atLeast + 5 * slowness), "\(elapsed)")
    }
    network.host.openVSwitch.switching?.resume()
    try network.expectAsBefore(before)
  }

  @Test("logFile gets a line for each command, of as much as logLevel lets through")
  func log() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let file = "\(network.host.directory.path)/log"
    let configuration = network.configuration([
      "logFile": .string(file), "logLevel": "info",
    ])
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
    try network.plugin.check(
      configuration, previous: result.checked(), containerID: "c1", sandbox: sandbox
    ).checked()
    try network.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
    #expect(result.stderr == "")
    let lines = (network.host.directory.read("log") ?? "").split(separator: "\n")
    for command in ["ADD", "CHECK", "DEL"] {
      let words = "ovs-bridge \(command) network=net1 container=c1 interface=eth0"
      #expect(lines.filter { $0.contains(words) && $0.contains("done") }.count == 1, "\(lines)")
    }
    #expect(lines.filter { $0.contains("debug") } == [])
  }

  @Test("without bridge, the port of an OVN port is on br-int")
  func integrationBridge() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let configuration = network.configuration([
      "bridge": .absent, "datapath": "netdev", "args": ["cni": ["ovnPort": "lp1"]],
    ])
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    #expect(
      try network.host.openVSwitch.ports(of: "br-int") == [result["interfaces"][0]["name"].text])
    try network.plugin.check(configuration, previous: result, containerID: "c1", sandbox: sandbox)
      .checked()
    // DEL of a runtime that has forgotten the arguments.
    try network.plugin.del(
      configuration.with(["args": .absent, "bridge": "br-int"]), containerID: "c1", sandbox: sandbox
    ).checked()
    #expect(try network.host.openVSwitch.ports(of: "br-int") == [])
  }
}
