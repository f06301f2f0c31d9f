import Foundation
import TestSupport
import Testing

/// Something that makes ADD impossible.
struct Refusal: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let members: [String: Document]
  let code: Int
  /// Of the member that it is about, if it is about one.
  let path: String?
  init(_ name: String, _ members: [String: Document], _ code: Int, at path: String? = nil) {
    (testDescription, self.members, self.code, self.path) = (name, members, code, path)
  }
}

@Suite("ADD of ovs-bridge that is refused leaves nothing", .privateHost) struct RefusalTests {
  @Test(
    "for a configuration that is illegal or cannot be honoured",
    arguments: [
      Refusal("a tag beyond 4094", ["vlan": 9100], 7, at: "vlan"),
      Refusal("a bridge name of 16 letters", ["bridge": "sixteen-letters-"], 7, at: "bridge"),
      Refusal("no bridge", ["bridge": .null], 7, at: "bridge"),
      Refusal("an IPAM type with a path", ["ipam": ["type": "../x"]], 7),
      Refusal("an IPAM plugin that is not there", ["ipam": ["type": "nowhere"]], 999),
      Refusal("an IPAM configuration that is refused", ["ipam": ["type": "host-local"]], 7),
      Refusal("an MTU that is none", ["mtu": 12], 7, at: "mtu"),
      Refusal("a MAC address that is none", ["mac": "nonsense"], 7, at: "mac"),
      Refusal("a multicast MAC address", ["mac": "01:00:00:00:00:01"], 7, at: "mac"),
      Refusal(
        "an endpoint that is none", ["socket_file": "ssl:1.2.3.4:6640"], 7, at: "socket_file"),
      Refusal("a mode without its tag", ["vlanMode": "access"], 7, at: "vlan"),
      Refusal(
        "a trunk in an access port", ["vlan": 1, "trunk": [["id": 2]], "vlanMode": "access"], 7,
        at: "trunk"),
      Refusal("a trunk upside down", ["trunk": [["minID": 9, "maxID": 3]]], 7, at: "trunk[0]"),
      Refusal(
        "a key of our own in external_ids", ["external_ids": ["owner": "me"]], 7,
        at: "external_ids.owner"),
      Refusal("a PCI device", ["deviceID": "0000:01:00.0"], 2, at: "deviceID"),
      Refusal("hairpin mode", ["hairpinMode": true], 2, at: "hairpinMode"),
      Refusal("promiscuity", ["promiscMode": true], 2, at: "promiscMode"),
      Refusal("a guard that nothing could pass", ["guard": true], 7, at: "guard"),
      Refusal("another firewall", ["ipMasqBackend": "iptables"], 2, at: "ipMasqBackend"),
      Refusal(
        "a VLAN besides its own", ["preserveDefaultVlan": true, "vlan": 5], 2,
        at: "preserveDefaultVlan"),
      Refusal(
        "a container interface that is down and has addresses",
        ["disableContainerInterface": true, "ipam": ["type": "static"]], 7,
        at: "disableContainerInterface"),
      Refusal(
        "a gateway of a tunnel",
        ["vlan": 5, "vlanMode": "dot1q-tunnel", "isGateway": true], 7, at: "isGateway"),
      Refusal(
        "two kinds of trunk", ["trunk": [["id": 1]], "vlanTrunk": [["id": 1]]], 7,
        at: "vlanTrunk"),
      Refusal(
        "a bridge that may not be made", ["bridge": "br9", "createBridge": false], 7, at: "bridge"),
      Refusal(
        "a bridge whose name is a pattern to the kernel", ["bridge": "br%d"], 7, at: "bridge"),
      Refusal("a bridge whose name is that of settings", ["bridge": "default"], 7, at: "bridge"),
      Refusal(
        "a datapath that this kernel lacks", ["bridge": "br9", "datapath": "system"], 999),
      Refusal("a log level that is none", ["logLevel": "loud"], 7, at: "logLevel"),
      Refusal("a version that is none", ["cniVersion": "1.2.0"], 1),
      Refusal(
        "a version that cannot express it", ["cniVersion": "0.2.0"], 2, at: "cniVersion"),
    ])
  func configuration(refusal: Refusal) throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let before = try network.host.snapshot()
    let result = try network.plugin.add(
      network.configuration(refusal.members), containerID: "c1", sandbox: sandbox)
    if let path = refusal.path {
      #expect(result.message.hasPrefix("\(path): "), "\(result.message)")
    }
    try Messages.expect(
      result, code: refusal.code, of: "ovs-bridge", on: "ADD, \(refusal.testDescription)")
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
    try Messages.expect(
      result, code: 6, of: "ovs-bridge", on: "ADD, without the last two bytes of its text",
      hiding: ["COLUMN": "column \(text.count - 2)"])
    #expect(try sandbox.ip("link").array.count == 1)
  }

  @Test("for a sandbox that is the plugin's own namespace, that is none, or that is not there")
  func sandboxes() throws {
    let network = try Network()
    let before = try network.host.snapshot()
    let file = try network.host.directory.write("", to: "file")
    let empty = try network.host.snapshot()
    for path in ["/proc/self/ns/net", file, "/run/netns/nowhere"] {
      let result = try network.plugin.call(
        "ADD", network.configuration(), containerID: "c1", sandbox: path, ifname: "eth0")
      #expect(result.message.contains(path), "\(result.message)")
      try Messages.expect(
        result, code: 8, of: "ovs-bridge",
        on: path == file ? "ADD, CNI_NETNS is a file" : "ADD, CNI_NETNS=\(path)")
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
    try Messages.expect(
      result, code: 100, of: "ovs-bridge", on: "ADD, an interface of the name in the sandbox")
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
    try Messages.expect(
      result, code: 100, of: "ovs-bridge", on: "ADD, CNI_IFNAME=\(name)")
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
        "an address twice", ["addresses": [["address": "10.1.0.2/24"], ["address": "10.1.0.2/24"]]]
      ),
      ("the address 0.0.0.0/24", ["addresses": [["address": "0.0.0.0/24"]]]),
      ("the address ::/64", ["addresses": [["address": "::/64"]]]),
      ("the address ::1/128", ["addresses": [["address": "::1/128"]]]),
      ("the address ff02::1/64", ["addresses": [["address": "ff02::1/64"]]]),
      (
        "a route twice",
        [
          "addresses": [["address": "10.1.0.2/24", "gateway": "10.1.0.1"]],
          "routes": [["dst": "0.0.0.0/0"], ["dst": "0.0.0.0/0", "gw": "10.1.0.1"]],
        ]
      ),
    ] as [(String, Document)])
  func addresses(what: String, ipam: Document) throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let before = try network.host.snapshot()
    let refused = try network.plugin.add(
      network.configuration(["ipam": ipam.with(["type": "static"])]), containerID: "c1",
      sandbox: sandbox)
    try Messages.expect(refused, code: 7, of: "ovs-bridge", on: "ADD, IPAM gives \(what)")
    // No ADD could succeed, whatever its container: STATUS says so before there is one.
    if ipam["routes"] == .absent {
      #expect(
        try network.plugin.status(network.configuration(["ipam": ipam.with(["type": "static"])]))
          .code == 50)
    }
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
    #expect(refused.message.contains("\"\(name)\""), "\(refused.message)")
    try Messages.expect(
      refused, code: 100, of: "ovs-bridge", on: "ADD, a port of the name that is of others")
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
    try Messages.expect(result, code: 11, of: "ovs-bridge", on: "ADD, ovsdb-server has ended")
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
    try Messages.expect(result, code: 11, of: "ovs-bridge", on: "ADD, ovs-vswitchd is stopped")
    #expect(elapsed < .seconds(4 * slowness))
    try eventually("all is as before") {
      try network.host.snapshot().difference(from: before) == ""
    }
  }
}
