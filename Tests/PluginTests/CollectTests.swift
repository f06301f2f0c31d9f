import Foundation
import TestSupport
import Testing

@Suite("GC of ovs-bridge", .privateHost) struct CollectTests {
  @Test("frees what is not valid, of its network only; told nothing, it frees nothing")
  func frees() throws {
    let network = try Network()
    let ovs = network.host.openVSwitch
    let configuration = network.configuration()
    let other = network.configuration(["name": "net2"])
    let sandboxes = try (0..<3).map { _ in try Sandbox() }
    try network.plugin.add(configuration, containerID: "kept", sandbox: sandboxes[0]).checked()
    try network.plugin.add(configuration, containerID: "lost", sandbox: sandboxes[1]).checked()
    try network.plugin.add(other, containerID: "other", sandbox: sandboxes[2]).checked()
    try ovs.vsctl("--no-wait", "add-port", "br1", "alien0")
    let before = try network.host.snapshot()

    try network.plugin.gc(configuration, valid: nil).checked()
    try network.plugin.call(
      ["CNI_COMMAND": "GC", "CNI_PATH": network.plugin.searchPath],
      input: configuration.with(["cni.dev/valid-attachments": .null]).encoded
    ).checked()
    #expect(try network.host.snapshot().difference(from: before) == "")

    try network.plugin.gc(configuration, valid: [("kept", "eth0")]).checked()
    let owners = try ovs.rows("Port").compactMap { $0["external_ids"]["containerID"].text }
    #expect(owners.sorted() == ["kept", "other"])
    #expect(try sandboxes[0].ip("link").array.count == 2)
    #expect(try sandboxes[1].ip("link").array.count == 1)

    try network.plugin.gc(configuration, valid: []).checked()
    #expect(try ovs.rows("Port").compactMap { $0["external_ids"]["containerID"].text } == ["other"])
    #expect(try ovs.ports(of: "br1").contains("alien0"))
  }

  @Test("deletes the link of an ADD that was killed before it had a port, or even an alias")
  func orphanedLink() throws {
    let network = try Network()
    let configuration = network.configuration()
    let sandbox = try Sandbox()
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    let name = result["interfaces"][0]["name"].text ?? ""
    try network.host.openVSwitch.vsctl("del-port", "br1", name)
    try network.host.namespace.exec("ip", ["link", "set", name, "alias", ""]).checked()
    try network.plugin.gc(network.configuration(["name": "net2"]), valid: []).checked()
    #expect(try network.host.ip("link", "show", name).array.count == 1)
    try network.plugin.gc(configuration, valid: []).checked()
    #expect(try sandbox.ip("link").array.count == 1)
  }

  @Test("goes on past a failing database, and says so")
  func failing() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let configuration = network.configuration()
    try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    network.host.openVSwitch.stopServer()
    let result = try network.plugin.gc(configuration, valid: [])
    #expect(result.code == 11)
    #expect(result.message.contains("cannot free ports"))
    #expect(try sandbox.ip("link").array.count == 1)
  }
}
