import TestSupport
import Testing

@Suite("An attachment is network, container ID and interface name", .privateHost)
struct IdentityTests {
  /// A container that is attached to `net1`, and another network on the same host.
  private struct Attached {
    let network: Network
    let sandbox: Sandbox
    let configuration: Document
    let other: Document
    let result: Document

    init(_ members: [String: Document] = [:]) throws {
      network = try Network()
      sandbox = try Sandbox()
      configuration = network.addressed("10.1.0.0/24", members: members)
      other = network.addressed("10.2.0.0/24", members: members).with(["name": "net2"])
      result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    }

    func expectUntouched(_ before: HostSnapshot, _ event: String) throws {
      // The kernel gives a gateway's link its own addresses and routes in its own time.
      let changes = try network.host.snapshot().difference(from: before).split(separator: "\n")
      #expect(changes.filter { !$0.contains("fe80:") && !$0.contains("ff00::") } == [], "\(event)")
      let check = try network.plugin.check(
        configuration, previous: result, containerID: "c1", sandbox: sandbox)
      #expect(check.status == 0, "\(event): \(check)")
    }
  }

  @Test(
    "ADD, DEL and GC of another network touch nothing of it",
    arguments: [
      [:], ["ipMasq": true, "isGateway": true, "vlan": 7],
      ["bandwidth": ["ingressRate": 10_000_000, "ingressBurst": 100_000]],
    ] as [[String: Document]])
  func others(members: [String: Document]) throws {
    let attached = try Attached(members)
    let plugin = attached.network.plugin
    let before = try attached.network.host.settledSnapshot()
    let add = try plugin.add(attached.other, containerID: "c1", sandbox: attached.sandbox)
    try Messages.expect(
      add, code: 100, of: "ovs-bridge", on: "ADD, an interface that another network has")
    try attached.expectUntouched(before, "ADD")
    // Also with a namespace in which the interface name is free.
    let elsewhere = try plugin.add(attached.other, containerID: "c1", sandbox: try Sandbox())
    #expect(elsewhere.code == 100)
    try attached.expectUntouched(before, "ADD in another sandbox")
    for configuration in [attached.other, attached.other.with(["ipam": .absent])] {
      try plugin.del(configuration, containerID: "c1", sandbox: attached.sandbox).checked()
    }
    try attached.expectUntouched(before, "DEL")
    try plugin.gc(attached.other, valid: []).checked()
    try attached.expectUntouched(before, "GC")
  }

  @Test("what another network has lost is no hindrance")
  func lost() throws {
    let attached = try Attached()
    attached.sandbox.delete()
    try eventually("the link is gone") {
      try attached.network.host.ip("link").array.allSatisfy {
        $0["ifname"] != attached.result["interfaces"][0]["name"]
      }
    }
    let sandbox = try Sandbox()
    let result = try attached.network.plugin.add(
      attached.other, containerID: "c1", sandbox: sandbox
    ).checked()
    #expect(try attached.network.port(result)["external_ids"]["network"] == "net2")
    try attached.network.plugin.check(
      attached.other, previous: result, containerID: "c1", sandbox: sandbox
    ).checked()
  }

  @Test("two plugins of one list that make one interface: the second refuses, and touches nothing")
  func oneList() throws {
    let attached = try Attached()
    let before = try attached.network.host.settledSnapshot()
    let again = attached.configuration.with(["prevResult": attached.result])
    let add = try attached.network.plugin.add(again, containerID: "c1", sandbox: attached.sandbox)
    #expect(add.code == 100)
    try Messages.expect(
      add.message, of: "ovs-bridge", on: "ADD, the interface of an earlier plugin of the list")
    try attached.expectUntouched(before, "ADD")
  }

  @Test("a link that only has the name of the host end is another's, and stays")
  func foreignLink() throws {
    let attached = try Attached()
    let host = attached.network.host.namespace
    let name = attached.result["interfaces"][0]["name"].text ?? ""
    try attached.network.plugin.del(
      attached.configuration, containerID: "c1", sandbox: attached.sandbox
    ).checked()
    try host.exec("ip", ["link", "add", name, "type", "veth", "peer", "name", "foreign0"]).checked()
    func index() throws -> String {
      try host.exec("cat", ["/sys/class/net/\(name)/ifindex"]).checked().stdout
    }
    let before = try index()
    let add = try attached.network.plugin.add(
      attached.configuration, containerID: "c1", sandbox: attached.sandbox)
    #expect(add.code == 100)
    try attached.network.plugin.del(
      attached.configuration, containerID: "c1", sandbox: attached.sandbox
    ).checked()
    try attached.network.plugin.gc(attached.configuration, valid: []).checked()
    #expect(try index() == before)
  }

  @Test("rows and links of earlier releases are understood")
  func earlierRelease() throws {
    let attached = try Attached()
    let ovs = attached.network.host.openVSwitch
    let port = attached.result["interfaces"][0]["name"].text ?? ""
    for table in ["Port", "Interface"] {
      for key in ["began", "ipam"] { try ovs.vsctl("remove", table, port, "external_ids", key) }
    }
    try attached.sandbox.exec("ip", ["link", "set", "eth0", "alias", ""]).checked()
    let before = try attached.network.host.settledSnapshot()
    let add = try attached.network.plugin.add(
      attached.configuration, containerID: "c1", sandbox: attached.sandbox)
    #expect(add.code == 100)
    try attached.expectUntouched(before, "ADD")
    try attached.network.plugin.del(attached.configuration, containerID: "c1", sandbox: nil)
      .checked()
    #expect(try ovs.ports(of: "br1") == [])
  }
}
