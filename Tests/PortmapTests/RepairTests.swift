import Foundation
import TestSupport
import Testing

@Suite("patchbay repair", .privateHost)
struct RepairTests {
  let publishing: Publishing
  init() throws { publishing = try Publishing() }

  /// Runs the tool on the host, with configurations, cache and executables of this test.
  private func patchbay(_ words: String...) throws -> Output {
    let place = publishing.host.directory.path
    var environment = ProcessInfo.processInfo.environment
    environment["NETCONFPATH"] = "\(place)/net.d"
    environment["CNI_PATH"] = Plugin.directory
    return try publishing.host.namespace.exec(
      "\(Plugin.directory)/patchbay",
      words + (words[0] == "netns" ? [] : ["--cache-dir", "\(place)/cache"]),
      environment: environment)
  }

  /// What takes away what `repair` puts back.
  enum Event: CaseIterable {
    case flush
    case restart
  }

  private func cause(_ event: Event) throws {
    let host = publishing.host.namespace
    switch event {
    case .flush:
      try host.exec("nft", ["flush", "ruleset"]).checked()
      try host.exec("iptables-nft", ["-P", "FORWARD", "DROP"]).checked()
      try publishing.command(host, "address flush dev br1")
    case .restart:
      let ovs = publishing.host.openVSwitch
      ovs.switching?.signal(SIGKILL)
      ovs.stopSwitching()
      // On the kernel's datapath the link stays, and has its addresses.
      _ = try? publishing.command(host, "link delete br1")
      _ = try? publishing.command(host, "address flush dev br1")
      try ovs.startSwitching()
      try eventually("the bridge is there again") {
        try host.exec("ip", ["link", "show", "br1"]).status == 0
      }
    }
  }

  /// Writes the configuration of `net1`, and attaches a container `c1` that publishes a port.
  private func attach() throws -> Sandbox {
    let place = publishing.host.directory.path
    try FileManager.default.createDirectory(
      atPath: "\(place)/net.d", withIntermediateDirectories: true)
    let list = Document.object([
      "cniVersion": "1.1.0", "name": "net1",
      "plugins": .array([
        publishing.network(1, ["portIsolation": true]).with([
          "cniVersion": .absent, "name": .absent,
        ]),
        ["type": "portmap", "capabilities": ["portMappings": true]],
      ]),
    ])
    try Data(list.encoded).write(to: URL(fileURLWithPath: "\(place)/net.d/net1.conflist"))
    let sandbox = try Sandbox()
    try patchbay(
      "add", "net1", sandbox.path, "--container-id", "c1", "--capability",
      #"portMappings=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]"#
    ).checked()
    return sandbox
  }

  @Test(
    "puts back gateway addresses, masquerading, forward rules and published ports, and says what",
    arguments: Event.allCases)
  func repair(after event: Event) throws {
    try publishing.host.namespace.exec("iptables-nft", ["-P", "FORWARD", "DROP"]).checked()
    let sandbox = try attach()
    let server = try Echo("c1", in: sandbox, port: 80)
    func ask() throws -> String? { try Echo.ask(publishing.beyond, "tcp", "192.0.2.1", 8080)?.name }
    #expect(try ask() == "c1")
    let endpoint = publishing.host.openVSwitch.endpoint
    try Messages.expect(
      patchbay("repair", "net1", "--db", endpoint).checked().stdout, of: "patchbay",
      on: "repair, of what is there")

    try cause(event)
    #expect(try ask() == nil)
    let checked = try patchbay("check", "net1", sandbox.path, "--container-id", "c1")
    #expect(checked.status == 1, "\(checked)")
    let output = try patchbay("repair", "net1", "--db", endpoint).checked().stdout
    // On the kernel's datapath the bridge's link stays, and its settings with it.
    let lines = output.split(separator: "\n")
    let settings = lines.filter { $0.contains("accept_ra") }
    try Messages.expect(
      lines.filter { !settings.contains($0) }.joined(separator: "\n"), of: "patchbay",
      on: "repair, after a \(event)")
    #expect(settings.count == (event == .restart && Datapath.current == .userspace ? 1 : 0))
    for setting in settings {
      try Messages.expect(
        String(setting), of: "patchbay", on: "repair, of the settings of a bridge")
    }
    try eventually("the port is reached again") { try ask() == "c1" }
    try patchbay("check", "net1", sandbox.path, "--container-id", "c1").checked()
    // What is there is left alone.
    let again = try patchbay("repair", "net1", "--db", endpoint).checked().stdout
    try Messages.expect(again, of: "patchbay", on: "repair, of what is there")
    try patchbay("del", "net1", sandbox.path, "--container-id", "c1").checked()
    #expect(try publishing.rules() == "")
    withExtendedLifetime(server) {}
  }

