import Foundation
import TestSupport
import Testing

@Suite("Containers of one subnet share what is masqueraded on the way to them", .privateHost)
struct SubnetTests {
  let publishing: Publishing
  init() throws { publishing = try Publishing() }

  private static let chains = ["neighbours-10.1.0.0/24", "neighbours-fd00_1__/64"]

  private func container(_ name: String, network: Int = 1) throws -> (Sandbox, Document) {
    let sandbox = try Sandbox()
    return (sandbox, try publishing.attach(name, sandbox, network: network))
  }
  /// A container of the other network, which keeps the table there.
  private func addOther() throws {
    let (sandbox, previous) = try container("other", network: 2)
    try publishing.publish([mapping(9999, 80)], "other", sandbox, previous, network: 2).checked()
  }
  private func nft(_ commands: String...) throws {
    try publishing.host.namespace.exec(
      "nft",
      [commands.map { $0.replacing("TABLE", with: "inet patchbay-ports") }.joined(separator: "; ")]
    ).checked()
  }
  /// Whether nothing is there of the containers of the first network.
  private func expectNothing(_ event: String) throws {
    let rules = try publishing.rules()
    #expect(rules.contains("dport 9999 "), "\(event)")
    for text in ["10.1.0.", "fd00:1:", "return-"] + Self.chains + ["net1/"] {
      #expect(!rules.contains(text), "\(event): \(text) in \(rules)")
    }
  }

  @Test("the chain for that comes with the first and goes with the last, whatever else stays")
  func share() throws {
    try addOther()
    for number in 1...2 {
      let (sandbox, previous) = try container("c\(number)")
      try publishing.publish(
        [mapping(8080 + number, 80)], "c\(number)", sandbox, previous
      ).checked()
    }
    let rules = try publishing.rules()
    for chain in Self.chains {
      #expect(rules.components(separatedBy: "chain \(chain) {").count == 2, "\(rules)")
      #expect(rules.components(separatedBy: "goto \(chain)").count == 3, "\(rules)")
    }
    // The listing is one that nft reads again.
    let file = "\(publishing.host.directory.path)/rules"
    try Data(rules.utf8).write(to: URL(fileURLWithPath: file))
    try publishing.host.namespace.exec("nft", ["-c", "-f", file]).checked()
    try publishing.release("c1")
    for chain in Self.chains {
      #expect(try publishing.rules().contains("goto \(chain)"))
    }
    try publishing.release("c2")
    try expectNothing("DEL")
  }

  @Test("12 that come at once and go at once leave nothing, three times")
  func parallel() throws {
    try addOther()
    let (sandbox, previous) = try container("c1")
    let results = (0..<12).map { number in
      previous.with([
        "ips": [
          ["address": .string("10.1.0.\(100 + number)/24")],
          ["address": .string("fd00:1::\(100 + number)/64")],
        ]
      ])
    }
    let publishing = publishing
    for turn in 1...3 {
      try atOnce(12) {
        try publishing.publish([mapping(9000 + $0, 80)], "p\($0)", sandbox, results[$0])
      }
      let rules = try publishing.rules()
      for chain in Self.chains {
        #expect(rules.components(separatedBy: "goto \(chain)").count == 13, "\(rules)")
      }
      try atOnce(12) {
        try publishing.portmap.del(
          publishing.configuration(nil), containerID: "p\($0)", sandbox: nil)
      }
      try expectNothing("turn \(turn)")
    }
  }

  @Test(
    "an address that another has is refused with its name, and taken over from one that is gone")
  func address() throws {
    try addOther()
    let (first, one) = try container("c1")
    let (second, _) = try container("c2")
    for masquerading in [[:], ["masqAll": true]] as [[String: Document]] {
      try publishing.publish([mapping(8080, 80)], "c1", first, one, masquerading).checked()
      let before = try publishing.rules()
      let refused = try publishing.publish([mapping(9090, 90)], "c2", second, one)
      try Messages.expect(
        refused, code: 100, of: "portmap", on: "ADD, an address that another has")
      #expect(try publishing.rules() == before)
    }
    try publishing.command(first, "link delete eth0")
    try publishing.publish([mapping(9090, 90)], "c2", second, one).checked()
    #expect(try !publishing.rules().contains("net1/c1/eth0"))
    try publishing.release("c1")
    try publishing.check([mapping(9090, 90)], "c2", second, one).checked()
    try publishing.release("c2")
    try expectNothing("DEL")
  }

  @Test("what another program has emptied goes all the same, with its container or by GC")
  func emptied() throws {
    try addOther()
    let (sandbox, previous) = try container("c1")
    func publish() throws {
      try publishing.publish([mapping(8080, 80)], "c1", sandbox, previous).checked()
    }
    try publish()
    let chain = try #require(try chain(of: "c1"))
    try nft("flush chain TABLE \(chain)")
    try publishing.release("c1")
    try expectNothing("an attachment's chain was empty")
    try publish()
    try nft("flush chain TABLE \(Self.chains[0])")
    try publishing.release("c1")
    try expectNothing("the chain of a subnet was empty")
    // What a DEL leaves that is killed while another goes.
    try nft("add chain TABLE \(Self.chains[0])")
    try publishing.portmap.gc(publishing.configuration(nil), valid: []).checked()
    try expectNothing("GC")
  }

