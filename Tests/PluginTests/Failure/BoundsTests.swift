import Foundation
import TestSupport
import Testing

@Suite("Bounds", .privateHost) struct BoundsTests {
  @Test("a text of ovsdb-server beyond the limit is one clear error, and takes less than 64 MiB")
  func largeAnswer() throws {
    let server = try OpenVSwitch.start(switching: false)
    try server.vsctl("--no-wait", "add-br", "br0")
    // 12 MB in all; one argument has at most 128 KiB, and all of one program 2 MiB.
    let text = String(repeating: "x", count: 100_000)
    for batch in 0..<8 {
      var words = ["--no-wait"]
      for number in 0..<15 {
        let name = "p\(batch)-\(number)"
        words += [
          "--", "add-port", "br0", name, "--", "set", "Port", name, "external_ids:owner=patchbay",
          "external_ids:network=bounds", "external_ids:containerID=\(name)",
          "external_ids:interfaceName=eth0", "external_ids:text=\(text)",
        ]
      }
      try server.vsctl(words).checked()
    }
    let plugin = Plugin("ovs-bridge")
    let configuration: Document = [
      "cniVersion": "1.1.0", "name": "bounds", "type": "ovs-bridge", "bridge": "br0",
      "socket_file": .string(server.endpoint), "cni.dev/valid-attachments": [],
    ]
    let environment = ProcessInfo.processInfo.environment.merging([
      "CNI_COMMAND": "GC", "CNI_PATH": plugin.searchPath,
    ]) { $1 }
    let result = PluginResult(
      try run(
        "prlimit", ["--data=67108864", plugin.path], environment: environment,
        input: configuration.encoded))
    #expect(result.code == 999, "\(result)")
    #expect(result.message.contains("a text of more than 8388608 bytes"), "\(result.message)")
  }
}
