import Addresses
import BPF
import Linux
import Netlink
import PortGuard
import TestSupport
import Testing

/// What enforces a policy.
enum Enforcement: CaseIterable {
  case program, rules

  func install(_ policy: GuardPolicy, on wire: Wire) throws {
    let namespace = try NetworkNamespace(path: wire.host.path)
    let deadline = Deadline.after(.seconds(10))
    switch self {
    case .program:
      let instructions = try FrameProgram.instructions(for: policy)
      let program = try KernelProgram(
        xdp: instructions.map { $0.word }, named: FrameProgram.name)
      let (descriptor, index) = (program.fileDescriptor, try wire.index)
      try RouteSocket(in: namespace).request(until: deadline) {
        $0.attachProgram(descriptor, to: index)
      }
      _ = try program.identity()
    case .rules:
      let table = FrameRules.table(
        "guard-test", comment: "a comment", device: wire.port, for: policy)
      try NetfilterSocket(in: namespace).replace([table], until: deadline)
    }
  }

  /// How many frames it has dropped.
  func dropped(on wire: Wire) throws -> UInt64 {
    let namespace = try NetworkNamespace(path: wire.host.path)
    let deadline = Deadline.after(.seconds(10))
    switch self {
    case .program: return try RouteSocket(in: namespace).droppedByProgram(wire.port)
    case .rules:
      return try NetfilterSocket(in: namespace).packets(.netdev, "guard-test", until: deadline) ?? 0
    }
  }
}

@Suite("A guard on the wire", .privateHost) struct WireTests {
  @Test("lets pass what the table lets pass, and nothing else", arguments: Enforcement.allCases)
  func table(_ enforcement: Enforcement) throws {
    let wire = try Wire()
    let all = Case.table + Case.dhcp(false)
    // Without a guard everything passes, so that what is missing later was dropped by it.
    let before = try exchange(
      all.map { $0.bytes }, last: Case.arp[0].bytes, from: wire.container, to: wire.receiver)
    #expect(before.count == all.count)
    try enforcement.install(Container.policy(), on: wire)
    try wire.expect(all)
    #expect(try enforcement.dropped(on: wire) >= UInt64(all.filter { !$0.passes }.count))
  }

  @Test("lets a DHCP client ask where it may", arguments: Enforcement.allCases)
  func dhcp(_ enforcement: Enforcement) throws {
    let wire = try Wire()
    try enforcement.install(Container.policy(allowsDHCP: true), on: wire)
    try wire.expect(Case.dhcp(true) + Case.ipv4)
  }

  @Test("of the Ethernet address alone looks at nothing else", arguments: Enforcement.allCases)
  func mac(_ enforcement: Enforcement) throws {
    let wire = try Wire()
    let policy = try Container.policy(.mac)
    try enforcement.install(policy, on: wire)
    let cases = Case.table
    let received = try exchange(
      cases.map { $0.bytes }, last: Case.arp[0].bytes, from: wire.container, to: wire.receiver)
    for (number, item) in cases.enumerated() where item.isForwarded {
      #expect(received.contains(number) == Verdict(policy, item.bytes).passes, "\(item)")
    }
  }

  @Test("is not passed by with a redirect of the container's own", arguments: Enforcement.allCases)
  func redirect(_ enforcement: Enforcement) throws {
    let wire = try Wire()
    try enforcement.install(Container.policy(), on: wire)
    try wire.container.redirect("p0", to: "eth0")
    // Of a frame that the kernel redirects the outer tag is beside the frame, where no XDP program
    // sees it. It makes no difference to whose address the frame has, and with a third one it is
    // dropped as well.
    let cases = Case.table.filter { enforcement == .rules || $0.description != "two tags" }
    try wire.expect(cases, through: "p0")
  }

  @Test(
    "is not passed by with another name or another address",
    arguments: Enforcement.allCases)
  func renaming(_ enforcement: Enforcement) throws {
    let wire = try Wire()
    try enforcement.install(Container.policy(), on: wire)
    for command in [
      "link set eth0 down", "link set eth0 name net7", "link set net7 address \(Container.other)",
      "link set net7 up",
    ] {
      try wire.container.exec("ip", command.split(separator: " ").map(String.init)).checked()
    }
    try wire.expect(Case.table, through: "net7")
  }

  @Test("works with large frames", arguments: Enforcement.allCases)
  func large(_ enforcement: Enforcement) throws {
    let wire = try Wire(mtu: 9000)
    try enforcement.install(Container.policy(), on: wire)
    let content = [UInt8](repeating: 7, count: 8900)
    func large(_ source: String) -> Frame {
      Frame(Container.mac, type: 0x0800, Frame.ipv4(source, next: 6, content))
    }
    try wire.expect([
      Case(true, "large, from own", large(Container.ipv4)),
      Case(false, "large, of another", large("10.1.0.3")),
    ])
  }

  @Test(
    "lets an address be found free, and neighbours find each other",
    arguments: Enforcement.allCases)
  func stack(_ enforcement: Enforcement) throws {
    let wire = try Wire()
    try enforcement.install(Container.policy(), on: wire)
    for (sandbox, number) in [(wire.container, "2"), (wire.receiver, "9")] {
      for text in ["disable_ipv6", "addr_gen_mode"] {
        try sandbox.exec("sh", ["-c", "echo 0 > /proc/sys/net/ipv6/conf/eth0/\(text)"]).checked()
      }
      try sandbox.exec("ip", ["address", "add", "10.1.0.\(number)/24", "dev", "eth0"]).checked()
      try sandbox.exec("ip", ["address", "add", "fd00::\(number)/64", "dev", "eth0"]).checked()
    }
    try eventually("duplicate address detection ends") {
      try !wire.container.exec("ip", ["-6", "address", "show"]).stdout.contains("tentative")
    }
    #expect(try !wire.container.exec("ip", ["-6", "address"]).stdout.contains("dadfailed"))
    for (sandbox, number) in [(wire.container, "9"), (wire.receiver, "2")] {
      for address in ["10.1.0.\(number)", "fd00::\(number)"] {
        let output = try sandbox.exec("ping", ["-n", "-c", "2", "-i", "0.1", "-W", "5", address])
        #expect(output.status == 0, "\(output)")
      }
      // So large that it goes in fragments.
      let output = try sandbox.exec(
        "ping", ["-n", "-c", "1", "-s", "5000", "-W", "5", "fd00::\(number)"])
      #expect(output.status == 0, "\(output)")
    }
    // An address that it has besides.
    try wire.container.exec("ip", ["address", "add", "10.1.0.3/24", "dev", "eth0"]).checked()
    let output = try wire.container.exec(
      "ping", ["-n", "-c", "2", "-i", "0.1", "-W", "1", "-I", "10.1.0.3", "10.1.0.9"])
    #expect(output.status != 0)
  }
}
