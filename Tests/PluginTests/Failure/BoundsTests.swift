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
    try Messages.expect(
      result, code: 999, of: "ovs-bridge", on: "GC, a text of ovsdb-server beyond the limit")
  }

  @Test("an IPAM plugin that fills a standard error that no runtime reads keeps no command")
  func unreadErrors() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let directory = network.host.directory
    try directory.write("#!/bin/sh\nexec yes >&2\n", to: "bin/talker", mode: 0o755)
    for command in ["ADD", "DEL"] {
      let configuration = network.configuration(["ipam": ["type": "talker"], "timeout": 1])
      // The shell has the FIFO open for reading, and does not read.
      let output = try network.host.namespace.exec(
        "sh",
        [
          "-c", "[ -p \"$1\" ] || mkfifo \"$1\"; exec 3<>\"$1\"; exec \"$2\" 2>\"$1\"", "sh",
          "\(directory.path)/fifo", network.plugin.path,
        ],
        environment: [
          "CNI_COMMAND": command, "CNI_CONTAINERID": "c1", "CNI_NETNS": sandbox.path,
          "CNI_IFNAME": "eth0", "CNI_PATH": "\(directory.path)/bin", "PATH": "/usr/bin:/bin",
        ], input: configuration.encoded)
      let result = PluginResult(output)
      try Messages.expect(
        result, code: 11, of: "ovs-bridge",
        on: "\(command), an IPAM plugin that fills standard error")
    }
    #expect(try sandbox.ip("link").array.count == 1)
    #expect(try network.host.openVSwitch.ports(of: "br1").isEmpty)
  }
}
