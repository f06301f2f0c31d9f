import TestSupport
import Testing

@Suite("The host's own routers", .privateHost) struct ForwardingTests {
  @Test("stay its routers when a gateway of IPv6 switches forwarding on")
  func routers() throws {
    let network = try Network()
    let host = network.host.namespace
    let (router, sandbox) = (try Sandbox(), try Sandbox())
    for words in [
      ["link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns", router.name],
      ["link", "set", "up0", "up"],
      ["link", "add", "idle0", "type", "veth", "peer", "name", "idle1"],
    ] {
      try host.exec("ip", words).checked()
    }
    try router.exec("ip", ["link", "set", "eth0", "up"]).checked()
    let frames = HostileFrames(
      own: try router.hardwareAddress(), targets: [], host4: "192.0.2.1", own4: "192.0.2.2",
      host6: "2001:db8:1::1", own6: "2001:db8:9::9")
    func learns(_ prefix: String) throws {
      try eventually("a route to \(prefix)") {
        try router.sendFrames([frames.advertisementFrame(prefix)])
        return try host.exec("ip", ["-6", "route"]).stdout.contains(prefix)
      }
    }
    try learns("2001:db8:66::")
    #expect(try host.exec("ip", ["-6", "route", "show", "default"]).stdout.contains("dev up0"))

    let configuration = network.addressed("fd00:1::/64", members: ["isDefaultGateway": true])
    try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    #expect(try host.exec("ip", ["-6", "route", "show", "default"]).stdout.contains("dev up0"))
    try learns("2001:db8:67::")

    func setting(_ name: String) throws -> String {
      try host.exec("cat", ["/proc/sys/net/ipv6/conf/\(name)"]).checked().stdout
    }
    #expect(try setting("all/forwarding") == "1\n")
    // Neither the gateway nor a host end, nor a link that has learned nothing.
    #expect(try setting("br1/accept_ra") == "0\n")
    #expect(try setting("idle0/accept_ra") == "1\n")
    let hostEnd = try #require(
      try network.host.openVSwitch.ports(of: "br1").first { $0.hasPrefix("veth") })
    #expect(try setting("\(hostEnd)/accept_ra") == "0\n")
  }

  @Test("a bridge's own port that was down is down again after the last of the gateway's network")
  func lowered() throws {
    let network = try Network()
    func isUp() throws -> Bool {
      try network.host.ip("link", "show", "br1")[0]["flags"].array.contains("UP")
    }
    let configuration = network.addressed("10.1.0.0/24", members: ["isGateway": true])
    let sandboxes = try [Sandbox(), Sandbox()]
    for _ in 0..<2 {
      for (id, sandbox) in zip(["c1", "c2"], sandboxes) {
        try network.plugin.add(configuration, containerID: id, sandbox: sandbox).checked()
      }
      try network.plugin.del(configuration, containerID: "c1", sandbox: sandboxes[0]).checked()
      #expect(try isUp())
      try network.plugin.del(configuration, containerID: "c2", sandbox: sandboxes[1]).checked()
      #expect(try !isUp())
    }
    // With an address of the operator's it stays.
    try network.plugin.add(configuration, containerID: "c1", sandbox: sandboxes[0]).checked()
    try network.host.namespace.exec("ip", ["address", "add", "192.0.2.1/24", "dev", "br1"])
      .checked()
    try network.plugin.del(configuration, containerID: "c1", sandbox: sandboxes[0]).checked()
    #expect(try isUp())
  }
}
