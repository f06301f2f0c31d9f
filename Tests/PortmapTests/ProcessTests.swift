import Foundation
import TestSupport
import Testing

@Suite("How often nft is run", .privateHost)
struct ProcessTests {
  let publishing: Publishing
  let directory: TemporaryDirectory
  init() throws {
    publishing = try Publishing()
    directory = try TemporaryDirectory()
    let real = try run("sh", ["-c", "command -v nft || echo /usr/sbin/nft"]).checked().stdout
      .trimmingCharacters(in: .whitespacesAndNewlines)
    let script = "#!/bin/sh\necho x >>\(directory.path)/runs\nexec \(real) \"$@\"\n"
    try Data(script.utf8).write(to: URL(fileURLWithPath: "\(directory.path)/nft"))
    try run("chmod", ["755", "\(directory.path)/nft"]).checked()
  }

  /// How often `command` of portmap runs nft.
  private func runs(
    _ command: String, _ configuration: Document, _ container: String? = nil,
    _ sandbox: Sandbox? = nil
  ) throws -> Int {
    _ = try run("rm", ["-f", "\(directory.path)/runs"])
    var variables = ["CNI_COMMAND": command, "CNI_PATH": publishing.portmap.searchPath]
    variables["PATH"] = directory.path + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
    variables["CNI_CONTAINERID"] = container
    variables["CNI_IFNAME"] = container.map { _ in "eth0" }
    variables["CNI_NETNS"] = sandbox?.path
    try publishing.portmap.call(variables, input: configuration.encoded).checked()
    return directory.read("runs")?.split(separator: "\n").count ?? 0
  }

  @Test("once for the table, never for an attachment, and once for all that GC finds")
  func counts() throws {
    let sandboxes = try (0..<5).map { _ in try Sandbox() }
    func add(_ number: Int, _ ports: [Document]) throws -> Int {
      let name = "c\(number)"
      let previous = try publishing.attach(
        name, sandboxes[number], network: number % 2 + 1)
      let configuration = publishing.configuration(ports, network: number % 2 + 1)
      return try runs(
        "ADD", configuration.with(["prevResult": previous]), name, sandboxes[number])
    }
    func ports(_ number: Int) -> [Document] {
      [mapping(8000 + number, 80), mapping(8000 + number, 80, "udp", hostIP: "192.0.2.1")]
    }
    #expect(try add(0, ports(0)) == 1)
    for number in 1..<5 { #expect(try add(number, ports(number)) == 0, "\(number)") }
    // Another ADD replaces what there was.
    let again = publishing.configuration([mapping(9000, 80)], network: 2).with([
      "prevResult": ["cniVersion": "1.1.0", "ips": [["address": "10.2.0.2/24"]]]
    ])
    #expect(try runs("ADD", again, "c1", sandboxes[1]) == 0)
    #expect(try runs("DEL", publishing.configuration(nil, network: 2), "c3") == 0)
    #expect(try !publishing.rules().contains("dport 8003"))
    let valid: Document = ["cni.dev/valid-attachments": []]
    #expect(try runs("GC", publishing.configuration(nil, network: 1).with(valid.members)) == 1)
    let rules = try publishing.rules()
    #expect(!rules.contains("net1/") && rules.contains("net2/c1/eth0"))
    #expect(!rules.contains("neighbours-10.1.0.0/24"))
    // The last takes the table with it, for which that is listed once more.
    #expect(try runs("DEL", publishing.configuration(nil, network: 2), "c1") == 2)
    #expect(try publishing.rules() == "")
  }
}
