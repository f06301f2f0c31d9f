import Foundation
import TestSupport
import Testing

/// Something that makes ADD impossible, and how ADD says so.
struct Refusal: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let members: [String: Document]
  let code: Int
  let words: String
  init(_ name: String, _ members: [String: Document], _ code: Int, _ words: String) {
    (testDescription, self.members, self.code, self.words) = (name, members, code, words)
  }
}

@Suite("ADD of ovs-bridge that is refused leaves nothing", .privateHost) struct RefusalTests {
  @Test(
    "for a configuration that is illegal or cannot be honoured",
    arguments: [
      Refusal("a tag beyond 4094", ["vlan": 9100], 7, "vlan: 9100 is not in 0…4094"),
      Refusal(
        "a bridge name of 16 letters", ["bridge": "sixteen-letters-"], 7,
        #"bridge: "sixteen-letters-" is not a bridge name: 1…15 bytes"#),
      Refusal(
        "no bridge", ["bridge": .null], 7, "bridge: missing; the name of an Open vSwitch bridge"),
      Refusal(
        "an IPAM type with a path", ["ipam": ["type": "../x"]], 7, "invalid plugin name: ../x"),
      Refusal(
        "an IPAM plugin that is not there", ["ipam": ["type": "nowhere"]], 999,
        #"failed to find plugin "nowhere" in path ["#),
      Refusal(
        "an IPAM configuration that is refused", ["ipam": ["type": "host-local"]], 7,
        #"plugin "host-local": "#),
      Refusal("an MTU that is none", ["mtu": 12], 7, "mtu: 12 is not in 68…65535"),
      Refusal(
        "a MAC address that is none", ["mac": "nonsense"], 7,
        #"mac: "nonsense" is not a MAC address; write it as 02:00:00:00:00:01"#),
      Refusal(
        "a multicast MAC address", ["mac": "01:00:00:00:00:01"], 7, "is not a unicast MAC address"),
      Refusal(
        "an endpoint that is none", ["socket_file": "ssl:1.2.3.4:6640"], 7, "socket_file: "),
      Refusal(
        "a mode without its tag", ["vlanMode": "access"], 7,
        #"vlan: missing; vlanMode "access" needs it, 0…4094"#),
      Refusal(
        "a trunk in an access port", ["vlan": 1, "trunk": [["id": 2]], "vlanMode": "access"], 7,
        "exclude each other"),
      Refusal(
        "a trunk upside down", ["trunk": [["minID": 9, "maxID": 3]]], 7,
        "trunk[0]: minID is greater than maxID: 9 > 3"),
      Refusal(
        "a key of our own in external_ids", ["external_ids": ["owner": "me"]], 7,
        "external_ids.owner: this key is written by the plugin"),
      Refusal(
        "a PCI device", ["deviceID": "0000:01:00.0"], 2,
        #"deviceID: "0000:01:00.0" is not supported"#),
      Refusal("hairpin mode", ["hairpinMode": true], 2, "hairpinMode: true is not supported"),
      Refusal("promiscuity", ["promiscMode": true], 2, "promiscMode: true is not supported"),
      Refusal(
        "a guard that nothing could pass", ["guard": true], 7,
        "guard: without \"ipam\" there are no addresses that could pass"),
      Refusal(
        "another firewall", ["ipMasqBackend": "iptables"], 2,
        #"ipMasqBackend: "iptables" is not supported; masquerading is done by "nftables""#),
      Refusal(
        "a VLAN besides its own", ["preserveDefaultVlan": true, "vlan": 5], 2,
        "preserveDefaultVlan: true is not supported"),
      Refusal(
        "a container interface that is down and has addresses",
        ["disableContainerInterface": true, "ipam": ["type": "static"]], 7,
        "disableContainerInterface: cannot use IPAM when DisableContainerInterface flag is set"),
      Refusal(
        "a gateway of a tunnel",
        ["vlan": 5, "vlanMode": "dot1q-tunnel", "isGateway": true], 7,
        #"isGateway: a gateway and vlanMode "dot1q-tunnel" exclude each other"#),
      Refusal(
        "two kinds of trunk", ["trunk": [["id": 1]], "vlanTrunk": [["id": 1]]], 7,
        #"vlanTrunk: "trunk" and "vlanTrunk" exclude each other"#),
      Refusal(
        "a bridge that may not be made", ["bridge": "br9", "createBridge": false], 7,
        #"bridge: there is no bridge "br9"; ovsdb-server at "#),
      Refusal(
        "a bridge whose name is a pattern to the kernel", ["bridge": "br%d"], 7,
        #"bridge: cannot make a bridge "br%d": no link can have this name"#),
      Refusal(
        "a bridge whose name is that of settings", ["bridge": "default"], 7,
        #"bridge: cannot make a bridge "default": no link can have this name"#),
      Refusal(
        "a datapath that this kernel lacks", ["bridge": "br9", "datapath": "system"], 999,
        #"cannot make the bridge, whose datapath is "system""#),
      Refusal(
        "a log level that is none", ["logLevel": "loud"], 7, "logLevel: \"loud\" is not one of"),
      Refusal("a version that is none", ["cniVersion": "1.2.0"], 1, "incompatible CNI versions"),
      Refusal(
        "a version that cannot express it", ["cniVersion": "0.2.0"], 2,
        #"cniVersion: "0.2.0" is not supported without ipam"#),
    ])
  func configuration(refusal: Refusal) throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let before = try network.host.snapshot()
    let result = try network.plugin.add(
      network.configuration(refusal.members), containerID: "c1", sandbox: sandbox)
    #expect(result.status == 1)
    #expect(result.code == refusal.code)
    #expect(result.message.contains(refusal.words), "\(result.message)")
    #expect(try network.host.snapshot().difference(from: before) == "")
    #expect(try sandbox.ip("link").array.count == 1)
  }

  @Test("for a text that is cut off")
  func truncated() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let text = network.configuration().encoded
    let result = try network.plugin.call(
      [
        "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c1", "CNI_NETNS": sandbox.path,
        "CNI_IFNAME": "eth0", "CNI_PATH": network.plugin.searchPath,
      ], input: text.dropLast(2))
    #expect(result.code == 6)
    #expect(result.message.contains("error unmarshall network config: line 1, column "))
    #expect(try sandbox.ip("link").array.count == 1)
  }

  @Test("for a sandbox that is the plugin's own namespace, that is none, or that is not there")
  func sandboxes() throws {
    let network = try Network()
    let before = try network.host.snapshot()
    let file = try network.host.directory.write("", to: "file")
    let empty = try network.host.snapshot()
    for (path, words) in [
      ("/proc/self/ns/net", "plugin's netns and netns from CNI_NETNS should not be the same"),
      (file, "it is not a network namespace"),
      ("/run/netns/nowhere", "open(/run/netns/nowhere): ENOENT (No such file or directory)"),
    ] {
      let result = try network.plugin.call(
        "ADD", network.configuration(), containerID: "c1", sandbox: path, ifname: "eth0")
      #expect(result.code == 8)
      #expect(result.message.contains(words), "\(result.message)")
    }
    #expect(try network.host.snapshot().difference(from: empty) == "")
    #expect(before.lines.count < empty.lines.count)
  }

  @Test("for an interface name that is taken in the sandbox")
  func interfaceTaken() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    try sandbox.exec("ip", ["link", "add", "eth0", "type", "bridge"]).checked()
    let before = try network.host.snapshot()
    let result = try network.plugin.add(
      network.addressed("10.1.0.0/24"), containerID: "c1", sandbox: sandbox)
    #expect(result.code == 100)
    try Messages.expect(
      result.message, of: "ovs-bridge", on: "ADD, an interface of the name in the sandbox")
    #expect(try network.host.snapshot().difference(from: before) == "")
    #expect(try sandbox.ip("-d", "link", "show", "eth0")[0]["linkinfo"]["info_kind"] == "bridge")
  }

  @Test("for an interface name that no link can have", arguments: ["eth%d", "%", "all", "default"])
  func interfaceName(name: String) throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let before = try network.host.snapshot()
    let result = try network.plugin.add(
      network.addressed("10.1.0.0/24"), containerID: "c1", sandbox: sandbox, ifname: name)
    #expect(result.code == 100)
    #expect(
      result.message.hasPrefix("no link can have the interface name \"\(name)\"; "),
      "\(result.message)")
    #expect(try network.host.snapshot().difference(from: before) == "")
    #expect(try sandbox.ip("link").array.count == 1)
    try network.plugin.del(
      network.addressed("10.1.0.0/24"), containerID: "c1", sandbox: sandbox, ifname: name
    ).checked()
  }

  @Test(
    "for addresses and routes that the kernel would not have",
    arguments: [
      (
        ["addresses": [["address": "10.1.0.2/24"], ["address": "10.1.0.2/24"]]],
        "the address 10.1.0.2/24 is there twice; take one of them out of ipam"
      ),
      (
        ["addresses": [["address": "0.0.0.0/24"]]],
        "the container cannot have the address 0.0.0.0/24; "
      ),
      (
        ["addresses": [["address": "::/64"]]], "the container cannot have the address ::/64; "
      ),
      (
        [
          "addresses": [["address": "10.1.0.2/24", "gateway": "10.1.0.1"]],
          "routes": [["dst": "0.0.0.0/0"], ["dst": "0.0.0.0/0", "gw": "10.1.0.1"]],
        ],
        "the route 0.0.0.0/0 via 10.1.0.1 is there twice; take one of them out of ipam"
      ),
    ] as [(Document, String)])
  func addresses(ipam: Document, words: String) throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let before = try network.host.snapshot()
    let refused = try network.plugin.add(
      network.configuration(["ipam": ipam.with(["type": "static"])]), containerID: "c1",
      sandbox: sandbox)
    #expect(refused.code == 7 && refused.message.hasPrefix(words), "\(refused)")
    #expect(try network.host.snapshot().difference(from: before) == "")
    #expect(try sandbox.ip("link").array.count == 1)
  }

  @Test("for a port of somebody else that has the name of ours")
  func portTaken() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let configuration = network.configuration()
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    let name = result["interfaces"][0]["name"].text ?? ""
    try network.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
    try network.host.openVSwitch.vsctl("--no-wait", "add-port", "br1", name)
    let refused = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
    #expect(refused.code == 100)
    #expect(
      refused.message.hasPrefix(
        "there is a port \"\(name)\" already, and it is not of this attachment"),
      "\(refused.message)")
    #expect(try network.host.openVSwitch.ports(of: "br1") == [name])
    #expect(try sandbox.ip("link").array.count == 1)
  }

  @Test("when ovsdb-server is not there")
  func noServer() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    network.host.openVSwitch.stopServer()
    let result = try network.plugin.add(
      network.configuration(), containerID: "c1", sandbox: sandbox)
    #expect(result.code == 11)
    #expect(result.message.contains("is ovsdb-server running?"), "\(result.message)")
    #expect(try sandbox.ip("link").array.count == 1)
  }

  @Test("when ovs-vswitchd does not respond until the deadline")
  func stoppedSwitch() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let before = try network.host.snapshot()
    network.host.openVSwitch.switching?.suspend()
    let started = ContinuousClock.now
    let result = try network.plugin.add(
      network.configuration(["timeout": 1]), containerID: "c1", sandbox: sandbox)
    let elapsed = ContinuousClock.now - started
    network.host.openVSwitch.switching?.resume()
    #expect(result.code == 11)
    #expect(result.message.contains("is ovs-vswitchd running?"), "\(result.message)")
    #expect(elapsed < .seconds(4 * slowness))
    try eventually("all is as before") {
      try network.host.snapshot().difference(from: before) == ""
    }
  }
}
