import Foundation
import TestSupport
import Testing

@Suite("Published ports belong to their attachment", .privateHost)
struct OwnershipTests {
  let publishing: Publishing
  init() throws { publishing = try Publishing() }

  private func container(_ name: String, network: Int = 1) throws -> (Sandbox, Document) {
    let sandbox = try Sandbox()
    return (sandbox, try publishing.attach(name, sandbox, network: network))
  }

  @Test("two ADDs are as one, another replaces them, DEL by name alone leaves nothing, twice")
  func again() throws {
    let (sandbox, previous) = try container("c1")
    for _ in 1...2 { try publishing.publish([mapping(80, 80)], "c1", sandbox, previous).checked() }
    let once = try publishing.rules()
    #expect(once.components(separatedBy: "dnat ip to 10.1.0.2:80").count == 2)
    try publishing.publish([mapping(81, 80)], "c1", sandbox, previous).checked()
    #expect(try !publishing.rules().contains("dport 80 "))
    // Without ports nothing stays.
    try publishing.publish(nil, "c1", sandbox, previous).checked()
    #expect(try publishing.rules() == "")
    try publishing.publish([mapping(80, 80)], "c1", sandbox, previous).checked()
    #expect(try publishing.loopbackRoute() == "1")
    for _ in 1...2 { try publishing.release("c1") }
    #expect(try publishing.rules() == "")
    #expect(try publishing.loopbackRoute() == "0")
  }

  @Test("two networks of one container, and two interfaces on one network, come and go alone")
  func networks() throws {
    let sandbox = try Sandbox()
    let first = try publishing.attach("c1", sandbox)
    let second = try publishing.attach("c1", sandbox, network: 2, ifname: "eth1")
    let third = try publishing.attach("c1", sandbox, ifname: "eth2")
    try publishing.publish([mapping(8081, 80)], "c1", sandbox, first).checked()
    try publishing.publish(
      [mapping(8082, 80)], "c1", sandbox, second, network: 2, ifname: "eth1"
    ).checked()
    try publishing.publish([mapping(8083, 80)], "c1", sandbox, third, ifname: "eth2").checked()
    func published() throws -> [Bool] {
      let rules = try publishing.rules()
      return (1...3).map { rules.contains("dport 808\($0) ") }
    }
    // A DEL of the same container and interface on another network.
    try publishing.release("c1", network: 2, ifname: "eth0")
    #expect(try published() == [true, true, true])
    try publishing.release("c1", network: 2, ifname: "eth1")
    #expect(try published() == [true, false, true])
    try publishing.portmap.gc(publishing.configuration(nil, network: 2), valid: []).checked()
    #expect(try published() == [true, false, true])
    try publishing.release("c1")
    #expect(try published() == [false, false, true])
    try publishing.release("c1", ifname: "eth2")
    #expect(try publishing.rules() == "")
  }

  @Test("GC releases what is not valid, and nothing where it is not said what is")
  func collection() throws {
    let containers = try ["c1", "c2"].map { ($0, try container($0)) }
    for (number, (name, (sandbox, previous))) in containers.enumerated() {
      try publishing.publish([mapping(8080 + number, 80)], name, sandbox, previous).checked()
    }
    let configuration = publishing.configuration(nil)
    try publishing.portmap.gc(configuration, valid: nil).checked()
    try publishing.portmap.gc(configuration, valid: [("c1", "eth0"), ("c2", "eth1")]).checked()
    let rules = try publishing.rules()
    #expect(rules.contains("dport 8080 ") && !rules.contains("dport 8081 "))
    try publishing.portmap.gc(configuration, valid: []).checked()
    #expect(try publishing.rules() == "")
  }

