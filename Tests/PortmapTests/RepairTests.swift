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

  @Test(
    "puts back gateway addresses, masquerading, forward rules and published ports, and says what",
    arguments: Event.allCases)
  func repair(after event: Event) throws {
    try publishing.host.namespace.exec("iptables-nft", ["-P", "FORWARD", "DROP"]).checked()
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
    let server = try Echo("c1", in: sandbox, port: 80)
    func ask() throws -> String? { try Echo.ask(publishing.beyond, "tcp", "192.0.2.1", 8080)?.name }
    #expect(try ask() == "c1")
    let endpoint = publishing.host.openVSwitch.endpoint
    #expect(try patchbay("repair", "net1", "--db", endpoint).checked().stdout.contains("published"))

    try cause(event)
    #expect(try ask() == nil)
    let checked = try patchbay("check", "net1", sandbox.path, "--container-id", "c1")
    #expect(checked.status == 1, "\(checked)")
    let output = try patchbay("repair", "net1", "--db", endpoint).checked().stdout
    var lines = [
      "put back address 10.1.0.1/24 on br1", "put back address fd00:1::1/64 on br1",
      "put back the published ports of c1/eth0",
    ]
    if event == .flush {
      lines += [
        "put back masquerading of c1/eth0", "put back what lets br1 pass chain ip filter FORWARD",
        "put back isolation of c1/eth0",
      ]
    } else if Datapath.current == .userspace {
      lines.append("put back settings of br1: accept_ra, accept_redirects, autoconf")
    }
    for line in lines {
      #expect(output.contains(line), "\(output)")
    }
    try eventually("the port is reached again") { try ask() == "c1" }
    try patchbay("check", "net1", sandbox.path, "--container-id", "c1").checked()
    // What is there is left alone.
    let again = try patchbay("repair", "net1", "--db", endpoint).checked().stdout
    #expect(again == "put back the published ports of c1/eth0\n", "\(again)")
    try patchbay("del", "net1", sandbox.path, "--container-id", "c1").checked()
    #expect(try publishing.rules() == "")
    withExtendedLifetime(server) {}
  }
}
