import TestSupport
import Testing

/// What becomes of attachments when their datapath goes, as with `ovs-appctl exit --cleanup`.
@Suite("ovs-bridge without a datapath", .privateHost) struct DatapathLossTests {
  @Test("ports forward again when ovs-vswitchd is back, and the next ADD brings the gateway back")
  func cleanup() throws {
    let network = try Network()
    let ovs = network.host.openVSwitch
    let sandboxes = try (0..<3).map { _ in try Sandbox() }
    let configuration = network.addressed("10.1.0.0/24", members: ["isGateway": true])
    let results = try (0..<2).map {
      try network.plugin.add(configuration, containerID: "c\($0)", sandbox: sandboxes[$0]).checked()
    }
    func check() throws -> PluginResult {
      try network.plugin.check(
        configuration, previous: results[0], containerID: "c0", sandbox: sandboxes[0])
    }
    #expect(try sandboxes[0].reaches(results[1].firstAddress))

    try ovs.removeDatapaths()
    #expect(try !sandboxes[0].reaches(results[1].firstAddress, count: 1))
    #expect(try check().message.contains("br1"))

    try ovs.startSwitching()
    try eventually("ports forward again") {
      try sandboxes[0].reaches(results[1].firstAddress, count: 1)
    }
    let missing = try check()
    #expect(missing.message.contains("br1"), "\(missing)")
    try network.plugin.add(configuration, containerID: "c2", sandbox: sandboxes[2]).checked()
    try check().checked()
    #expect(try sandboxes[0].reaches("10.1.0.1"))
  }
}
