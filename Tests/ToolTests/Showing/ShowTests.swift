import Foundation
import TestSupport
import Testing

@testable import patchbay

@Suite("show", .privateHost)
struct ShowTests {
  /// A host whose Open vSwitch has a bridge and, on it, an attachment as the plugin makes it.
  final class Plugged {
    let host: TestHost
    let bridge: String
    let sandbox: Sandbox
    let port = "vethaaaaaaaaaaa"
    var path: String { sandbox.path }

    init(_ settings: String...) throws {
      host = try TestHost()
      bridge = try host.openVSwitch.addBridge("OVS-1")
      sandbox = try Sandbox()
      let inside = host.namespace
      try inside.exec(
        "ip",
        [
          "link", "add", port, "type", "veth", "peer", "name", "eth0", "address",
          "0a:58:c0:a8:00:01", "netns", sandbox.name,
        ]
      ).checked()
      try inside.exec("ip", ["link", "set", port, "up"]).checked()
      try sandbox.exec("ip", ["link", "set", "eth0", "up"]).checked()
      try sandbox.exec("ip", ["address", "add", "192.168.0.1/24", "dev", "eth0"]).checked()
      let record = [
        "owner=patchbay", "network=ovs-1", "containerID=c1", "interfaceName=eth0",
        "sandbox=\(sandbox.path)", "addresses=192.168.0.1/24", "mac=\"0a:58:c0:a8:00:01\"",
      ].map { "external_ids:\($0)" }
      try host.openVSwitch.vsctl(
        ["--timeout=10", "add-port", bridge, port, "--", "set", "Port", port] + settings + record
      ).checked()
    }

    func show(_ arguments: String...) throws -> Output {
      try host.namespace.exec(
        Patchbay.path, ["show", "--db", host.openVSwitch.endpoint] + arguments)
    }
    /// What is wrong with the port.
    func problems() throws -> [String] {
      let document = try Document(parsing: show("--json").checked().bytes)
      let ports = document["bridges"][0]["ports"]
      return ports.first(where: "name", is: .string(port))["problems"].array.compactMap(\.text)
    }
    /// Expects the problems that are on record.
    func expectProblems(_ occasion: String) throws {
      try Messages.expect(
        problems().joined(separator: "\n"), of: "patchbay", on: "show: \(occasion)")
    }
  }

