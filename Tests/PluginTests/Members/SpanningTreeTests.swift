import TestSupport
import Testing

@Suite("An attachment on a bridge with a spanning tree", .privateHost)
struct SpanningTreeTests {
  private let network: Network
  private var ovs: OpenVSwitch { network.host.openVSwitch }
  init() throws { network = try Network() }

  @Test("forwards when ADD has answered, and so do those before it", arguments: [false, true])
  func forwards(isRapid: Bool) throws {
    try ovs.vsctl("set", "Bridge", "br1", isRapid ? "rstp_enable=true" : "stp_enable=true")
    if !isRapid { try ovs.vsctl("set", "Bridge", "br1", "other_config:stp-forward-delay=4") }
    let sandboxes = try [Sandbox(), Sandbox()]
    let configuration = network.addressed("10.1.0.0/24")
    for (number, sandbox) in sandboxes.enumerated() {
      try network.plugin.add(
        configuration, containerID: "c\(number)", sandbox: sandbox, timeout: .seconds(90)
      )
      .checked()
      // Open vSwitch may have numbered all ports again, whose states go with the numbers.
      for last in 2..<(2 + number) { #expect(try sandbox.reaches("10.1.0.\(last)")) }
    }
  }

  @Test("is refused where a port that comes does not forward in time")
  func late() throws {
    // The only port of its bridge: one that is given the number of a port that forwards does so at
    // once.
    try ovs.addBridge("br2", "stp_enable=true", "other_config:stp-forward-delay=30")
    let refused = try network.plugin.add(
      network.configuration(["bridge": "br2", "timeout": 3]), containerID: "c1",
      sandbox: try Sandbox())
    try Messages.expect(
      refused, code: 11, of: "ovs-bridge", on: "ADD, the spanning tree blocks the port")
    #expect(try ovs.ports(of: "br2").isEmpty)
  }

  @Test("gets a number where the ports of the bridge have them")
  func numbered() throws {
    try network.host.namespace.exec(
      "ip", ["link", "add", "up0", "type", "veth", "peer", "name", "up1"]
    ).checked()
    try network.host.namespace.exec("ip", ["link", "set", "up1", "up"]).checked()
    try network.host.namespace.exec("ip", ["link", "set", "up0", "up"]).checked()
    try ovs.vsctl(
      "set", "Bridge", "br1", "stp_enable=true", "other_config:stp-forward-delay=4", "--",
      "add-port", "br1", "up0", "--", "set", "Port", "up0", "other_config:stp-port-num=2")
    let sandboxes = try (0..<4).map { _ in try Sandbox() }
    let configuration = network.addressed("10.1.0.0/24")
    try atOnce(Array(0..<4)) { [network] in
      try network.plugin.add(
        configuration, containerID: "c\($0)", sandbox: sandboxes[$0], timeout: .seconds(90)
      )
      .checked()
    }
    let numbers = try ovs.rows("Port").compactMap { $0["other_config"]["stp-port-num"].text }
    #expect(numbers.sorted() == ["1", "2", "3", "4", "5"])
    // Without a number of ours Open vSwitch would have switched the protocol off.
    let states = try ovs.rows("Port").compactMap { $0["status"]["stp_state"].text }
    #expect(states == Array(repeating: "forwarding", count: 5))
    for last in 2..<6 { #expect(try sandboxes[0].reaches("10.1.0.\(last)")) }
  }
}
