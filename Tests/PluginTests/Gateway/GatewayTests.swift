import TestSupport
import Testing

@Suite("The gateway of ovs-bridge", .privateHost) struct GatewayTests {
  @Test(
    "leads beyond the host, behind the masquerade, over IPv4 and IPv6, and goes with the container",
    arguments: [false, true])
  func beyond(isTagged: Bool) throws {
    let routed = try Routed()
    let before = try routed.host.snapshot()
    let sandbox = try Sandbox()
    let configuration = routed.configuration(isTagged ? ["vlan": 100] : [:])
    let result = try routed.add(configuration, "c1", sandbox)
    let gateway = isTagged ? "br1.100" : "br1"

    #expect(result["interfaces"].array.count == 3)
    #expect(result["interfaces"][2]["name"] == .string(gateway))
    #expect(result["interfaces"][2]["sandbox"].isAbsent)
    let link = try routed.host.ip("link", "show", gateway)[0]
    #expect(result["interfaces"][2]["mac"] == link["address"])
    #expect(result["ips"].array.map { $0["interface"] } == [1, 1])
    #expect(result["ips"].array.map { $0["gateway"] } == ["10.1.0.1", "fd00:1::1"])
    #expect(
      Set(result["routes"].array.map { "\($0["dst"].text ?? "") \($0["gw"].text ?? "")" })
        == ["0.0.0.0/0 10.1.0.1", "::/0 fd00:1::1"])
    #expect(try routed.hostAddresses(gateway).sorted() == ["10.1.0.1/24", "fd00:1::1/64"])

