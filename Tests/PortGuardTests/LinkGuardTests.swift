import Linux
import Netlink
import PortGuard
import TestSupport
import Testing

@Suite("The guard of a link", .privateHost) struct LinkGuardTests {
  private let deadline = Deadline.after(.seconds(20))

  @Test(
    "is made, replaced at once, compared and removed", arguments: [GuardMechanism.xdp, .nftables])
  func life(_ mechanism: GuardMechanism) throws {
    // A link of the namespace that this process is in, as a plugin's are.
    let name = uniqueName("pg")
    try run(
      "ip", ["link", "add", name, "numrxqueues", "1", "type", "veth", "peer", "name", "\(name)p"]
    )
    .checked()
    defer { _ = try? run("ip", ["link", "delete", name]) }
    let socket = try RouteSocket()
    func link() throws -> Link { try socket.link(.named(name), until: deadline) }
    let guarded = LinkGuard(mechanism, of: name, comment: "patchbay:net1/c1/eth0")
    try mechanism.test(until: deadline)
    let (first, second) = (try Container.policy(), try Container.policy(.mac))
    #expect(try guarded.deviation(first, link(), until: deadline) != nil)
    for policy in [first, second, first] {
      try guarded.enforce(policy, on: link().index, socket, until: deadline)
      #expect(try guarded.deviation(policy, link(), until: deadline) == nil)
      let other = policy == first ? second : first
      #expect(try guarded.deviation(other, link(), until: deadline) != nil)
      #expect(try guarded.dropped(socket, until: deadline) == 0)
    }
    let tables = try LinkGuard.tables(until: deadline).filter { $0.link == name }
    #expect(tables == (mechanism == .nftables ? [guarded] : []))
    #expect(try !LinkGuard.remove(of: name, comment: "of another", until: deadline))
    func remove() throws -> Bool {
      try LinkGuard.remove(of: name, comment: "patchbay:net1/c1/eth0", until: deadline)
    }
    #expect(try remove() == (mechanism == .nftables))
    #expect(try !remove())
    if mechanism == .nftables {
      #expect(try guarded.deviation(first, link(), until: deadline) != nil)
    }
  }
}
