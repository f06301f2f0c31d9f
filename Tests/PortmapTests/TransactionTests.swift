import Addresses
import CNI
import Foundation
import JSON
import Linux
import TestSupport
import Testing

@testable import Netlink
@testable import Nftables
@testable import PublishedPorts

@Suite("Changes of published ports without nft")
struct TransactionTests {
  private static let table = PortTable.table
  private static let sets: [String: FilterSet] = [
    "addresses4": FilterSet([.ipv4Address, .transport, .port]),
    "ports6": FilterSet([.transport, .port]), "links": FilterSet([.linkName]),
  ]

  private static func rule(_ expressions: FirewallExpression..., comment: String? = nil)
    -> FirewallCommand
  {
    .add(table.rule("c", expressions, comment: comment))
  }
  private static func prefix(_ text: String) -> IPPrefix {
    guard let prefix = try? IPPrefix(text) else { preconditionFailure(text) }
    return prefix
  }
  private static func made(_ command: FirewallCommand) -> FilterChange? {
    FilterChange(command, of: table, sets)
  }

  @Test("an address is compared in a packet of its family, a port in one of its protocol")
  func rules() throws {
    let address = try #require(IPAddress("2001:db8::1"))
    let command = Self.rule(
      .match(.destination(.v6), "==", .string("\(address)")),
      .match(.source(.v6), in: Self.prefix("fd00:1::/61")),
      .match(.header("sctp", "dport"), "==", 8080), .dnat(to: address, port: 80), comment: "x")
    #expect(
      Self.made(command)
        == .appendRule(
          FilterRule(
            [
              .loadFamily, .compare(.equal, [10]), .load(.network, offset: 24, count: 16),
              .compare(.equal, address.bytes), .load(.network, offset: 8, count: 16),
              .mask([255, 255, 255, 255, 255, 255, 255, 0xf8] + [UInt8](repeating: 0, count: 8)),
              .compare(.equal, [0xfd, 0, 0, 1] + [UInt8](repeating: 0, count: 12)),
              .loadTransport, .compare(.equal, [132]), .load(.transport, offset: 2, count: 2),
              .compare(.equal, [0x1f, 0x90]), .value(address.bytes, .first),
              .value([0, 80], .second), .translateDestination(.v6),
            ], comment: "x"), chain: "c"))
  }

  @Test(
    "what the kernel is not told directly is left to nft",
    arguments: [
      .add(table.object), .add(table.map("m", from: ["ipv4_addr"])), .flush(table.object),
      .add(table.chain("c", at: PortTable.hooks[0].hook)),
      .add(FirewallTable(.inet, "other").chain("c")), .add(FirewallTable(.ip, "t").chain("c")),
      rule(.masquerade), rule(.drop), rule(.accept),
      rule(.match(.meta("nfproto"), "==", "ipv4")),
      rule(.match(.source(.v4), "!=", in: prefix("10.0.0.0/8"))),
      rule(.match(.source(.v4), "==", "::1")), rule(.match(.source(.v4), "==", "x")),
      rule(.match(.source(.v4), in: prefix("0.0.0.0/0"))),
      rule(.match(.header("ip", "ttl"), "==", 1)), rule(.match(.header("th", "dport"), "==", 1)),
      rule(.match(.header("tcp", "sport"), "==", 1)),
      rule(.match(.header("tcp", "dport"), "==", 65536)),
      rule(.match(.header("tcp", "dport"), "==", 1), .match(.header("udp", "dport"), "==", 1)),
      rule(.match(.source(.v4), "==", "10.0.0.1"), .match(.source(.v6), "==", "::1")),
      rule(FirewallExpression(["dnat": ["family": "ip6", "addr": "10.0.0.1", "port": 1]])),
      rule(FirewallExpression(["dnat": ["family": "ip", "addr": "10.0.0.1"]])),
      rule(FirewallExpression(["jump": ["target": "c"], "goto": ["target": "c"]])),
      rule(FirewallExpression(3)), rule(.jump("c"), comment: String(repeating: "x", count: 129)),
      .flush(table.rule("c", handle: 1)), .delete(table.rule("c", handle: -1)),
      .create(table.elements("unknown", [FirewallKey(["10.0.0.1"])], to: "c")),
      .create(table.elements("addresses4", [FirewallKey(["10.0.0.1"])], to: "c")),
      .create(table.elements("addresses4", [FirewallKey(["::1", 6, 80])], to: "c")),
      .create(table.elements("addresses4", [FirewallKey(["10.0.0.1", 256, 80])], to: "c")),
      .create(table.elements("addresses4", [FirewallKey(["10.0.0.1", 6, -1])], to: "c")),
      .create(table.elements("addresses4", [FirewallKey(["10.0.0.1", 6, "http"])], to: "c")),
      .add(table.elements("links", [FirewallKey(["br*"])])),
      .add(table.elements("links", [FirewallKey(["a-name-of-16-byt"])])),
      .flush(table.elements("links", [FirewallKey(["br1"])])),
    ] as [FirewallCommand])
  func others(command: FirewallCommand) {
    #expect(Self.made(command) == nil)
  }

  // MARK: - By the kernel and by nft

  /// A host with the table of published ports.
  private struct Host {
    let sandbox = try? Sandbox()
    func nft(_ arguments: [String], input: [UInt8] = []) throws -> String {
      try #require(sandbox).exec("nft", arguments, input: input).checked().stdout
    }
    func run(_ commands: [FirewallCommand]) throws {
      let input: JSONValue = ["nftables": .array(commands.map { $0.json })]
      _ = try nft(["-j", "-f", "-"], input: input.encoded())
    }
    /// What `nft -j` prints of the table. The elements of a map have no order.
    func listing() throws -> [Document] {
      let output = try nft(["-j", "list", "table", "inet", "patchbay-ports"])
      return try Document(parsing: Array(output.utf8))["nftables"].array.map { item in
        for kind in ["map", "set"] where item[kind] != .absent {
          let elements = item[kind]["elem"].array.sorted { "\($0.encoded)" < "\($1.encoded)" }
          return [kind: item[kind].with(["elem": .array(elements)])]
        }
        return item
      }
    }
    /// Whether the kernel takes the commands.
    func runDirectly(_ commands: [FirewallCommand]) throws {
      let socket = try NetfilterSocket(in: NetworkNamespace(path: #require(sandbox).path))
      let deadline = Deadline.after(.seconds(20))
      let table = TransactionTests.table
      var sets: [String: FilterSet] = [:]
      for name in try #require(FilterChange.sets(in: commands)) {
        sets[name] = try socket.set(name, table: table.name, until: deadline)
      }
      let changes = try commands.map { try #require(FilterChange($0, of: table, sets), "\($0)") }
      try socket.change(.inet, table.name, changes, "try", until: deadline)
    }
  }

  /// What one attachment publishes, by chance.
  private struct Holders: CaseGenerator {
    var random: SeededGenerator
    var next: UInt16 = 1

    mutating func holder() throws -> (PortOwner, PublishedPorts, RememberedSandbox?, String?) {
      next += 1
      let (v4, v6) = (Self.address("10.1.", next), Self.address("fd00:1::", next))
      let lengths: [UInt8] = [one([8, 13, 16, 23, 24, 32]), one([0, 48, 61, 64, 127, 128])]
      let both = try zip([v4, v6], lengths).map { try #require(IPPrefix($0, length: $1)) }
      let addresses = one([both, [both[0]], [both[1]]])
      var ports: [PublishedPort] = []
      for container in addresses.map({ $0.address }) {
        for _ in 0..<one([1, 1, 2, 5]) {
          next += 1
          let hosts = container.isIPv6 ? ["::", "::1", "2001:db8::77"] : ["0.0.0.0", "192.0.2.1"]
          ports.append(
            PublishedPort(
              one(PublishedPort.Transport.allCases), host: try #require(IPAddress(one(hosts))),
              next, to: container, one([1, 80, 65535])))
        }
      }
      let sources = [
        "0.0.0.0/0", "::/0", "10.0.0.0/8", "172.16.0.0/12", "192.0.2.7/32", "fd00::/61", "::1/128",
        "2001:db8::/32", "198.51.100.0/25",
      ]
      let name = String(repeating: "n", count: one([1, 20, 120]))
      let owner = PortOwner(
        network: name, Attachment(containerID: "c\(next)", interfaceName: "eth0"))
      let published = PublishedPorts(
        ports, of: addresses, one([.none, .neighbours, .all]),
        from: try isChosen(50) ? [] : (0..<4).map { _ in try IPPrefix(one(sources)) })
      let sandbox = RememberedSandbox(
        path: one(["/run/netns/x", "/a\"b\\c é"]), inode: 4_026_532_231)
      return (
        owner, published, isChosen(80) ? sandbox : nil, one([nil, "br1", "a-link-15-bytes"])
      )
    }

    private static func address(_ start: String, _ number: UInt16) -> IPAddress {
      let text = start + (start.hasSuffix(":") ? "\(number)" : "\(number >> 8).\(number & 255)")
      guard let address = IPAddress(text) else { preconditionFailure(text) }
      return address
    }
  }

  @Test("nft lists what the kernel was told directly as what it told it itself", .privateHost)
  func listings() throws {
    let (direct, indirect) = (Host(), Host())
    for host in [direct, indirect] { try host.run(PortTable.setup) }
    func both(_ commands: [FirewallCommand]) throws {
      try direct.runDirectly(commands)
      try indirect.run(commands)
    }
    var holders = Holders(random: SeededGenerator(17))
    var present: [(chain: String, holding: Holding)] = []
    for turn in 0..<60 {
      let (owner, published, sandbox, link) = try holders.holder()
      let subnets = published.outbound.compactMap { $0.neighbours }
      try both(
        PortTable.neighbourChains(subnets)
          + PortTable.addition(owner, published, sandbox, link: link))
      if turn % 10 == 0 { #expect(try direct.listing() == indirect.listing(), "\(turn)") }
      let comments =
        [owner.comment, RememberedOutbound(published.outbound).comment]
        + published.ports.map { $0.description }
      present.append((owner.chain, Holding(comments: comments)))
    }
    let listing = try direct.listing()
    #expect(listing.count > 500)
    #expect(try listing == indirect.listing())
    for (position, (chain, holding)) in present.enumerated() where position % 3 != 0 {
      try both(PortTable.removal(chain, holding, unused: []))
    }
    let rest = try direct.listing()
    #expect(rest.count > 100 && rest.count < listing.count)
    #expect(try rest == indirect.listing())
  }

  @Test("what is refused changes nothing, and is a conflict where nft's words say so", .privateHost)
  func refusals() throws {
    let host = Host()
    try host.run(PortTable.setup)
    let address = try #require(IPAddress("10.1.0.2"))
    let ports = (0..<600).map {
      PublishedPort(
        .tcp, host: IPAddress(bytes: [0, 0, 0, 0]) ?? address, UInt16(8000 + $0), to: address, 80)
    }
    func addition(_ name: String, _ ports: ArraySlice<PublishedPort>) -> [FirewallCommand] {
      PortTable.addition(
        PortOwner(network: "n", Attachment(containerID: name, interfaceName: "eth0")),
        PublishedPorts(Array(ports), of: [], .none, from: []), nil, link: nil)
    }
    func expectRefusal(_ commands: [FirewallCommand], _ errno: Errno) throws {
      let before = try host.listing()
      let error = try #require(throws: FilterError.self) { try host.runDirectly(commands) }
      #expect(error.errno == errno)
      #expect(PublishedPortsError.netfilter(error).isConflict == (errno != .invalidArgument))
      #expect(error.description.hasPrefix("try: \(errno)"))
      #expect(try host.listing() == before)
    }
    let first = addition("c1", ports[..<2])
    try host.runDirectly(first)
    try expectRefusal(first, .fileExists)
    try expectRefusal(addition("c2", ports[1..<3]), .fileExists)
    let chain = PortOwner(
      network: "n", Attachment(containerID: "c1", interfaceName: "eth0")
    ).chain
    try expectRefusal([.delete(PortTable.table.chain(chain))], .resourceBusy)
    try expectRefusal([.delete(Self.table.rule(chain, handle: 99_999))], .noSuchFileOrDirectory)
    // So many refusals as the kernel says of the 1200 messages of a table that is gone.
    let many = addition("c3", ports[...])
    let socket = try NetfilterSocket(in: NetworkNamespace(path: #require(host.sandbox).path))
    let changes = many.compactMap {
      FilterChange($0, of: PortTable.table, ["ports4": FilterSet([.transport, .port])])
    }
    #expect(changes.count == many.count)
    let error = try #require(throws: FilterError.self) {
      try socket.change(.inet, "gone", changes, "try", until: .after(.seconds(20)))
    }
    #expect(error.errno == .noSuchFileOrDirectory)
  }

  @Test("only what is read says that the kernel has no packet filter: a change may be wrong itself")
  func unsupported() {
    func isUnsupported(_ request: FilterRequest) -> Bool {
      PublishedPortsError.netfilter(.refused(request, .invalidArgument, words: nil)).isUnsupported
    }
    #expect(isUnsupported(.readTable("t")) && !isUnsupported(.change("release published ports")))
  }
}
