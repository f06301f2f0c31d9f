import Foundation
import TestSupport
import Testing

@Suite("Under valgrind", .privateHost, .serialized) struct ValgrindTests {
  /// Swift's runtime (6.3) lays out a generic enum or struct by bits that valgrind takes for
  /// uninitialised: those of the metadata that it is about to fill in.
  private static let suppressions = """
    {
      layout of a generic enum
      Memcheck:Cond
      fun:swift_initEnumMetadataMultiPayload
      ...
    }
    {
      layout of a generic struct
      Memcheck:Cond
      fun:swift_initStructMetadata
      ...
    }
    """

  /// What valgrind says, and how many descriptors beyond 0, 1 and 2 were open at the end.
  private func valgrind(
    _ faults: FaultHost, _ plugin: Plugin, _ command: String, _ configuration: Document,
    _ sandbox: Sandbox
  ) throws -> PluginResult {
    let log = "\(faults.host.directory.path)/valgrind"
    unlink(log)
    let suppressions = try faults.host.directory.write(Self.suppressions, to: "suppressions")
    var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("CNI_") }
    environment.merge([
      "CNI_COMMAND": command, "CNI_PATH": plugin.searchPath, "CNI_CONTAINERID": "c1",
      "CNI_NETNS": sandbox.path, "CNI_IFNAME": "eth0",
    ]) { $1 }
    let output = try faults.host.namespace.exec(
      "valgrind",
      [
        "--quiet", "--error-exitcode=99", "--track-fds=yes", "--log-file=\(log)", "--leak-check=no",
        "--suppressions=\(suppressions)", plugin.path,
      ], environment: environment, input: configuration.encoded, timeout: .seconds(120))
    let text = faults.host.directory.read("valgrind") ?? ""
    let lines = text.split(separator: "\n")
    let open = zip(lines, lines.dropFirst()).filter { line, next in
      line.contains("Open file descriptor") && !next.contains("<inherited from parent>")
        // valgrind's own.
        && !line.contains(log)
    }.map { "\($0.0)" }
    #expect(open.isEmpty, "\(plugin.name) \(command): \(text)")
    #expect(output.status != 99, "\(plugin.name) \(command): \(text)")
    return PluginResult(output)
  }

  @Test("ADD and DEL of each plugin: no error, and no descriptor left open")
  func plugins() throws {
    let faults = try FaultHost()
    let sandbox = try Sandbox()
    var count = 0
    func run(_ name: String, _ input: Document) throws {
      for command in ["ADD", "DEL"] {
        // valgrind follows memory by the symbols of the C library.
        let plugin = faults.host.plugin(name).ofDebugBuild
        try valgrind(faults, plugin, command, input, sandbox).checked()
        count += 1
      }
    }
    let configuration = faults.configuration(["timeout": 100])
    // valgrind before 3.21 does not know pidfd_open(2), by which delegates are waited for.
    let layer2 = configuration.with(["ipam": .absent])
    try run("ovs-bridge", layer2)
    try run("host-local", configuration)
    try run(
      "static",
      [
        "cniVersion": "1.1.0", "name": "n", "type": "static",
        "ipam": ["type": "static", "addresses": [["address": "10.1.2.3/24"]]],
      ])
    try run("loopback", ["cniVersion": "1.1.0", "name": "n", "type": "loopback"])

    let result = try faults.plugin.add(layer2, containerID: "c1", sandbox: sandbox).checked()
    for name in ["ovs-mirror-producer", "ovs-mirror-consumer"] {
      try run(
        name,
        [
          "cniVersion": "1.1.0", "name": .string(faults.name), "type": .string(name),
          "bridge": .string(faults.bridge), "timeout": 100, "prevResult": result,
          "socket_file": .string(faults.host.openVSwitch.endpoint),
          "mirrors": [["name": "m", "ingress": true, "egress": true]],
        ])
    }
    try faults.plugin.del(layer2, containerID: "c1", sandbox: sandbox).checked()
    figures("\(count) runs under valgrind; violations: 0")
  }
}
