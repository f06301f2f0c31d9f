import TestSupport
import Testing

@Suite("what show finds wrong with bridges and neighbours", .privateHost)
struct ShowProblemTests {
  @Test("an ovs-vswitchd that does nothing is told")
  func switching() throws {
    let plugged = try ShowTests.Plugged()
    plugged.host.openVSwitch.stopSwitching()
    _ = try plugged.host.openVSwitch.vsctl([
      "--no-wait", "add-port", plugged.bridge, "late", "--", "set", "Interface", "late",
      "type=internal",
    ]).checked()
    _ = try plugged.host.openVSwitch.vsctl(["--timeout=1", "add-br", "never"])
    let document = try Document(parsing: plugged.show("--json").checked().bytes)
    let late = document["bridges"][0]["ports"].first(where: "name", is: "late")
    try Messages.expect(
      late["problems"].array.compactMap(\.text).joined(separator: "\n"), of: "patchbay",
      on: "show: an interface that ovs-vswitchd has not seen")
    let whole = document["problems"].array.compactMap(\.text)
    #expect(whole.count == 2, "\(whole)")
    // How Open vSwitch is started differs between hosts.
    try Messages.expect(
      String((whole.first ?? "").prefix { $0 != ";" }), of: "patchbay",
      on: "show: ovs-vswitchd has ended")
    try Messages.expect(
      whole.last ?? "", of: "patchbay", on: "show: ovs-vswitchd has not taken changes over")
  }

  @Test("an ovs-vswitchd that has stopped is told at once, though nothing is to be taken over")
  func stopped() throws {
    let plugged = try ShowTests.Plugged()
    plugged.host.openVSwitch.stopSwitching()
    let output = try plugged.show().checked()
    let lines = output.stdout.split(separator: "\n").filter { $0.contains("ovs-vswitchd") }
    #expect(lines.count == 1 && lines[0].hasPrefix("✗ "), "\(output)")
    // How Open vSwitch is started differs between hosts.
    try Messages.expect(
      String((lines.first ?? "").dropFirst(2).prefix { $0 != ";" }), of: "patchbay",
      on: "show: ovs-vswitchd has stopped")
  }

  @Test("a gateway's link that is down or lacks its address is told")
  func gateway() throws {
    let host = try TestHost()
    let bridge = try host.openVSwitch.addBridge("OVS-1")
    try host.openVSwitch.vsctl(
      "set", "Port", bridge, #"external_ids:"patchbay-gateway/n/10.1.0.1/24"="""#)
    func problems() throws -> [String] {
      let output = try host.namespace.exec(
        Patchbay.path, ["show", "--db", host.openVSwitch.endpoint, "--json"])
      let document = try Document(parsing: output.checked().bytes)
      return document["bridges"][0]["ports"][0]["problems"].array.compactMap(\.text)
    }
    try Messages.expect(
      problems().joined(separator: "\n"), of: "patchbay",
      on: "show: a gateway that is down and has no address")
    try host.namespace.exec("ip", ["link", "set", bridge, "up"]).checked()
    try host.namespace.exec("ip", ["address", "add", "10.1.0.1/24", "dev", bridge]).checked()
    #expect(try problems() == [])
  }

  @Test("two of one address or MAC address in one VLAN are told, not in two VLANs")
  func twins() throws {
    let plugged = try ShowTests.Plugged("tag=10")
    func plug(_ name: String, tag: Int, _ address: String, _ mac: String) throws -> Sandbox {
      let sandbox = try Sandbox()
      try plugged.host.namespace.exec(
        "ip",
        [
          "link", "add", name, "type", "veth", "peer", "name", "eth0", "address", mac, "netns",
          sandbox.name,
        ]
      ).checked()
      try plugged.host.namespace.exec("ip", ["link", "set", name, "up"]).checked()
      try sandbox.exec("ip", ["link", "set", "eth0", "up"]).checked()
      try sandbox.exec("ip", ["address", "add", address, "dev", "eth0"]).checked()
      let record = [
        "owner=patchbay", "network=other", "containerID=\(name)", "interfaceName=eth0",
        "sandbox=\(sandbox.path)",
      ].map { "external_ids:\($0)" }
      try plugged.host.openVSwitch.vsctl(
        ["--timeout=10", "add-port", plugged.bridge, name, "--", "set", "Port", name, "tag=\(tag)"]
          + record
      ).checked()
      return sandbox
    }
    let mac = "0a:58:c0:a8:00:01"
    let elsewhere = try plug("vethelsewhere", tag: 11, "192.168.0.1/24", mac)
    #expect(try plugged.problems() == [])
    let twin = try plug("vethtwin", tag: 10, "192.168.0.1/16", mac)
    try plugged.expectProblems("two of one address and MAC address")
    withExtendedLifetime((elsewhere, twin)) {}
  }

  @Test("a bridge without controller and flows that forwards nothing is told, until it has a flow")
  func failMode() throws {
    let output = try Patchbay.play(
      """
      patchbay netns add a && patchbay add ovs-1 a >/dev/null
      ovs-vsctl set-fail-mode OVS-1 secure
      problems() { patchbay show --json | jq -c '.bridges[0].problems'; }
      problems
      ovs-ofctl add-flow OVS-1 actions=normal
      problems
      """)
    let lists = try output.stdout.split(separator: "\n").map { try Document(parsing: $0.utf8) }
    #expect(lists.count == 2 && lists[0].array.count == 1 && lists[1] == [], "\(output)")
    try Messages.expect(
      lists[0][0].text ?? "", of: "patchbay", on: "show: a bridge that forwards nothing")
  }

  @Test("an OpenFlow port that was not granted, and a port that spanning tree blocks, are told")
  func portStates() throws {
    let plugged = try ShowTests.Plugged()
    try plugged.host.openVSwitch.vsctl(
      "set", "Interface", plugged.port, "ofport_request=65000")
    try plugged.host.openVSwitch.vsctl(
      "add-port", plugged.bridge, "p2", "--", "set", "Interface", "p2", "type=internal",
      "ofport_request=65000")
    let ports = { () throws -> [Document] in
      try Document(parsing: plugged.show("--json").checked().bytes)["bridges"][0]["ports"].array
    }
    let refused = try ports().flatMap { port in
      port["problems"].array.compactMap(\.text).filter { $0.contains("65000") }.map {
        ($0, port["interfaces"][0])
      }
    }
    #expect(refused.count == 1, "\(refused)")
    for (problem, interface) in refused {
      try Messages.expect(
        problem, of: "patchbay", on: "show: an OpenFlow port that another has",
        hiding: [
          "INTERFACE": interface["name"].text ?? "",
          "has OTHER:": "has \(interface["ofport"].integer ?? 0):",
        ])
    }
    try plugged.host.openVSwitch.vsctl("set", "Bridge", plugged.bridge, "stp_enable=true")
    try eventually("spanning tree listens") {
      try ports().contains { port in
        port["problems"].array.compactMap(\.text).contains {
          $0.hasPrefix("spanning tree does not let the port forward: it is l")
        }
      }
    }
  }
}
