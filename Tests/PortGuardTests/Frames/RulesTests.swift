import Addresses
import Linux
import Netlink
import PortGuard
import TestSupport
import Testing

@Suite("The rules of a port", .privateHost) struct RulesTests {
  private var deadline: Deadline { .after(.seconds(20)) }
  private static let mac = certain(MACAddress("02:ff:ff:ff:ff:ff"))

  @Test("are read back as they were made, for any policy")
  func reading() throws {
    let wire = try Wire()
    let socket = try NetfilterSocket(in: NetworkNamespace(path: wire.host.path))
    var random = SeededGenerator(11)
    for number in 0..<(isSoak ? 500 : 4) {
      let policy = number == 0 ? try Container.policy(allowsDHCP: true) : .random(&random)
      let table = FrameRules.table("guard-test", comment: "c", device: wire.port, for: policy)
      try socket.replace([table], until: deadline)
      #expect(try socket.deviation(of: [table], until: deadline) == nil)
      #expect(try socket.table(.netdev, "guard-test", until: deadline)?.comment == "c")
      // Those of another policy, or of another link, are seen to be different.
      let other = GuardPolicy(.full, policy.senders.dropLast() + [.init(Self.mac, [])])
      for wrong in [
        FrameRules.table("guard-test", comment: "c", device: wire.port, for: other),
        FrameRules.table("guard-test", comment: "c", device: "other", for: policy),
      ] { #expect(try socket.deviation(of: [wrong], until: deadline) != nil) }
    }
    // The firewall's own program understands them, and shows whose they are.
    let text = try wire.host.exec("nft", ["list", "table", "netdev", "guard-test"]).checked().stdout
    #expect(text.contains("comment \"c\"") && text.contains("hook ingress device \"port\""))
  }

  @Test("are gone when deleted, which may be asked for again")
  func deletion() throws {
    let wire = try Wire()
    let socket = try NetfilterSocket(in: NetworkNamespace(path: wire.host.path))
    let table = FrameRules.table(
      "guard-test", comment: nil, device: wire.port, for: try Container.policy())
    try socket.replace([table], until: deadline)
    #expect(try socket.tables(.netdev, until: deadline).map { $0.name } == ["guard-test"])
    #expect(try socket.delete(.netdev, "guard-test", until: deadline))
    #expect(try !socket.delete(.netdev, "guard-test", until: deadline))
    #expect(try socket.table(.netdev, "guard-test", until: deadline) == nil)
    #expect(try socket.tables(.netdev, until: deadline) == [])
  }

  @Test("are refused for what is no name of a link, and then none is left")
  func refusal() throws {
    let wire = try Wire()
    let socket = try NetfilterSocket(in: NetworkNamespace(path: wire.host.path))
    let table = FrameRules.table(
      "guard-test", comment: nil, device: "longer-than-any-name", for: try Container.policy())
    #expect(throws: FilterError.self) { try socket.replace([table], until: deadline) }
    #expect(try socket.tables(.netdev, until: deadline) == [])
  }

  @Test("can be tried without an effect")
  func trial() throws {
    let wire = try Wire()
    let socket = try NetfilterSocket(in: NetworkNamespace(path: wire.host.path))
    let table = FrameRules.table(
      "guard-test", comment: nil, device: "missing", for: try Container.policy())
    try socket.test(table, until: deadline)
    #expect(try socket.tables(.netdev, until: deadline) == [])
  }

  @Test("outlive their link, and can be deleted then")
  func lostLink() throws {
    let wire = try Wire()
    let namespace = try NetworkNamespace(path: wire.host.path)
    let socket = try NetfilterSocket(in: namespace)
    let policy = try Container.policy()
    let table = FrameRules.table("guard-test", comment: nil, device: wire.port, for: policy)
    try socket.replace([table], until: deadline)
    try wire.host.exec("ip", ["link", "delete", wire.port]).checked()
    #expect(try socket.delete(.netdev, "guard-test", until: deadline))
  }
}