  @Test("a port that another has is refused with its name, and taken over from one that is gone")
  func conflict() throws {
    let (first, one) = try container("c1")
    let (second, two) = try container("c2", network: 2)
    let ports = [mapping(8080, 80), mapping(53, 53, "udp")]
    try publishing.publish(ports, "c1", first, one).checked()
    let before = try publishing.rules()
    let refused = try publishing.publish(
      [mapping(9090, 90), mapping(8080, 80)], "c2", second, two, network: 2)
    try Messages.expect(refused, code: 100, of: "portmap", on: "ADD, a port that another has")
    #expect(try publishing.rules() == before)
    // Another protocol, and one address, are other ports.
    try publishing.publish(
      [mapping(8080, 80, "udp"), mapping(8080, 90, hostIP: "192.0.2.1")], "c2", second, two,
      network: 2
    ).checked()
    do {
      let servers = [try Echo("c1", in: first, port: 80), try Echo("c2", in: second, port: 90)]
      #expect(try Echo.ask(publishing.beyond, "tcp", "192.0.2.1", 8080)?.name == "c2")
      #expect(try Echo.ask(publishing.host.namespace, "tcp", "10.1.0.1", 8080)?.name == "c1")
      withExtendedLifetime(servers) {}
    }
    // The interface of the first goes, and another time its sandbox.
    try publishing.host.plugin("ovs-bridge").del(
      publishing.network(1), containerID: "c1", sandbox: first
    ).checked()
    try publishing.publish([mapping(8080, 80)], "c2", second, two, network: 2).checked()
    let rules = try publishing.rules()
    #expect(!rules.contains("net1/c1/eth0") && !rules.contains("10.1.0.2"))
    // The DEL of the first takes nothing of the second's.
    try publishing.release("c1")
    #expect(try publishing.rules() == rules)
    let (third, three) = try container("c3")
    second.delete()
    try eventually("the kernel has deleted the host end") {
      try !publishing.host.namespace.exec("ip", ["link"]).stdout.contains("patchbay:net2/c2/eth0")
    }
    try publishing.publish([mapping(8080, 80)], "c3", third, three).checked()
    #expect(try !publishing.rules().contains("net2/c2/eth0"))
    try publishing.release("c3")
    #expect(try publishing.rules() == "")
  }

  @Test("a port on which a process of the host listens is refused, unless it is to be shadowed")
  func listener() throws {
    let (sandbox, previous) = try container("c1")
    let server = try Echo("host", in: publishing.host.namespace, port: 8080)
    for transport in ["tcp", "udp"] {
      let refused = try publishing.publish(
        [mapping(8080, 80, transport)], "c1", sandbox, previous)
      try Messages.expect(
        refused, code: 100, of: "portmap",
        on: "ADD, a process of the host listens on the port, \(transport)")
    }
    #expect(try publishing.rules() == "")
    try publishing.publish(
      [mapping(8080, 80)], "c1", sandbox, previous, ["checkListener": false]
    ).checked()
    withExtendedLifetime(server) {}
  }

  @Test("a client of UDP or SCTP that keeps its port reaches the container that has it now")
  func flows() throws {
    let (first, one) = try container("c1")
    let (second, two) = try container("c2")
    let servers = try [("c1", first), ("c2", second)].map { try Echo($0, in: $1, port: 80) }
    for (transport, address) in [
      ("udp", "192.0.2.1"), ("sctp", "192.0.2.1"), ("udp", "2001:db8:2::1"),
    ] {
      let ports = [mapping(8080, 80, transport)]
      func ask() throws -> String? {
        try Echo.ask(publishing.beyond, transport, address, 8080, from: 30000)?.name
      }
      // Before the port is published the flow leads to the host itself.
      #expect(try ask() == nil)
      try publishing.publish(ports, "c1", first, one).checked()
      #expect(try ask() == "c1")
      try publishing.release("c1")
      #expect(try ask() == nil)
      try publishing.publish(ports, "c2", second, two).checked()
      #expect(try ask() == "c2")
      try publishing.release("c2")
    }
    withExtendedLifetime(servers) {}
  }

