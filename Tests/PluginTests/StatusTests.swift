import Foundation
import TestSupport
import Testing

@Suite("STATUS of ovs-bridge", .privateHost) struct StatusTests {
  private let network: Network
  private var ovs: OpenVSwitch { network.host.openVSwitch }
  init() throws { network = try Network() }

  /// Expects the error result of a STATUS, with what is said then, and that an ADD fails too.
  private func expect(
    _ code: Int, _ occasion: String, _ members: [String: Document] = [:], path: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let configuration = network.configuration(["timeout": 2]).with(members)
    let result = try network.plugin.status(configuration, path: path)
    try Messages.expect(
      result, code: code, of: "ovs-bridge", on: "STATUS, \(occasion)",
      sourceLocation: sourceLocation)
    let sandbox = try Sandbox()
    let refused = try network.plugin.add(
      configuration, containerID: "c1", sandbox: sandbox, path: path)
    #expect(refused.status == 1, "ADD does what STATUS says", sourceLocation: sourceLocation)
  }

  /// A directory in which `name` is a script that does `lines`.
  private func directory(_ name: String, _ lines: String) throws -> String {
    let file = try network.host.directory.write(
      "#!/bin/sh\n\(lines)\n", to: "bin/\(name)", mode: 0o755)
    return (file as NSString).deletingLastPathComponent
  }

  @Test("is silent when ADD could succeed")
  func ready() throws {
    let result = try network.plugin.status(network.configuration())
    try result.checked()
    #expect(result.output.bytes.isEmpty)
    try network.plugin.status(network.configuration(["bridge": "br9"])).checked()
    try network.plugin.status(
      network.addressed("10.1.0.0/24", "fd00:1::/64", members: ["isGateway": true, "vlan": 9])
    ).checked()
  }

  @Test("says that there is no bridge, and that it may not or cannot be made")
  func bridge() throws {
    try expect(
      50,
      "a bridge that may not be made",
      ["bridge": "br9", "createBridge": false])
  }

  @Test("says that the kernel has no datapath", .only(on: .userspace))
  func kernel() throws {
    try expect(
      50,
      "a datapath that this kernel lacks",
      ["bridge": "br9", "datapath": "system"])
    try ovs.vsctl("--no-wait", "add-br", "br8")
    try expect(
      50,
      "a bridge whose datapath this kernel lacks", ["bridge": "br8"])
  }

  @Test(
    "says that ovs-vswitchd hangs or is not there, and that attachments suffer if there are any")
  func switching() throws {
    ovs.switching?.suspend()
    try expect(51, "ovs-vswitchd is stopped")
    ovs.switching?.resume()
    ovs.stopSwitching()
    try expect(51, "ovs-vswitchd has ended")
    try expect(50, "ovs-vswitchd has ended", ["bridge": "br9"])
  }

  @Test("says that ovsdb-server hangs or is not there")
  func server() throws {
    ovs.server?.suspend()
    try expect(50, "ovsdb-server is stopped")
    ovs.server?.resume()
    ovs.stopServer()
    try expect(50, "ovsdb-server has ended")
  }

  @Test("says that the port of the gateway's name cannot be that")
  func gateway() throws {
    try ovs.addBridge("br2")
    let make = ["--", "set", "Interface", "br1.9", "type=internal"]
    let members: [String: Document] = [
      "isGateway": true, "vlan": 9, "ipam": network.addressed("10.1.0.0/24")["ipam"],
    ]
    try ovs.vsctl(["--timeout=\(10 * slowness)", "add-port", "br1", "br1.9", "tag=8"] + make)
      .checked()
    try expect(50, "the port of the gateway's name is of another VLAN", members)
    try ovs.vsctl(
      "--no-wait", "set", "Interface", "br1.9", "type=tap", "--", "set", "Port", "br1.9", "tag=9")
    try expect(50, "the port of the gateway's name is of another type", members)
    try ovs.vsctl("del-port", "br1.9")
    try ovs.vsctl(["--timeout=\(10 * slowness)", "add-port", "br2", "br1.9", "tag=9"] + make)
      .checked()
    try expect(50, "the port of the gateway's name is of another bridge", members)
    try ovs.vsctl("del-port", "br1.9")
    try network.plugin.status(network.configuration(members)).checked()
  }

  @Test("says that the gateway has another network's address, unless that gives way")
  func otherAddress() throws {
    let other = network.addressed("10.2.0.0/24", members: ["isGateway": true])
    let sandbox = try Sandbox()
    try network.plugin.add(other, containerID: "c9", sandbox: sandbox).checked()
    let members: [String: Document] = [
      "isGateway": true, "ipam": network.addressed("10.1.0.0/24")["ipam"],
    ]
    try expect(50, "the gateway has another network's address", members)
    let forced = network.configuration(members).with(["forceAddress": true])
    try network.plugin.status(forced).checked()
    try network.plugin.status(other).checked()
    let fixed: Document = [
      "type": "static", "addresses": [["address": "10.1.0.5/24", "gateway": "10.1.0.1"]],
    ]
    try expect(
      50, "the gateway has another network's address, with static",
      ["isGateway": true, "ipam": fixed])
  }

  @Test("hands on what the IPAM plugin says, or that there is none")
  func addresses() throws {
    try expect(50, "an IPAM plugin that is not there", ["ipam": ["type": "nowhere"]])
    let exhausted = network.addressed("10.1.0.0/30")
    try network.plugin.add(exhausted, containerID: "c9", sandbox: Sandbox()).checked()
    try expect(50, "all addresses are leased", ["ipam": exhausted["ipam"]])
    for code in [50, 51] {
      let answer = #"{"cniVersion": "1.1.0", "code": \#(code), "msg": "the pool is dry"}"#
      try expect(
        code, "an IPAM plugin whose STATUS says \(code)", ["ipam": ["type": "dry"]],
        path: directory("dry", "cat >/dev/null; echo '\(answer)'; exit 1"))
    }
    // Whatever else it says, ADD cannot succeed.
    try expect(
      50, "an IPAM plugin whose STATUS ends with 3", ["ipam": ["type": "broken"]],
      path: directory("broken", "cat >/dev/null; exit 3"))
  }

  @Test("says that the configuration asks for what ADD refuses")
  func unsupported() throws {
    try expect(2, "hairpinMode", ["hairpinMode": true])
    try expect(7, "a tag beyond 4094", ["vlan": 9100])
  }
}

@Test("VERSION echoes the version of the input")
func version() throws {
  for version in ["0.4.0", "1.1.0"] {
    let result = try Plugin("ovs-bridge").version(version)
    #expect(result.json["cniVersion"] == .string(version))
    #expect(result.json["supportedVersions"].array.count == 7)
  }
}
