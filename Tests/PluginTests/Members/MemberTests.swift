import TestSupport
import Testing

@Suite("Every member of ovs-bridge", .privateHost) struct MemberTests {

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
    #expect(refused.code == 999, "\(refused)")
    let parts = refused.message.components(separatedBy: "; ")
    try Messages.expect(
      member.mark.map { mark in parts.first { $0.contains(mark) } ?? "" } ?? refused.message,
      of: "ovs-bridge", on: "CHECK, \(member.testDescription), which another has changed",
      hiding: ["PORT": name])
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

    // The same address once more, by an IPAM plugin that does not know of the first; by another MAC
    // address, so that its link-local address is its own.
    configuration = configuration.with([
      "mac": "02:00:00:00:00:07",
      "ipam": ["type": "static", "addresses": [["address": "fd00:1::2/64"]]],
    ])
    let refused = try network.plugin.add(configuration, containerID: "c2", sandbox: second)
    try Messages.expect(
      refused, code: 999, of: "ovs-bridge", on: "ADD, enableDAD and an address of another host")
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
    try Messages.expect(check().message, of: "ovs-bridge", on: "CHECK, another VLAN of the port")
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
    ] as [(Document, Int)] {
      let started = ContinuousClock.now
      let result = try network.plugin.add(
        network.configuration(members.members), containerID: "c1", sandbox: sandbox)
      let elapsed = ContinuousClock.now - started
      try Messages.expect(
        result, code: 11, of: "ovs-bridge", on: "ADD, ovs-vswitchd does nothing, \(members)")
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