  @Test("mends what others have done to what all published ports share")
  func shared() throws {
    let sandbox = try attach()
    let server = try Echo("c1", in: sandbox, port: 80)
    let endpoint = publishing.host.openVSwitch.endpoint
    for command in [
      "flush chain inet patchbay-ports outbound", "add rule inet patchbay-ports attachment drop",
      "add table inet patchbay-ports { flags dormant; }",
    ] + Self.moves {
      try publishing.host.namespace.exec("nft", [command]).checked()
      let checked = try patchbay("check", "net1", sandbox.path, "--container-id", "c1")
      #expect(checked.status == 1, "\(command): \(checked)")
      try patchbay("repair", "net1", "--db", endpoint).checked()
      try patchbay("check", "net1", sandbox.path, "--container-id", "c1").checked()
      #expect(try Echo.ask(publishing.beyond, "tcp", "192.0.2.1", 8080)?.name == "c1")
    }
    withExtendedLifetime(server) {}
  }

  /// Chains that others hook elsewhere, with their rules: to another priority, hook or type, or to
  /// none. The kernel cannot move a chain, so that it is replaced.
  private static let moves: [String] = [
    ("prerouting", "{ type nat hook prerouting priority -90; }", [toPorts]),
    ("output", "{ type nat hook prerouting priority 10; }", [toPorts]),
    ("output", "{ type nat hook input priority 100; }", []),
    ("postrouting", "{ type filter hook postrouting priority 100; }", []),
    ("localnet", "{ type filter hook prerouting priority 10; }", dropping),
    ("localnet", "", dropping),
  ].map { chain, place, rules in
    let name = "inet patchbay-ports \(chain)"
    let commands = ["flush chain \(name)", "delete chain \(name)", "add chain \(name) \(place)"]
    return (commands + rules.map { "add rule \(name) \($0) comment \"portmap\"" })
      .joined(separator: "; ")
  }
  private static let toPorts = "fib daddr type local jump ports"
  private static let dropping = ["daddr", "saddr"].map {
    "iifname @links ip \($0) 127.0.0.0/8 drop"
  }

  @Test("names a result that cannot be read, and the networks there are")
  func refusals() throws {
    let sandbox = try attach()
    let endpoint = publishing.host.openVSwitch.endpoint
    let unknown = try patchbay("repair", "nope", "--db", endpoint)
    #expect(unknown.status == 1)
    try Messages.expect(unknown.stderr, of: "patchbay", on: "patchbay repair nope")
    let file = "\(publishing.host.directory.path)/cache/results/net1-c1-eth0"
    let kept = try Data(contentsOf: URL(fileURLWithPath: file))
    let entry = try Document(parsing: Array(kept))
    for (text, what) in [
      (#"{"kind": "cniCacheV1", "result": 5}"#, "is incomplete"), ("", "is empty"),
      (String(decoding: entry.with(["result": 5]).encoded, as: UTF8.self), "has the result 5"),
    ] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: file))
      try publishing.host.namespace.exec(
        "nft", ["delete", "table", "inet", "patchbay-ports"]
      ).checked()
      let refused = try patchbay("repair", "net1", "--db", endpoint)
      #expect(refused.status == 1 && refused.stderr.contains(file), "\(text): \(refused)")
      try Messages.expect(
        refused.stderr, of: "patchbay", on: "patchbay repair, a kept result \(what)",
        hiding: ["FILE": file])
      try kept.write(to: URL(fileURLWithPath: file))
      try patchbay("repair", "net1", "--db", endpoint).checked()
      try patchbay("check", "net1", sandbox.path, "--container-id", "c1").checked()
    }
  }
}
