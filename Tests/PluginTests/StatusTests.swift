import Foundation
import TestSupport
import Testing

@Suite("STATUS of ovs-bridge", .privateHost) struct StatusTests {
  private let network: Network
  private var ovs: OpenVSwitch { network.host.openVSwitch }
  init() throws { network = try Network() }

  /// Expects the error result of a STATUS, of which `words` are told, and that an ADD fails too.
  private func expect(
    _ code: Int, _ words: String, _ members: [String: Document] = [:], path: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let configuration = network.configuration(["timeout": 2]).with(members)
    let result = try network.plugin.status(configuration, path: path)
    #expect(result.code == code, sourceLocation: sourceLocation)
    #expect(result.message.contains(words), "\(result.message)", sourceLocation: sourceLocation)
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
      #"there is no bridge "br9"; make it (ovs-vsctl add-br br9), or set "createBridge" to true"#,
      ["bridge": "br9", "createBridge": false])
  }

  @Test("says that the kernel has no datapath", .only(on: .userspace))
  func kernel() throws {
    try expect(
      50,
      #"datapath "system" is not available; this kernel has no module openvswitch loaded; "#
        + #""datapath": "netdev" needs none; where there is one: modprobe openvswitch, then "#
        + "restart ovs-vswitchd",
      ["bridge": "br9", "datapath": "system"])
    try ovs.vsctl("--no-wait", "add-br", "br8")
    try expect(
      50,
      #"ovs-vswitchd could not make bridge "br8"; its datapath is "system"; see the log of "#
        + "ovs-vswitchd", ["bridge": "br8"])
  }

  @Test(
    "says that ovs-vswitchd hangs or is not there, and that attachments suffer if there are any")
  func switching() throws {
    ovs.switching?.suspend()
    try expect(51, "ovs-vswitchd does not respond; ovsdb-server at unix:")
    ovs.switching?.resume()
    ovs.stopSwitching()
    let words =
      "ovs-vswitchd is not running; its lock in ovsdb-server at \(ovs.endpoint) is free; "
      + "start it (ovs-ctl start)"
    try expect(51, words)
    try expect(50, words, ["bridge": "br9"])
  }

  @Test("says that ovsdb-server hangs or is not there")
  func server() throws {
    ovs.server?.suspend()
    try expect(50, "Open vSwitch is not available; ovsdb-server at \(ovs.endpoint): waiting for ")
    ovs.server?.resume()
    ovs.stopServer()
    try expect(
      50,
      "Open vSwitch is not available; connect(\(ovs.socket)): ENOENT (No such file or directory); "
        + "is ovsdb-server running?")
  }

  @Test("says that the port of the gateway's name cannot be that")
  func gateway() throws {
    try ovs.addBridge("br2")
    let make = ["--", "set", "Interface", "br1.9", "type=internal"]
    let members: [String: Document] = [
      "isGateway": true, "vlan": 9, "ipam": network.addressed("10.1.0.0/24")["ipam"],
    ]
    let subject = #"cannot use port "br1.9" as the gateway; "#
    try ovs.vsctl(["--timeout=\(10 * slowness)", "add-port", "br1", "br1.9", "tag=8"] + make)
      .checked()
    try expect(
      50, subject + #"its type is "internal" and its tag 8, and should be "internal" and 9"#,
      members)
    try ovs.vsctl(
      "--no-wait", "set", "Interface", "br1.9", "type=tap", "--", "set", "Port", "br1.9", "tag=9")
    try expect(50, subject + #"its type is "tap" and its tag 9"#, members)
    try ovs.vsctl("del-port", "br1.9")
    try ovs.vsctl(["--timeout=\(10 * slowness)", "add-port", "br2", "br1.9", "tag=9"] + make)
      .checked()
    try expect(50, subject + #"it is not on bridge "br1""#, members)
    try ovs.vsctl("del-port", "br1.9")
    try network.plugin.status(network.configuration(members)).checked()
  }

  @Test("hands on what the IPAM plugin says, or that there is none")
  func addresses() throws {
    try expect(50, #"failed to find plugin "nowhere" in path ["#, ["ipam": ["type": "nowhere"]])
    let exhausted = network.addressed("10.1.0.0/30")
    try network.plugin.add(exhausted, containerID: "c9", sandbox: Sandbox()).checked()
    try expect(
      50, #"plugin "host-local": no IP addresses available in range set: 10.1.0.1-10.1.0.2"#,
      ["ipam": exhausted["ipam"]])
    for code in [50, 51] {
      let answer = #"{"cniVersion": "1.1.0", "code": \#(code), "msg": "the pool is dry"}"#
      try expect(
        code, #"plugin "dry": the pool is dry"#, ["ipam": ["type": "dry"]],
        path: directory("dry", "cat >/dev/null; echo '\(answer)'; exit 1"))
    }
    // Whatever else it says, ADD cannot succeed.
    try expect(
      50, #"plugin "broken""#, ["ipam": ["type": "broken"]],
      path: directory("broken", "cat >/dev/null; exit 3"))
  }

  @Test("says that the configuration asks for what ADD refuses")
  func unsupported() throws {
    try expect(2, "hairpinMode: true is not supported", ["hairpinMode": true])
    try expect(7, "vlan: 9100 is not in 0…4094", ["vlan": 9100])
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
