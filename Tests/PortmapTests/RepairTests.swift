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

  @Test("puts back gateway addresses, masquerading and published ports, and says what")
  func repair() throws {
    let place = publishing.host.directory.path
    try FileManager.default.createDirectory(
      atPath: "\(place)/net.d", withIntermediateDirectories: true)
    let list = Document.object([
      "cniVersion": "1.1.0", "name": "net1",
      "plugins": .array([
        publishing.network(1).with(["cniVersion": .absent, "name": .absent]),
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

    try publishing.host.namespace.exec("nft", ["flush", "ruleset"]).checked()
    try publishing.command(publishing.host.namespace, "address flush dev br1")
    #expect(try ask() == nil)
    let output = try patchbay("repair", "net1", "--db", endpoint).checked().stdout
    for line in [
      "put back address 10.1.0.1/24 on br1", "put back address fd00:1::1/64 on br1",
      "put back masquerading of c1/eth0", "put back the published ports of c1/eth0",
    ] {
      #expect(output.contains(line), "\(output)")
    }
    #expect(try ask() == "c1")
    try patchbay("check", "net1", sandbox.path, "--container-id", "c1").checked()
    // What is there is left alone.
    let again = try patchbay("repair", "net1", "--db", endpoint).checked().stdout
    #expect(!again.contains("address") && !again.contains("masquerading"), "\(again)")
    try patchbay("del", "net1", sandbox.path, "--container-id", "c1").checked()
    #expect(try publishing.rules() == "")
    withExtendedLifetime(server) {}
  }
}
