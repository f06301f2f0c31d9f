import TestSupport
import Testing

extension AttachTests {
  @Test("takes the MAC address from the runtime first, then args, CNI_ARGS and the configuration")
  func mac() throws {
    let network = try Network()
    func mac(_ number: Int) -> Document { .string("02:00:00:00:00:0\(number)") }
    let sources: [([String: Document], String?, Document)] = [
      (["mac": mac(1)], nil, mac(1)),
      (["mac": mac(1)], "MAC=02:00:00:00:00:02", mac(2)),
      (["args": ["cni": ["mac": mac(3)]]], "MAC=02:00:00:00:00:02", mac(3)),
      (["args": ["cni": ["mac": mac(3)]], "runtimeConfig": ["mac": mac(4)]], nil, mac(4)),
    ]
    for (position, (members, args, expected)) in sources.enumerated() {
      let sandbox = try Sandbox()
      let result = try network.plugin.add(
        network.configuration(members), containerID: "c\(position)", sandbox: sandbox, args: args
      ).checked()
      #expect(result["interfaces"][1]["mac"] == expected)
      #expect(try sandbox.link()["address"] == expected)
    }
  }

  @Test("derives the MAC address from the first address, as the reference plugins do")
  func derivedMAC() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let configuration = network.addressed("10.1.0.0/24")
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    #expect(result["ips"][0]["address"] == "10.1.0.2/24")
    #expect(try sandbox.link()["address"] == "0a:58:0a:01:00:02")
  }

  @Test("without an address the MAC address is random, and the row has it")
  func randomMAC() throws {
    let network = try Network()
    let chosen = try (0..<4).map { position in
      let sandbox = try Sandbox()
      let result = try network.plugin.add(
        network.configuration(), containerID: "c\(position)", sandbox: sandbox
      ).checked()
      let mac = try #require(sandbox.link()["address"].text)
      #expect(result["interfaces"][1]["mac"].text == mac)
      #expect(try network.port(result)["external_ids"]["mac"].text == mac)
      let first = try #require(UInt8(mac.prefix(2), radix: 16))
      #expect(first & 3 == 2, "locally administered, for one receiver: \(mac)")
      return mac
    }
    #expect(Set(chosen).count == chosen.count)
  }

  @Test("adds routes with all their members")
  func routes() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    var configuration = network.addressed("10.1.0.0/24")
    configuration = configuration.with([
      "ipam": configuration["ipam"].with([
        "routes": [
          ["dst": "0.0.0.0/0"],
          ["dst": "10.9.0.0/16", "gw": "10.1.0.9", "mtu": 1300, "advmss": 1200, "priority": 50],
          ["dst": "10.8.0.0/16", "table": 1000], ["dst": "10.6.0.0/16", "scope": 253],
        ]
      ])
    ])
    let result = try network.plugin.add(
      configuration.with(["cniVersion": "1.1.0"]), containerID: "c1", sandbox: sandbox)
    let added = try result.checked()
    let routes = try sandbox.ip("route", "show", "table", "all")
    #expect(routes.first(where: "dst", is: "default")["gateway"] == "10.1.0.1")
    let special = routes.first(where: "dst", is: "10.9.0.0/16")
    #expect(special["gateway"] == "10.1.0.9")
    #expect(special["metric"] == 50)
    #expect(special["metrics"][0]["mtu"] == 1300)
    #expect(special["metrics"][0]["advmss"] == 1200)
    #expect(routes.first(where: "dst", is: "10.8.0.0/16")["table"] == "1000")
    let direct = routes.first(where: "dst", is: "10.6.0.0/16")
    #expect(direct["scope"] == "link")
    #expect(direct["gateway"].isAbsent)
    let check = try network.plugin.check(
      configuration, previous: added, containerID: "c1", sandbox: sandbox)
    try check.checked()
    try sandbox.exec("ip", ["route", "del", "10.9.0.0/16"]).checked()
    let refused = try network.plugin.check(
      configuration, previous: added, containerID: "c1", sandbox: sandbox)
    try Messages.expect(refused.message, of: "ovs-bridge", on: "CHECK, a route that is gone")
  }
}
