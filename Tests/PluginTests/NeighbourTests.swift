import Foundation
import TestSupport
import Testing

@Suite("ovs-bridge among others", .privateHost) struct NeighbourTests {
  @Test("touches none of 300 ports of others on three bridges")
  func others() throws {
    let network = try Network()
    let ovs = network.host.openVSwitch
    try ovs.addBridge("br2")
    try ovs.addBridge("br3")
    var command = ["--no-wait"]
    for number in 0..<300 {
      command += ["--", "add-port", "br\(number % 3 + 1)", "alien\(number)"]
      // What might be taken for ours: our owner without an attachment, and an attachment without us.
      if number % 50 == 0 {
        command += ["--", "set", "Port", "alien\(number)", "external_ids:network=net1"]
      }
    }
    try ovs.vsctl(command).checked()
    func rows() throws -> [String: Document] {
      var rows: [String: Document] = [:]
      for row in try ovs.rows("Port") + ovs.rows("Bridge") {
        guard row["external_ids"]["owner"].isAbsent, let name = row["name"].text else { continue }
        rows[name] = row.with(["statistics": .absent, "status": .absent, "ports": .absent])
      }
      return rows
    }
    let before = try rows()
    let sandboxes = try (0..<3).map { _ in try Sandbox() }
    let configuration = network.configuration()
    for (number, sandbox) in sandboxes.enumerated() {
      try network.plugin.add(configuration, containerID: "c\(number)", sandbox: sandbox).checked()
    }
    sandboxes[2].delete()
    try network.plugin.del(configuration, containerID: "c0", sandbox: sandboxes[0]).checked()
    try network.plugin.gc(configuration, valid: []).checked()
    #expect(try rows() == before)
    let ports = try ["br1", "br2", "br3"].map { try ovs.ports(of: $0).count }
    #expect(ports == [100, 100, 100])
  }

  @Test("attachments forward again without us after ovs-vswitchd and ovsdb-server were restarted")
  func restart() throws {
    let network = try Network()
    let ovs = network.host.openVSwitch
    let (first, second) = (try Sandbox(), try Sandbox())
    let configuration = network.addressed("10.1.0.0/24")
    let one = try network.plugin.add(configuration, containerID: "c1", sandbox: first).checked()
    try network.plugin.add(configuration, containerID: "c2", sandbox: second).checked()
    #expect(try first.reaches("10.1.0.3"))

    ovs.stopSwitching()
    // While it is down, and while it comes back, an ADD of another network sees rows without links
    // only where there are none.
    let third = try Sandbox()
    _ = try network.plugin.add(
      network.configuration(["timeout": 1]), containerID: "c3", sandbox: third)
    try ovs.startSwitching()
    try eventually("forwarding goes on") { try first.reaches("10.1.0.3", count: 1) }

    ovs.stopServer()
    try ovs.startServer()
    try eventually("forwarding goes on") { try first.reaches("10.1.0.3", count: 1) }
    ovs.stopSwitching()
    try ovs.startSwitching()
    try eventually("forwarding goes on") { try first.reaches("10.1.0.3", count: 1) }
    try eventually("CHECK agrees") {
      try network.plugin.check(configuration, previous: one, containerID: "c1", sandbox: first)
        .status == 0
    }
    #expect(try ovs.ports(of: "br1").count == 2)
  }
}