  @Test("a flush of the firewall is seen by CHECK, and another ADD mends it")
  func flush() throws {
    let (sandbox, previous) = try container("c1")
    let ports = [mapping(8080, 80), mapping(8080, 80, "udp", hostIP: "192.0.2.1")]
    let configuration = publishing.configuration(ports).with(["prevResult": previous])
    func publish() throws {
      try publishing.portmap.add(configuration, containerID: "c1", sandbox: sandbox).checked()
      try publishing.check(ports, "c1", sandbox, previous).checked()
    }
    func expectDeviation(after command: String) throws {
      try Messages.expect(
        publishing.check(ports, "c1", sandbox, previous), code: 999, of: "portmap",
        on: "CHECK, after \(command)")
    }
    try publish()
    let rules = try publishing.rules()
    for command in [
      "flush ruleset",
      "flush chain inet patchbay-ports prerouting",
      "flush chain inet patchbay-ports ports",
      "flush chain inet patchbay-ports outbound",
      "add rule inet patchbay-ports outbound drop",
      "add rule inet patchbay-ports attachment drop",
      "insert rule inet patchbay-ports neighbours-10.1.0.0/24 drop",
      "add chain inet patchbay-ports prerouting { policy drop; }",
      "add table inet patchbay-ports { flags dormant; }",
      "flush chain inet patchbay-ports postrouting",
      "flush map inet patchbay-ports addresses4",
      "flush map inet patchbay-ports containers4",
      "flush chain inet patchbay-ports neighbours-10.1.0.0/24",
      "flush set inet patchbay-ports links",
    ] {
      try publishing.host.namespace.exec("nft", [command]).checked()
      try expectDeviation(after: "nft \(command)")
      // `nft list` shows maps in the order of their making, and elements in none.
      try publish()
      #expect(try publishing.rules().count == rules.count, "\(command)")
    }
    let setting = "net.ipv4.conf.br1.route_localnet=0"
    try publishing.host.namespace.exec("sysctl", ["-qw", setting]).checked()
    try expectDeviation(after: "sysctl \(setting)")
    try publish()
    // DEL finds what others have disturbed.
    try publishing.host.namespace.exec(
      "nft", ["flush map inet patchbay-ports addresses4"]
    ).checked()
    try publishing.release("c1")
    #expect(try publishing.rules() == "")
  }

  @Test("500 ports of one attachment, and one of them that another may not have")
  func many() throws {
    let (sandbox, previous) = try container("c1")
    let (other, second) = try container("c2")
    let mappings = (0..<500).map { mapping(9000 + $0, 80) }
    try publishing.publish(mappings, "c1", sandbox, previous).checked()
    try publishing.check(mappings, "c1", sandbox, previous).checked()
    let server = try Echo("c1", in: sandbox, port: 80)
    for port in [9000, 9250, 9499] {
      let answer = try Echo.ask(publishing.beyond, "tcp", Publishing.outside.v4, port)
      #expect(answer?.name == "c1", "\(port)")
    }
    let refused = try publishing.publish([mapping(9499, 80)], "c2", other, second)
    try Messages.expect(refused, code: 100, of: "portmap", on: "ADD, one of 500 that another has")
    try publishing.publish(mappings.dropLast(), "c1", sandbox, previous).checked()
    try publishing.publish([mapping(9499, 80)], "c2", other, second).checked()
    for container in ["c1", "c2"] { try publishing.release(container) }
    #expect(try publishing.rules() == "")
    withExtendedLifetime(server) {}
  }

  @Test("32 attachments at once, and gone at once")
  func parallel() throws {
    let (sandbox, previous) = try container("c1")
    let publishing = publishing
    // All of one interface: it is what portmap makes that is tried here.
    try atOnce(32) {
      try publishing.publish(
        [mapping(9000 + $0, 80)], "p\($0)", sandbox, previous, ["snat": false])
    }
    let rules = try publishing.rules()
    #expect((0..<32).allSatisfy { rules.contains("tcp dport \(9000 + $0) ") })
    try atOnce(32) {
      try publishing.portmap.del(
        publishing.configuration(nil), containerID: "p\($0)", sandbox: nil)
    }
    #expect(try publishing.rules() == "")
  }
}