    for (address, seen) in zip(Routed.addresses, Routed.hostAddresses) {
      #expect(try sandbox.reaches(address))
      #expect(try routed.transfer(from: sandbox, to: address) == seen)
    }
    try routed.plugin.check(configuration, previous: result, containerID: "c1", sandbox: sandbox)
      .checked()
    try routed.del(configuration, "c1", sandbox)
    #expect(try routed.rules() == "")
    try routed.expectAsBefore(before)
  }

  @Test("without masquerade packets come as they are, and to the own subnet they always do")
  func plain() throws {
    let routed = try Routed()
    let sandboxes = try [Sandbox(), Sandbox()]
    let configuration = routed.configuration(["ipMasq": false])
    _ = try routed.add(configuration, "c1", sandboxes[0])
    #expect(try routed.rules() == "")
    try routed.beyond.exec("ip", ["route", "add", "10.1.0.0/24", "via", "192.0.2.1"]).checked()
    #expect(try routed.transfer(from: sandboxes[0], to: "192.0.2.2") == "10.1.0.2")

    _ = try routed.add(routed.configuration(), "c2", sandboxes[1])
    #expect(try routed.transfer(from: sandboxes[1], to: "192.0.2.2") == "192.0.2.1")
    #expect(try routed.transfer(from: sandboxes[0], to: "192.0.2.2") == "10.1.0.2")
    #expect(try sandboxes[1].reaches("10.1.0.2"))
    #expect(try sandboxes[1].reaches("10.1.0.1"))
  }

  @Test("the rules go when the sandbox was gone first, and when masquerading was switched off")
  func gone() throws {
    let routed = try Routed()
    let before = try routed.host.snapshot()
    let configuration = routed.configuration()
    let lost = try Sandbox()
    _ = try routed.add(configuration, "c1", lost)
    lost.delete()
    try routed.del(configuration, "c1", nil)
    try routed.expectAsBefore(before)

    let sandbox = try Sandbox()
    _ = try routed.add(configuration, "c2", sandbox)
    #expect(try routed.rules() != "")
    let plain = routed.configuration([
      "isGateway": false, "isDefaultGateway": false, "ipMasq": false,
    ])
    try routed.del(plain, "c2", sandbox)
    try routed.expectAsBefore(before)
  }

  @Test("stays for the others until the last of them leaves", arguments: [false, true])
  func shared(isTagged: Bool) throws {
    let routed = try Routed()
    let before = try routed.host.snapshot()
    let sandboxes = try [Sandbox(), Sandbox()]
    let configuration = routed.configuration(isTagged ? ["vlan": 7] : [:])
    let gateway = isTagged ? "br1.7" : "br1"
    _ = try routed.add(configuration, "c1", sandboxes[0])
    let second = try routed.add(configuration, "c2", sandboxes[1])
    try routed.del(configuration, "c1", sandboxes[0])
    #expect(try routed.hostAddresses(gateway).count == 2)
    #expect(try sandboxes[1].reaches("192.0.2.2"))
    try routed.plugin.check(
      configuration, previous: second, containerID: "c2", sandbox: sandboxes[1]
    ).checked()
    try routed.del(configuration, "c2", sandboxes[1])
    try routed.expectAsBefore(before)
  }

  @Test("two networks on one port keep what each of them needs")
  func networks() throws {
    let routed = try Routed()
    let before = try routed.host.snapshot()
    let sandboxes = try [Sandbox(), Sandbox()]
    let first = routed.network.addressed("10.1.0.0/24", "fd00:1::/64", members: ["isGateway": true])
    let second = routed.network.addressed("10.1.0.0/24", "fd00:2::/64").with([
      "isGateway": true, "name": "net2",
      "ipam": [
        "type": "static", "addresses": [["address": "10.1.0.77/24"], ["address": "fd00:2::7/64"]],
      ],
    ])
    _ = try routed.add(first, "c1", sandboxes[0])
    _ = try routed.add(second, "c2", sandboxes[1])
    #expect(
      try routed.hostAddresses().sorted() == ["10.1.0.1/24", "fd00:1::1/64", "fd00:2::1/64"])
    try routed.del(first, "c1", sandboxes[0])
    #expect(try routed.hostAddresses().sorted() == ["10.1.0.1/24", "fd00:2::1/64"])
    #expect(try sandboxes[1].reaches("10.1.0.1"))
    try routed.del(second, "c2", sandboxes[1])
    try routed.expectAsBefore(before)
  }

  @Test("what the operator put there stays")
  func foreign() throws {
    let routed = try Routed()
    let inside = routed.host.namespace
    try inside.exec("ip", ["address", "add", "10.1.0.1/24", "dev", "br1"]).checked()
    try routed.ovs.vsctl("set", "Bridge", "br1", "other_config:hwaddr=02:00:00:00:0b:01")
    try routed.ovs.vsctl(
      "add-port", "br1", "br1.9", "tag=9", "--", "set", "Interface", "br1.9", "type=internal")
    try inside.exec("ip", ["link", "set", "br1.9", "up"]).checked()
    let before = try routed.host.snapshot()
    for vlan: Document in [.absent, 9] {
      let configuration = routed.configuration(["vlan": vlan])
      let sandbox = try Sandbox()
      if vlan == 9 {
        try inside.exec("ip", ["address", "del", "10.1.0.1/24", "dev", "br1"]).checked()
      }
      _ = try routed.add(configuration, "c1", sandbox)
      #expect(try sandbox.reaches("192.0.2.2"))
      try routed.del(configuration, "c1", sandbox)
      if vlan == 9 {
        try inside.exec("ip", ["address", "add", "10.1.0.1/24", "dev", "br1"]).checked()
      }
      try routed.expectAsBefore(before)
    }
  }

  @Test("an address of others is refused, unless it is to give way")
  func conflict() throws {
    let routed = try Routed()
    try routed.host.namespace.exec(
      "ip", ["address", "add", "10.9.0.1/24", "dev", "br1"]
    ).checked()
    let before = try routed.host.snapshot()
    let sandbox = try Sandbox()
    let refused = try routed.plugin.add(
      routed.configuration(), containerID: "c1", sandbox: sandbox)
    #expect(refused.code == 999)
    try Messages.expect(
      refused.message, of: "ovs-bridge", on: "ADD, another address on the gateway")
    try routed.expectAsBefore(before)
    #expect(try sandbox.ip("link").array.count == 1)

    let forced = routed.configuration(["forceAddress": true])
    _ = try routed.add(forced, "c1", sandbox)
    #expect(try routed.hostAddresses().sorted() == ["10.1.0.1/24", "fd00:1::1/64"])
    #expect(try sandbox.reaches("192.0.2.2"))
    try routed.del(forced, "c1", sandbox)
    #expect(try routed.hostAddresses() == [])
  }

  @Test("a port of that name that cannot be the gateway is refused")
  func foreignPort() throws {
    let routed = try Routed()
    try routed.ovs.addBridge("br2")
    let sandbox = try Sandbox()
    func refusal(_ occasion: String) throws {
      let result = try routed.plugin.add(
        routed.configuration(["vlan": 9]), containerID: "c1", sandbox: sandbox)
      try Messages.expect(result, code: 999, of: "ovs-bridge", on: "ADD, \(occasion)")
      #expect(try routed.rules() == "")
    }
    let make = ["--", "set", "Interface", "br1.9", "type=internal"]
    try routed.ovs.vsctl(
      ["--timeout=\(10 * slowness)", "add-port", "br1", "br1.9", "tag=8"] + make
    ).checked()
    try refusal("a port of the gateway's name that has another tag")
    try routed.ovs.vsctl("del-port", "br1.9")
    try routed.ovs.vsctl(
      ["--timeout=\(10 * slowness)", "add-port", "br2", "br1.9", "tag=9"] + make
    ).checked()
    try refusal("a port of the gateway's name on another bridge")
  }

  @Test("a container with the gateway's address is refused")
  func sameAddress() throws {
    let routed = try Routed()
    let configuration = routed.configuration([
      "ipam": ["type": "static", "addresses": [["address": "10.1.0.1/24"]]]
    ])
    let refused = try routed.plugin.add(configuration, containerID: "c1", sandbox: Sandbox())
    try Messages.expect(
      refused, code: 7, of: "ovs-bridge", on: "ADD, the container has the gateway's address")
  }

  @Test("comes with a bridge that is made", arguments: [false, true])
  func newBridge(isTagged: Bool) throws {
    let routed = try Routed(hasBridge: false)
    let sandbox = try Sandbox()
    let configuration = routed.configuration(isTagged ? ["vlan": 4094] : [:])
    let gateway = isTagged ? "br1.4094" : "br1"
    let result = try routed.add(configuration, "c1", sandbox)
    #expect(result["interfaces"][2]["name"] == .string(gateway))
    #expect(try sandbox.reaches("192.0.2.2"))
    try routed.plugin.check(configuration, previous: result, containerID: "c1", sandbox: sandbox)
      .checked()
    try routed.del(configuration, "c1", sandbox)
    #expect(try routed.ovs.ports(of: "br1") == [])
    #expect(try routed.hostAddresses() == [])
    #expect(try routed.rules() == "")
  }

  @Test("keeps its MAC address while ports come and go")
  func hardwareAddress() throws {
    let routed = try Routed()
    let sandboxes = try (0..<6).map { _ in try Sandbox() }
    let configuration = routed.configuration()
    let macs = try sandboxes.enumerated().map { number, sandbox in
      try routed.add(configuration, "c\(number)", sandbox)["interfaces"][2]["mac"]
    }
    #expect(Set(macs).count == 1)
    for number in 0..<5 { try routed.del(configuration, "c\(number)", sandboxes[number]) }
    #expect(try routed.host.ip("link", "show", "br1")[0]["address"] == macs[0])
    #expect(try routed.ovs.row("Bridge", "br1")["other_config"]["hwaddr"] == macs[0])
    try routed.del(configuration, "c5", sandboxes[5])
    #expect(try routed.ovs.row("Bridge", "br1")["other_config"] == [:])
  }

  @Test("an isolated port reaches it, and no other isolated port")
  func isolated() throws {
    let routed = try Routed()
    let sandboxes = try [Sandbox(), Sandbox()]
    let configuration = routed.configuration(["portIsolation": true, "vlan": 5])
    _ = try routed.add(configuration, "c1", sandboxes[0])
    _ = try routed.add(configuration, "c2", sandboxes[1])
    #expect(try sandboxes[0].reaches("192.0.2.2"))
    #expect(try sandboxes[1].reaches("10.1.0.1"))
    #expect(try !sandboxes[0].reaches("10.1.0.3", count: 1))
  }
}
