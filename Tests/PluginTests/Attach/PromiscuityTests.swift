import TestSupport
import Testing

@Suite("promisc of ovs-bridge", .privateHost) struct PromiscuityTests {
  @Test("has the container end receive all frames, and CHECK compares it")
  func promiscuous() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    func isPromiscuous() throws -> Bool {
      try sandbox.link()["flags"].array.contains("PROMISC")
    }
    let configuration = network.configuration(["promisc": true])
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    #expect(try isPromiscuous())
    try network.plugin.check(configuration, previous: result, containerID: "c1", sandbox: sandbox)
      .checked()
    try sandbox.exec("ip", ["link", "set", "eth0", "promisc", "off"]).checked()
    let refused = try network.plugin.check(
      configuration, previous: result, containerID: "c1", sandbox: sandbox)
    try Messages.expect(
      refused.message, of: "ovs-bridge", on: "CHECK, promisc that was switched off")
    try network.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
    #expect(try sandbox.ip("link").array.count == 1)
  }

  @Test("without it the container end is as it is made, and a container may change it")
  func unchanged() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let configuration = network.configuration()
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    #expect(try !sandbox.link()["flags"].array.contains("PROMISC"))
    try sandbox.exec("ip", ["link", "set", "eth0", "promisc", "on"]).checked()
    try network.plugin.check(configuration, previous: result, containerID: "c1", sandbox: sandbox)
      .checked()
  }

  @Test("is true or false")
  func illegal() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let result = try network.plugin.add(
      network.configuration(["promisc": 1]), containerID: "c1", sandbox: sandbox)
    try Messages.expect(result, code: 7, of: "ovs-bridge", on: "ADD, promisc is a number")
  }
}