  // MARK: - What executables before made

  /// The name of an attachment's chain.
  private func chain(of container: String) throws -> String? {
    try rule { $0.hasSuffix("/\(container)/eth0") }?["chain"].text
  }
  private func rule(_ isMeant: (String) -> Bool) throws -> Document? {
    let listing = try publishing.host.namespace.exec(
      "nft", ["-j", "list", "table", "inet", "patchbay-ports"]
    ).checked()
    let rules = try Document(parsing: listing.bytes)["nftables"].array.map { $0["rule"] }
    return rules.first { $0["comment"].text.map(isMeant) ?? false }
  }

  /// Puts a container's rules into the form that they had: a chain of its own for its addresses,
  /// beside the other, which says nothing of them.
  private func makeOld(_ container: String) throws {
    let chain = try #require(try chain(of: container))
    let marker = try #require(try rule { $0.hasPrefix("outbound 10.1.0.2/24 ") })
    let handle = try #require(marker["handle"].integer)
    let own = chain.replacing("attachment-", with: "return-")
    try nft(
      "delete rule TABLE \(chain) handle \(handle)",
      "add chain TABLE \(own)",
      "add rule TABLE \(own) ip saddr 127.0.0.0/8 goto outbound comment \"10.1.0.2\"",
      "add rule TABLE \(own) ip saddr 10.1.0.0/24 goto outbound comment \"10.1.0.2\"",
      "add rule TABLE \(own) ip6 saddr fd00:1::/64 goto outbound comment \"fd00:1::2\"",
      "delete element TABLE containers4 { 10.1.0.2 }",
      "delete element TABLE containers6 { fd00:1::2 }",
      "add element TABLE containers4 { 10.1.0.2 : goto \(own) }",
      "add element TABLE containers6 { fd00:1::2 : goto \(own) }",
      "flush chain TABLE \(Self.chains[0])", "delete chain TABLE \(Self.chains[0])",
      "flush chain TABLE \(Self.chains[1])", "delete chain TABLE \(Self.chains[1])")
  }

  @Test("a container that has a chain of its own for it is checked, replaced and released as well")
  func old() throws {
    try addOther()
    let (first, one) = try container("c1")
    let (second, two) = try container("c2")
    let ports = [mapping(8080, 80)]
    func publishOld() throws {
      try publishing.publish(ports, "c1", first, one).checked()
      try makeOld("c1")
      #expect(try publishing.rules().contains("goto return-"))
    }
    try publishOld()
    try publishing.check(ports, "c1", first, one).checked()
    let own = try #require(try chain(of: "c1")).replacing("attachment-", with: "return-")
    try nft("flush chain TABLE \(own)")
    try Messages.expect(
      publishing.check(ports, "c1", first, one), code: 999, of: "portmap",
      on: "CHECK, an earlier chain was emptied", hiding: ["CHAIN": own])
    let refused = try publishing.publish([mapping(9090, 90)], "c2", second, one)
    try Messages.expect(
      refused, code: 100, of: "portmap", on: "ADD, an address that one with an earlier chain has")
    try publishing.release("c1")
    try expectNothing("DEL of one whose chain was empty")

    try publishOld()
    try publishing.publish([mapping(8081, 80)], "c2", second, two).checked()
    try publishing.publish(ports, "c1", first, one).checked()
    try publishing.check(ports, "c1", first, one).checked()
    #expect(try !publishing.rules().contains("return-"))
    try publishing.release("c2")
    try publishing.release("c1")
    try expectNothing("ADD, then DEL")

    try publishOld()
    try publishing.release("c1")
    try expectNothing("DEL")
    try publishOld()
    try publishing.portmap.gc(publishing.configuration(nil), valid: []).checked()
    try expectNothing("GC")
    try publishOld()
    try publishing.command(first, "link delete eth0")
    try publishing.publish(ports, "c2", second, two).checked()
    #expect(try !publishing.rules().contains("return-"))
    try publishing.release("c2")
    try expectNothing("another took the port, then DEL")
  }
}

/// Runs `body` for each number below `count`, all at once.
func atOnce(_ count: Int, _ body: @Sendable @escaping (Int) throws -> PluginResult) throws {
  let queue = OperationQueue()
  queue.maxConcurrentOperationCount = 16
  let failures = Failures()
  for number in 0..<count {
    queue.addOperation {
      do { try body(number).checked() } catch { failures.add("\(error)") }
    }
  }
  queue.waitUntilAllOperationsAreFinished()
  #expect(failures.all == [])
}

/// What several threads have met.
private final class Failures: @unchecked Sendable {
  private let lock = NSLock()
  private var texts: [String] = []
  func add(_ text: String) { lock.withLock { texts.append(text) } }
  var all: [String] { lock.withLock { texts } }
}
