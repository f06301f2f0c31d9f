import Foundation
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

  @Test("are reported by CHECK when the isolation was lifted, or another port was isolated")
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
      try Messages.expect(
        refused.message, of: "ovs-bridge", on: "CHECK, a port with protected=\(found)")
      try network.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
      #expect(try network.host.openVSwitch.ports(of: "br1") == [])
    }
  }
}

@Suite("Isolated ports of one gateway", .privateHost) struct GatewayIsolationTests {
  @Test(
    "do not reach each other through the host, in either family; the gateway and others they do",
    arguments: [nil, 30] as [Int?])
  func apart(vlan: Int?) throws {
    let routed = try Routed()
    let before = try routed.host.snapshot()
    let sandboxes = try [Sandbox(), Sandbox(), Sandbox()]
    let isolated = routed.configuration([
      "portIsolation": true, "vlan": vlan.map { .integer($0) } ?? .absent,
    ])
    let open = isolated.with(["portIsolation": false])
    let results = try [
      routed.add(isolated, "c1", sandboxes[0]), routed.add(isolated, "c2", sandboxes[1]),
      routed.add(open, "c3", sandboxes[2]),
    ]
    func address(_ number: Int, _ family: Int) -> String {
      String((results[number]["ips"][family]["address"].text ?? "").prefix { $0 != "/" })
    }
    for (family, gateway) in ["10.1.0.1", "fd00:1::1"].enumerated() {
      for number in 0...1 {
        let other = address(1 - number, family)
        #expect(try sandboxes[number].reaches(gateway))
        #expect(try sandboxes[number].reaches(Routed.addresses[family]))
        #expect(try !sandboxes[number].reaches(other, count: 1))
        try sandboxes[number].exec(
          "ip", ["route", "add", "\(other)/\(family == 0 ? 32 : 128)", "via", gateway]
        ).checked()
      }
      #expect(try !sandboxes[0].reaches(address(1, family), count: 1), "family \(family)")
      #expect(try !sandboxes[1].reaches(address(0, family), count: 1), "family \(family)")
      // One that is not isolated is reached.
      #expect(try sandboxes[0].reaches(address(2, family)), "family \(family)")
    }
    try routed.plugin.check(
      isolated, previous: results[0], containerID: "c1", sandbox: sandboxes[0]
    ).checked()
    // Published ports are reached by all.
    try routed.host.namespace.exec(
      "nft", ["-f", "-"],
      input: Array(
        """
        table ip published {
          chain in {
            type nat hook prerouting priority -100;
            ip daddr 192.0.2.1 tcp dport 8080 dnat to \(address(1, 0)):5201
          }
        }
        """.utf8)
    ).checked()
    let server = try Daemon(
      "ip", ["netns", "exec", sandboxes[1].name, executable("iperf3"), "-s"],
      environment: ProcessInfo.processInfo.environment,
      log: "\(routed.host.directory.path)/server.log")
    defer { server.stop() }
    try eventually("the server listens") {
      try sandboxes[1].exec("ss", ["-Hltn", "sport = :5201"]).stdout.contains("5201")
    }
    try sandboxes[0].exec("iperf3", ["-c", "192.0.2.1", "-p", "8080", "-n", "64K"]).checked()
    try routed.host.namespace.exec("nft", ["delete", "table", "ip", "published"]).checked()

    try routed.host.namespace.exec("nft", ["delete", "table", "inet", "patchbay_isolation"])
      .checked()
    let missed = try routed.plugin.check(
      isolated, previous: results[0], containerID: "c1", sandbox: sandboxes[0])
    try Messages.expect(
      missed.message, of: "ovs-bridge", on: "CHECK, isolation whose table is gone")
    #expect(try sandboxes[0].reaches(address(1, 0), count: 1), "what is promised is by the rules")

    for (id, number, configuration) in [("c1", 0, isolated), ("c2", 1, isolated), ("c3", 2, open)] {
      try routed.del(configuration, id, sandboxes[number])
    }
    try routed.expectAsBefore(before)
  }

  @Test("their rules go with DEL and GC, of each attachment its own")
  func leave() throws {
    let routed = try Routed()
    let before = try routed.host.snapshot()
    let sandboxes = try [Sandbox(), Sandbox(), Sandbox()]
    let configuration = routed.configuration(["portIsolation": true, "ipMasq": false])
    for (number, sandbox) in sandboxes.enumerated() {
      _ = try routed.add(configuration, "c\(number)", sandbox)
    }
    func elements() throws -> Int {
      let table = try routed.host.namespace.exec(
        "nft", ["list", "table", "inet", "patchbay_isolation"])
      return table.stdout.split(separator: "\n").reduce(0) {
        $0 + $1.components(separatedBy: "\"br1\" .").count - 1
      }
    }
    #expect(try elements() == 6)
    try routed.del(configuration, "c0", sandboxes[0])
    #expect(try elements() == 4)
    sandboxes[1].delete()
    try routed.plugin.gc(configuration, valid: [("c2", "eth0")]).checked()
    #expect(try elements() == 2)
    try routed.del(configuration, "c2", sandboxes[2])
    try routed.expectAsBefore(before)
  }
}