  @Test("an attachment has link, sandbox, container, addresses, VLANs and network")
  func tree() throws {
    let plugged = try Plugged("tag=10")
    let output = try plugged.show().checked()
    let version = try plugged.host.openVSwitch.vsctl("get", "Open_vSwitch", ".", "ovs_version")
    let shown = version.first == "[]" ? "" : " " + (version.first ?? "").filter { $0 != "\"" }
    #expect(
      output.stdout == """
        Open vSwitch\(shown), \(plugged.host.openVSwitch.endpoint)
        └─ bridge OVS-1, userspace datapath
           ├─ OVS-1            internal, the bridge's own
           └─ vethaaaaaaaaaaa ═══ eth0 in \(plugged.path)
                network   ovs-1, container c1
                address   192.168.0.1/24, mac 0a:58:c0:a8:00:01
                VLAN      access 10

        1 bridge, 2 ports, no problem

        """)
  }

  @Test("names from outside forge no line, and move no cursor")
  func controlCharacters() throws {
    let plugged = try Plugged(
      #"external_ids:containerName="a\nb\u001b[2Jc""#, "external_ids:note=x")
    let output = try plugged.show().checked()
    #expect(output.stdout.contains(#"container a\nb\u{1b}[2Jc (c1)"#), "\(output)")
    let graph = try plugged.show("--dot").checked()
    #expect(graph.stdout.contains(#"a\\nb\\u{1b}[2Jc"#), "\(graph)")
    #expect(!graph.stdout.contains("\u{1b}"))
  }

  @Test("VLANs of any numbers make a text")
  func extremeTrunks() {
    func text(_ trunks: [Int64]) -> String {
      VLANs(mode: nil, tag: nil, trunks: trunks).description
    }
    #expect(text([.max, .max]) == "trunk \(Int64.max)")
    #expect(
      text([.min, .max, .min, .max - 1]) == "trunk \(Int64.min), \(Int64.max - 1)-\(Int64.max)")
    #expect(text([3, 1, 2, 2, 7]) == "trunk 1-3, 7")
  }

  @Test("the JSON text has the same, and what programs want besides")
  func json() throws {
    let plugged = try Plugged("trunks=3,1,2")
    let document = try Document(parsing: plugged.show("OVS-1", "--json").checked().bytes)
    #expect(document["endpoint"] == .string(plugged.host.openVSwitch.endpoint))
    #expect(document["problems"] == [])
    #expect(document["bridges"].array.count == 1)
    let port = document["bridges"][0]["ports"].first(where: "name", is: .string(plugged.port))
    #expect(port["trunks"].array.compactMap(\.integer).sorted() == [1, 2, 3])
    #expect(port["problems"] == [])
    let attachment = port["attachment"]
    #expect(attachment["network"] == "ovs-1")
    #expect(attachment["containerID"] == "c1")
    #expect(attachment["interface"] == "eth0")
    #expect(attachment["sandbox"] == .string(plugged.path))
    #expect(attachment["addresses"] == ["192.168.0.1/24"])
    #expect(attachment["link"]["mac"] == "0a:58:c0:a8:00:01")
    #expect(attachment["link"]["addresses"].array.contains("192.168.0.1/24"))
    #expect((port["interfaces"][0]["ofport"].integer ?? 0) > 0)
    #expect(port["interfaces"][0]["link"]["up"] == true)
  }

  @Test("the graph has an edge from the bridge to the sandbox, red where something is wrong")
  func dot() throws {
    let plugged = try Plugged("tag=10")
    func expected(_ rest: String) -> String {
      """
      graph patchbay {
        rankdir=LR;
        node [shape=box, style=rounded];
        edge [fontsize=10];
        "bridge OVS-1" [label="OVS-1", style=bold];
        "sandbox \(plugged.path)" [label="c1\\n\(plugged.path)"];
        "bridge OVS-1" -- "sandbox \(plugged.path)" \
      [label="vethaaaaaaaaaaa ═ eth0\\n192.168.0.1/24\\naccess 10\(rest)];
      }

      """
    }
    #expect(try plugged.show("--dot").checked().stdout == expected("\""))
    try plugged.sandbox.exec("ip", ["link", "set", "eth0", "down"]).checked()
    #expect(
      try plugged.show("--dot").checked().stdout
        == expected(
          #"\n✗ link eth0 in the sandbox is down", color=red, fontcolor=red"#))
  }

  @Test("a sandbox that is gone is told")
  func sandboxGone() throws {
    let plugged = try Plugged()
    // The link would go with the namespace: it must outlive the test.
    let keeper = try Daemon(
      "ip", ["netns", "exec", plugged.sandbox.name, "sleep", "1000"],
      environment: ["PATH": "/usr/bin:/bin"], log: "/dev/null")
    try eventually("it is inside") {
      try run("cat", ["/proc/\(keeper.pid)/comm"]).stdout == "sleep\n"
    }
    plugged.sandbox.delete()
    try plugged.expectProblems("the sandbox is gone")
  }

  @Test("a link that is gone is told, in the words of ovs-vswitchd where it has noticed")
  func linkGone() throws {
    let plugged = try Plugged()
    try plugged.host.namespace.exec("ip", ["link", "delete", plugged.port]).checked()
    let problems = try plugged.problems()
    #expect(problems.count == 2, "\(problems)")
    #expect(problems.first?.contains(plugged.port) == true)
    try Messages.expect(problems.last ?? "", of: "patchbay", on: "show: the link is gone")
  }

  @Test("what is not as it was given is told")
  func differences() throws {
    let plugged = try Plugged()
    for arguments in [
      ["address", "flush", "dev", "eth0"], ["link", "set", "eth0", "down"],
      ["link", "set", "eth0", "address", "0a:58:c0:a8:00:02"],
    ] {
      try plugged.sandbox.exec("ip", arguments).checked()
    }
    try plugged.expectProblems("the link in the sandbox is not as it was given")
    try plugged.host.namespace.exec("ip", ["link", "set", plugged.port, "down"]).checked()
    try Messages.expect(
      plugged.problems().first ?? "", of: "patchbay", on: "show: the host end is down")
  }

  @Test("the other end of another link is told")
  func otherLink() throws {
    let plugged = try Plugged()
    try plugged.sandbox.exec("ip", ["link", "set", "eth0", "name", "eth1"]).checked()
    try plugged.sandbox.exec(
      "ip", ["link", "add", "eth0", "type", "veth", "peer", "name", "eth2"]
    ).checked()
    try Messages.expect(
      plugged.problems().first ?? "", of: "patchbay", on: "show: the other end of another link")
  }

  @Test("a link that the plugin made and that is no port is told")
  func orphan() throws {
    let plugged = try Plugged()
    try plugged.host.namespace.exec(
      "ip", ["link", "set", plugged.port, "alias", "patchbay:ovs-1/c1/eth0"]
    ).checked()
    try plugged.host.openVSwitch.vsctl("del-port", plugged.port)
    let document = try Document(parsing: plugged.show("--json").checked().bytes)
    try Messages.expect(
      document["problems"].array.compactMap(\.text).joined(separator: "\n"), of: "patchbay",
      on: "show: a link that is no port")
    #expect(try plugged.show().stdout.hasSuffix("1 bridge, 1 port, 1 problem\n"))
  }

  @Test("ports of others are shown, with their types")
  func others() throws {
    let host = try TestHost()
    try host.openVSwitch.addBridge("br0")
    try host.openVSwitch.vsctl(
      "add-port", "br0", "vx0", "tag=5", "--", "set", "Interface", "vx0", "type=vxlan",
      "options:remote_ip=192.0.2.1", "--", "set", "Port", "vx0", "external_ids:owner=somebody")
    let output = try host.namespace.exec(
      Patchbay.path, ["show", "--db", host.openVSwitch.endpoint]
    ).checked()
    #expect(output.stdout.contains("   ├─ br0  internal, the bridge's own\n"))
    #expect(output.stdout.contains("   └─ vx0  vxlan to 192.0.2.1, of somebody, access 5\n"))
  }

  @Test(
    "an error says where it looked, and what there is",
    arguments: [
      (["--db", "unix:/run/there/is/none"], 1), (["--json", "--dot"], 2), (["--db", "nowhere"], 1),
    ] as [([String], Int32)])
  func errors(_ arguments: [String], _ status: Int32) throws {
    let output = try run(Patchbay.path, ["show"] + arguments)
    #expect(output.status == status, "\(output)")
    // How Open vSwitch is started differs between hosts.
    let start = output.stderr.firstRange(of: "\nstart Open vSwitch: ")
    #expect((start != nil) == output.stderr.contains("is ovsdb-server running?"))
    try Messages.expect(
      Patchbay.withoutUsage(
        output.stderr.prefix(upTo: start?.lowerBound ?? output.stderr.endIndex)),
      of: "patchbay", on: "patchbay show \(arguments.joined(separator: " "))")
  }

  @Test("a bridge that is not there is refused, and those that are, named")
  func unknownBridge() throws {
    let output = try Plugged().show("br7")
    #expect(output.status == 1)
    try Messages.expect(output.stderr, of: "patchbay", on: "patchbay show br7")
  }
}

