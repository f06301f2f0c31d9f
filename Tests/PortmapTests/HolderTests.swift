import Foundation
import TestSupport
import Testing

@Suite("The holder of a port", .privateHost)
struct HolderTests {
  let publishing: Publishing
  init() throws { publishing = try Publishing() }

  @Test("that lives on without its path keeps it, until its host end is gone")
  func pathless() throws {
    let (first, second) = (try Sandbox(), try Sandbox())
    let one = try publishing.attach("c1", first)
    let two = try publishing.attach("c2", second, network: 2)
    try publishing.publish([mapping(8080, 80)], "c1", first, one).checked()
    let rules = try publishing.rules()
    let server = try Echo("c1", in: first, port: 80)
    func publish() throws -> PluginResult {
      try publishing.publish([mapping(8080, 80)], "c2", second, two, network: 2)
    }
    func expectRefusal() throws {
      try Messages.expect(
        publish(), code: 100, of: "portmap", on: "ADD, a port of one that has lost its path")
      #expect(try publishing.rules() == rules)
      #expect(try Echo.ask(publishing.beyond, "tcp", Publishing.outside.v4, 8080)?.name == "c1")
    }
    first.delete()
    try expectRefusal()
    // Another namespace is at its path by now.
    try run("ip", ["netns", "add", first.name]).checked()
    defer { _ = try? run("ip", ["netns", "delete", first.name]) }
    try expectRefusal()
    try publishing.host.plugin("ovs-bridge").del(
      publishing.network(1), containerID: "c1", sandbox: nil
    ).checked()
    try publish().checked()
    #expect(try !publishing.rules().contains("net1/c1/eth0"))
    withExtendedLifetime(server) {}
  }

  @Test("has each port once, however many mappings mean it")
  func same() throws {
    let sandbox = try Sandbox()
    let previous = try publishing.attach("c1", sandbox)
    let server = try Echo("c1", in: sandbox, port: 80)
    for hosts in [["0.0.0.0", nil, "::"], [nil, "::", "0.0.0.0"]] {
      let mappings = hosts.map { mapping(8080, 80, hostIP: $0) }
      try publishing.publish(mappings, "c1", sandbox, previous).checked()
      try publishing.check(mappings, "c1", sandbox, previous).checked()
      let rules = try publishing.rules()
      for target in ["dnat ip to 10.1.0.2:80", "dnat ip6 to [fd00:1::2]:80"] {
        #expect(rules.components(separatedBy: target).count == 2, "\(rules)")
      }
    }
    // An IPv6 address that stands for an IPv4 one is that.
    let outside = Publishing.outside.v4
    #expect(outside == "192.0.2.1")
    let mappings = ["::ffff:192.0.2.1", outside, "::ffff:c000:201"].map {
      mapping(8081, 80, hostIP: $0)
    }
    try publishing.publish(mappings, "c1", sandbox, previous).checked()
    try publishing.check(mappings, "c1", sandbox, previous).checked()
    let rules = try publishing.rules()
    #expect(rules.components(separatedBy: "dnat ip to 10.1.0.2:80").count == 2, "\(rules)")
    #expect(!rules.contains("dnat ip6 to"))
    #expect(try Echo.ask(publishing.beyond, "tcp", outside, 8081)?.name == "c1")
    withExtendedLifetime(server) {}
  }

  @Test("is found, compared and collected among thousands of ports")
  func thousands() throws {
    let patient: [String: Document] = ["timeout": 120]
    let (first, second) = (try Sandbox(), try Sandbox())
    let one = try publishing.attach("c1", first)
    let two = try publishing.attach("c2", second, network: 2)
    func ports(from port: Int) -> [Document] { (0..<1500).map { mapping(port + $0, 80, "udp") } }
    let own = ports(from: 10000)
    try publishing.publish(own, "c1", first, one, patient).checked()
    try publishing.publish(ports(from: 20000), "c2", second, two, network: 2, patient).checked()
    try publishing.check(own, "c1", first, one, patient).checked()
    let refused = try publishing.publish(
      [mapping(11499, 80, "udp")], "c2", second, two, network: 2, patient)
    try Messages.expect(refused, code: 100, of: "portmap", on: "ADD, one of 1500 that another has")
    try publishing.portmap.gc(
      publishing.configuration(nil, network: 2, patient), valid: []
    ).checked()
    try publishing.check(own, "c1", first, one, patient).checked()
    #expect(try !publishing.rules().contains("net2/c2/eth0"))
    try publishing.portmap.gc(publishing.configuration(nil, patient), valid: []).checked()
    #expect(try publishing.rules() == "")
  }
}
