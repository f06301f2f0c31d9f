import TestSupport
import Testing

@Suite("Isolated ports of ovs-bridge", .privateHost) struct IsolationTests {
  @Test("reach the gateway and a port that is not isolated, and not each other")
  func traffic() throws {
    let network = try Network()
    let isolated = network.addressed(
      "10.1.0.0/24", members: ["portIsolation": true, "isGateway": true])
    let open = network.addressed("10.1.0.0/24")
    let (first, second, third) = (try Sandbox(), try Sandbox(), try Sandbox())
    let one = try network.plugin.add(isolated, containerID: "c1", sandbox: first).checked()
    let two = try network.plugin.add(isolated, containerID: "c2", sandbox: second).checked()
    let three = try network.plugin.add(open, containerID: "c3", sandbox: third).checked()

    #expect(try !first.reaches(two.firstAddress, count: 1))
    #expect(try !second.reaches(one.firstAddress, count: 1))
    #expect(try first.reaches(three.firstAddress))
    #expect(try third.reaches(two.firstAddress))
    #expect(try first.reaches("10.1.0.1"))
    #expect(try second.reaches("10.1.0.1"))
  }

  @Test("are told by CHECK when somebody lifts the isolation, or isolates another")
  func changed() throws {
    let network = try Network()
    for (wanted, found) in [(true, false), (false, true)] {
      let sandbox = try Sandbox()
      let configuration = network.configuration(["portIsolation": .bool(wanted)])
      let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
        .checked()
      #expect(try network.port(result)["protected"] == .bool(wanted))
      try network.host.openVSwitch.vsctl(
        "set", "Port", result["interfaces"][0]["name"].text ?? "", "protected=\(found)")
      let refused = try network.plugin.check(
        configuration, previous: result, containerID: "c1", sandbox: sandbox)
      #expect(
        refused.message.contains("protected is \(found), should be \(wanted)"),
        "\(refused.message)")
      try network.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
      #expect(try network.host.openVSwitch.ports(of: "br1") == [])
    }
  }
}
