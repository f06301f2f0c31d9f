import Foundation
import TestSupport
import Testing

/// The reference plugins of Debian speak up to 1.0.0.
private let specification: Document = "1.0.0"

@Suite("A reference plugin stands in", .privateHost) struct StandInTests {
  /// A directory in which `name` is the reference plugin, and all others are ours.
  private func path(with name: String, _ host: TestHost) throws -> String {
    let directory = "\(host.directory.path)/bin"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: "\(directory)/\(name)", withDestinationPath: "\(Plugin.references)/\(name)")
    return "\(directory):\(Plugin.directory)"
  }

  @Test("for our host-local under ovs-bridge")
  func hostLocal() throws {
    let network = try Network()
    let path = try path(with: "host-local", network.host)
    let before = try network.host.snapshot()
    let configuration = network.addressed("10.1.0.0/24", members: ["cniVersion": specification])
    let (first, second) = (try Sandbox(), try Sandbox())
    let one = try network.plugin.add(configuration, containerID: "c1", sandbox: first, path: path)
      .checked()
    try network.plugin.add(configuration, containerID: "c2", sandbox: second, path: path).checked()
    #expect(try second.reaches("10.1.0.2"))
    try network.plugin.check(
      configuration, previous: one, containerID: "c1", sandbox: first, path: path
    ).checked()
    for (id, sandbox) in [("c1", first), ("c2", second)] {
      try network.plugin.del(configuration, containerID: id, sandbox: sandbox, path: path).checked()
    }
    let left = try network.host.snapshot().difference(from: before).split(separator: "\n")
    #expect(left.filter { !$0.contains("last_reserved_ip") && !$0.contains("/lock") } == [])
  }

  @Test("for ovs-bridge, over our host-local")
  func bridge() throws {
    let host = try TestHost()
    let theirs = host.plugin("bridge", reference: true)
    let configuration: Document = [
      "cniVersion": specification, "name": "net1", "type": "bridge", "bridge": "kbr0",
      "isGateway": true, "ipMasq": false,
      "ipam": [
        "type": "host-local", "subnet": "10.1.0.0/24",
        "dataDir": .string("\(host.directory.path)/leases"),
      ],
    ]
    let sandbox = try Sandbox()
    let result = try theirs.add(
      configuration, containerID: "c1", sandbox: sandbox, path: Plugin.directory
    ).checked()
    #expect(result["ips"][0]["address"] == "10.1.0.2/24")
    #expect(try sandbox.reaches("10.1.0.1"))
    try theirs.check(
      configuration, previous: result, containerID: "c1", sandbox: sandbox, path: Plugin.directory
    ).checked()
    try theirs.del(configuration, containerID: "c1", sandbox: sandbox, path: Plugin.directory)
      .checked()
    #expect(host.directory.files().keys.filter { $0.hasSuffix("10.1.0.2") } == [])
  }

  @Test("for our loopback, before ovs-bridge in the chain")
  func loopback() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let loopback = network.host.plugin("loopback", reference: true)
    let first = try loopback.add(
      ["cniVersion": specification, "name": "net1", "type": "loopback"], containerID: "c1",
      sandbox: sandbox, ifname: "lo"
    ).checked()
    let configuration = network.addressed(
      "10.1.0.0/24", members: ["cniVersion": specification, "prevResult": first])
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    #expect(result["interfaces"].array.compactMap { $0["name"].text }.contains("lo"))
    #expect(result["ips"].array.compactMap { $0["address"].text }.contains("127.0.0.1/8"))
    try network.plugin.check(configuration, previous: result, containerID: "c1", sandbox: sandbox)
      .checked()
    try network.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
  }
}
