import Foundation
import TestSupport
import Testing

@Suite("The plugin's own namespace", .privateHost) struct NamespaceTests {
  @Test("one that it could not come back to is not left: nothing is made, and ADD says why")
  func noReturn() throws {
    let network = try Network()
    let before = try network.host.snapshot()
    let configuration = try network.host.directory.write(
      String(decoding: network.addressed("10.1.0.0/24").encoded, as: UTF8.self), to: "configuration"
    )
    let settled = try network.host.snapshot()
    // In a user namespace of its own it may enter the sandbox, which belongs to that, but not the
    // host's network namespace, in which it is.
    let script = """
      unshare -n sleep 60 & child=$!
      until [ "$(readlink /proc/$child/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
      CNI_NETNS=/proc/$child/ns/net "$0" <"$1"; result=$?
      kill $child
      exit $result
      """
    let environment = ProcessInfo.processInfo.environment.merging([
      "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c1", "CNI_IFNAME": "eth0",
      "CNI_PATH": network.plugin.searchPath,
    ]) { $1 }
    let output = try network.host.namespace.exec(
      "unshare", ["-Ur", "sh", "-c", script, network.plugin.path, configuration],
      environment: environment)
    let result = PluginResult(output)
    try Messages.expect(
      result, code: 999, of: "ovs-bridge", on: "ADD, no way back to the plugin's own namespace")
    #expect(try network.host.snapshot().difference(from: settled) == "")
    #expect(before.lines.count < settled.lines.count)
  }

  @Test("the log has no control characters that came from outside")
  func log() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let log = "\(network.host.directory.path)/log"
    let result = try network.plugin.add(
      network.configuration([
        "logFile": .string(log), "logLevel": "debug", "bridge": "a\u{1b}[31mb\u{9b}c\nd/",
      ]), containerID: "c1", sandbox: sandbox)
    #expect(result.code == 7)
    let text = try String(contentsOfFile: log, encoding: .utf8)
    #expect(text.contains(#""a\x1b[31mb\x9bc d/""#), "\(text)")
    #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || !(0..<0x20).contains($0.value) })
  }
}
