import TestSupport
import Testing

/// The examples do what they are there for: the tests of the tool show that each can be added,
/// checked and deleted.
@Suite("The examples in conf", .privateHost) struct ExampleTests {
  /// The plugins of the list in `file`, on the bridge of this host unless it is to be its own.
  private func plugins(_ file: String, _ network: Network, keepsBridge: Bool = false) throws
    -> [Document]
  {
    let list = try Document(parsing: Array(Project.text("conf/\(file)").utf8))
    return list["plugins"].array.map { plugin in
      let ipam =
        plugin["ipam"].isAbsent
        ? .absent
        : plugin["ipam"].with(["dataDir": .string("\(network.host.directory.path)/leases")])
      return plugin.with([
        "cniVersion": list["cniVersion"], "name": list["name"], "ipam": ipam,
        "bridge": keepsBridge ? plugin["bridge"] : .string(network.bridge),
        "socket_file": .string(network.host.openVSwitch.endpoint),
      ])
    }
  }

  @discardableResult
  private func add(
    _ file: String, _ network: Network, _ id: String, _ sandbox: Sandbox, args: String? = nil,
    keepsBridge: Bool = false
  ) throws -> Document {
    var result = Document.absent
    for configuration in try plugins(file, network, keepsBridge: keepsBridge) {
      let plugin = network.host.plugin(configuration["type"].text ?? "")
      result = try plugin.add(
        configuration.with(["prevResult": result]), containerID: id, sandbox: sandbox, args: args
      ).checked()
    }
    return result
  }

  private func delete(
    _ file: String, _ network: Network, _ id: String, _ sandbox: Sandbox, keepsBridge: Bool = false
  ) throws {
    for configuration in try plugins(file, network, keepsBridge: keepsBridge).reversed() {
      try network.host.plugin(configuration["type"].text ?? "").del(
        configuration, containerID: id, sandbox: sandbox
      ).checked()
    }
  }

  @Test("let one container watch another")
  func watch() throws {
    let network = try Network()
    let (watched, watcher, peer) = (try Sandbox(), try Sandbox(), try Sandbox())
    let before = try network.host.snapshot()
    try add("50-mirrored.conflist", network, "watched", watched)
    let other = try add("50-mirrored.conflist", network, "peer", peer)
    try add("mirror/51-watch.conflist", network, "watcher", watcher)
    let capture = try Capture(in: watcher, "icmp")
    #expect(try watched.reaches(other.firstAddress))
    try capture.waitForFrame("ICMP echo request")
    try capture.waitForFrame("ICMP echo reply")
    try delete("mirror/51-watch.conflist", network, "watcher", watcher)
    try delete("50-mirrored.conflist", network, "peer", peer)
    try delete("50-mirrored.conflist", network, "watched", watched)
    try network.expectAsBefore(before, but: ["/last_reserved_ip", "/lock"])
  }

  @Test("lead a container of both families beyond the host, which is not seen there")
  func routed() throws {
    let routed = try Routed()
    let before = try routed.host.snapshot()
    let (first, second) = (try Sandbox(), try Sandbox())
    let file = "60-routed.conflist"
    try add(file, routed.network, "c1", first)
    let other = try add(file, routed.network, "c2", second)
    for (address, seen) in zip(Routed.addresses, Routed.hostAddresses) {
      #expect(try first.reaches(address))
      #expect(try routed.transfer(from: first, to: address) == seen)
    }
    #expect(try first.reaches(other.firstAddress))
    for (id, sandbox) in [("c1", first), ("c2", second)] {
      try delete(file, routed.network, id, sandbox)
    }
    try routed.expectAsBefore(before)
  }

  @Test("keep containers from each other, and not from their gateway")
  func isolated() throws {
    let routed = try Routed()
    let (first, second) = (try Sandbox(), try Sandbox())
    try add("61-isolated.conflist", routed.network, "c1", first)
    let other = try add("61-isolated.conflist", routed.network, "c2", second)
    for sandbox in [first, second] { #expect(try sandbox.reaches("10.61.0.1")) }
    #expect(try !first.reaches(other.firstAddress, count: 1))
  }

  @Test("give a container a trunk, and a customer a tunnel")
  func trunks() throws {
    let network = try Network()
    let (trunk, customer, far, wire) = (
      try Sandbox(), try Sandbox(), try Sandbox(), try Sandbox()
    )
    try add("21-trunk.conflist", network, "trunk", trunk)
    try add("22-customer.conflist", network, "customer", customer)
    try add("22-customer.conflist", network, "far", far)
    try add("30-layer-2.conflist", network, "wire", wire)
    let (onTrunk, onFar, onWire) = (
      try Capture(ofSentFramesIn: trunk), try Capture(ofSentFramesIn: far),
      try Capture(ofSentFramesIn: wire)
    )
    for tags in [[30], [20], [10]] { try wire.sendFrame(tags: tags) }
    try onTrunk.waitForFrame("802.1Q", "vlan 10,")
    try onTrunk.waitForFrame("802.1Q", "vlan 20,")
    #expect(onTrunk.frames.count == 2, "\(onTrunk.frames)")
    try customer.sendFrame(tags: [7])
    try onFar.waitForFrame("802.1Q (0x8100)", "vlan 7,")
    try onWire.waitForFrame("802.1Q-QinQ (0x88a8)", "vlan 100,", "vlan 7,")
  }

  @Test("make a port of OVN's integration bridge, by the name that the runtime gives")
  func ovn() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let file = "ovn/70-ovn.conflist"
    let configuration = try plugins(file, network, keepsBridge: true)[0]
    // The list names the versions that it can do with, and a runtime takes the highest it knows.
    let status = try network.plugin.status(configuration.with(["cniVersion": "1.1.0"]))
    try Messages.expect(
      status, code: 50, of: "ovs-bridge", on: "STATUS, conf/ovn without its integration bridge")
    // What ovn-controller makes.
    try network.host.openVSwitch.addBridge("br-int", "fail_mode=secure")
    let before = try network.host.snapshot()
    let result = try add(
      file, network, "c1", sandbox, args: "OvnPort=web-1;MAC=02:00:00:00:00:01", keepsBridge: true)
    #expect(try network.interface(result)["external_ids"]["iface-id"] == "web-1")
    #expect(try sandbox.link()["address"] == "02:00:00:00:00:01")
    #expect(try sandbox.link()["mtu"] == 1442)
    try network.plugin.check(
      configuration, previous: result, containerID: "c1", sandbox: sandbox,
      args: "OvnPort=web-1;MAC=02:00:00:00:00:01"
    ).checked()
    try delete(file, network, "c1", sandbox, keepsBridge: true)
    try network.expectAsBefore(before)
  }
}