@Suite("The picture")
struct PictureTests {
  @Test(
    "VLANs are written as they are meant",
    arguments: [
      (nil, nil, [], "every VLAN"), ("trunk", nil, [], "every VLAN"), (nil, 10, [], "access 10"),
      ("access", 10, [], "access 10"), ("access", nil, [], "access 0"),
      (nil, nil, [7, 2, 1, 3], "trunk 1-3, 7"), ("trunk", nil, [5], "trunk 5"),
      ("native-untagged", 5, [10, 11], "native-untagged 5, trunk 10-11"),
      ("native-tagged", 5, [], "native-tagged 5, every VLAN"),
      ("dot1q-tunnel", 100, [], "dot1q-tunnel 100"),
    ] as [(String?, Int64?, [Int64], String)])
  func vlans(_ mode: String?, _ tag: Int64?, _ trunks: [Int64], _ text: String) {
    #expect(VLANs(mode: mode, tag: tag, trunks: trunks).description == text)
  }

  @Test("no line is wider than the terminal", arguments: [40, 80, 100, 120])
  func width(_ width: Int) {
    let problem = String(repeating: "it is not as it should be, ", count: 12)
    let ports = ["p0", "vethaaaaaaaaaaa"].map { name in
      Picture.Port(
        name: name, vlans: .init(mode: nil, tag: nil, trunks: [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]),
        interfaces: [.init(name: name, type: "system", openFlowPort: 1, link: nil)],
        record: .init(
          .init(
            network: "a-network-with-a-long-name",
            .init(
              containerID: String(repeating: "0123456789abcdef", count: 4), interfaceName: "eth0")),
          sandbox: "/var/run/netns/cni-0b1c2d3e-0000-1111-2222-333344445555",
          addresses: (1...9).map { "fd00:1234:5678:9abc:def0:1234:5678:\($0)/64" }, mac: nil),
        owner: "patchbay", problems: [problem])
    }
    let picture = Picture(
      endpoint: "unix:/var/run/openvswitch/db.sock", version: "3.1.0",
      bridges: [.init(name: "b0", datapath: .netdev, ports: ports)], problems: [problem])
    let lines = PictureTree(picture, width: width).text.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= width }, "\(lines.joined(separator: "\n"))")
    #expect(lines.count > 20)
    // Two ports, each with ten lines at most, that end with where the rest is.
    let starts =
      lines.indices.filter { lines[$0].contains("═══") } + [
        lines.firstIndex { $0.hasPrefix("✗") } ?? 0
      ]
    #expect(zip(starts, starts.dropFirst()).allSatisfy { $1 - $0 <= 10 })
    if width < 100 { #expect(lines.count { $0.hasSuffix("… --json has the rest") } == 2) }
  }
}
