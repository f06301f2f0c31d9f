import Addresses
import Foundation
import Linux
import TestSupport
import Testing

@testable import Nftables

@Suite("Masquerading", .privateHost)
struct MasqueradeTests {
  private let masquerade = Masquerade(network: uniqueName("net"))
  private var table: String { "patchbay-\(masquerade.network)" }
  private let first = RuleOwner(containerID: "c1", interfaceName: "eth0")
  private let second = RuleOwner(containerID: "c2", interfaceName: "net1")

  private func prefixes(_ texts: String...) throws -> [IPPrefix] {
    try texts.map { try IPPrefix($0) }
  }
  private var soon: Deadline { .after(.seconds(30)) }

  /// The table as nft(8) prints it; nil where there is none.
  private func printed() throws -> String? {
    let output = try run("nft", ["-s", "list", "table", "inet", table])
    return output.status == 0 ? output.stdout : nil
  }

  @Test("one attachment has its chain, its rules with its comment, and its elements")
  func whole() throws {
    try masquerade.add(first, prefixes("10.1.0.2/24", "fd00:1::2/64"), until: soon)
    #expect(
      try printed() == """
        table inet \(table) {
        	map sources4 {
        		type ipv4_addr : verdict
        		elements = { 10.1.0.2 : goto \(first.chain) }
        	}

        	map sources6 {
        		type ipv6_addr : verdict
        		elements = { fd00:1::2 : goto \(first.chain) }
        	}

        	chain outbound {
        		masquerade
        	}

        	chain postrouting {
        		type nat hook postrouting priority srcnat; policy accept;
        		ip saddr vmap @sources4
        		ip6 saddr vmap @sources6
        	}

        	chain \(first.chain) {
        		ip saddr 10.1.0.2 ip daddr != 10.1.0.0/24 ip daddr != 224.0.0.0/4 goto outbound comment "\(masquerade.network)/c1/eth0"
        		ip6 saddr fd00:1::2 ip6 daddr != fd00:1::/64 ip6 daddr != ff00::/8 goto outbound comment "\(masquerade.network)/c1/eth0"
        	}
        }

        """)
    #expect(
      try masquerade.deviation(first, prefixes("10.1.0.2/24", "fd00:1::2/64"), until: soon) == nil)
    // It can be saved and loaded, as nftables.service does.
    let saved = try #require(try printed())
    try run("nft", ["-c", "-f", "-"], input: saved.utf8).checked()
    try masquerade.remove(first, until: soon)
    #expect(try printed() == nil)
  }

  @Test("the table goes with the last attachment, and a repeated removal is done")
  func last() throws {
    try masquerade.remove(first, until: soon)
    try masquerade.add(first, prefixes("10.1.0.2/24"), until: soon)
    try masquerade.add(second, prefixes("10.1.0.3/24"), until: soon)
    try masquerade.remove(first, until: soon)
    #expect(try masquerade.deviation(second, prefixes("10.1.0.3/24"), until: soon) == nil)
    #expect(try printed()?.contains("10.1.0.2") == false)
    try masquerade.remove(first, until: soon)
    #expect(try masquerade.deviation(second, prefixes("10.1.0.3/24"), until: soon) == nil)
    try masquerade.remove(second, until: soon)
    #expect(try printed() == nil)
    try masquerade.remove(second, until: soon)
  }

  @Test("a repeated ADD doubles nothing, and one with other addresses leaves nothing of the first")
  func repeated() throws {
    try masquerade.add(first, prefixes("10.1.0.2/24"), until: soon)
    let once = try printed()
    try masquerade.add(first, prefixes("10.1.0.2/24"), until: soon)
    #expect(try printed() == once)
    try masquerade.add(first, prefixes("10.1.0.7/24", "fd00::7/64"), until: soon)
    #expect(
      try masquerade.deviation(first, prefixes("10.1.0.7/24", "fd00::7/64"), until: soon) == nil)
    #expect(try printed()?.contains("10.1.0.2") == false)
    try masquerade.remove(first, until: soon)
    #expect(try printed() == nil)
  }

  @Test("an attachment that is gone gives its address up to the one that has it now, and no more")
  func stale() throws {
    try masquerade.add(first, prefixes("10.1.0.2/24", "fd00::2/64"), until: soon)
    try masquerade.add(second, prefixes("10.1.0.2/24"), until: soon)
    #expect(try masquerade.deviation(second, prefixes("10.1.0.2/24"), until: soon) == nil)
    #expect(try masquerade.deviation(first, prefixes("fd00::2/64"), until: soon) == nil)
    try masquerade.remove(first, until: soon)
    #expect(try masquerade.deviation(second, prefixes("10.1.0.2/24"), until: soon) == nil)
    try masquerade.remove(second, until: soon)
    #expect(try printed() == nil)
  }

  @Test("networks with the same addresses do not meet")
  func networks() throws {
    let other = Masquerade(network: uniqueName("net"))
    try masquerade.add(first, prefixes("10.1.0.2/24"), until: soon)
    try other.add(first, prefixes("10.1.0.2/24"), until: soon)
    try other.remove(first, until: soon)
    #expect(try masquerade.deviation(first, prefixes("10.1.0.2/24"), until: soon) == nil)
    try masquerade.remove(first, until: soon)
  }

  @Test("whatever was taken out of the table before, removal takes out the rest")
  func damaged() throws {
    let damages = [
      ["delete", "element", "inet", table, "sources4", "{ 10.1.0.2 }"],
      ["flush", "map", "inet", table, "sources6"], ["flush", "chain", "inet", table, first.chain],
      ["flush", "chain", "inet", table, "postrouting"], ["flush", "table", "inet", table],
    ]
    for damage in damages {
      try masquerade.add(first, prefixes("10.1.0.2/24", "fd00::2/64"), until: soon)
      try run("nft", damage).checked()
      #expect(
        try masquerade.deviation(first, prefixes("10.1.0.2/24", "fd00::2/64"), until: soon) != nil)
      try masquerade.remove(first, until: soon)
      #expect(try printed() == nil, "after \(damage)")
    }
  }

  @Test("each deviation is told with what is and what should be")
  func deviations() throws {
    let wanted = try prefixes("10.1.0.2/24")
    func deviation() throws -> String? { try masquerade.deviation(first, wanted, until: soon) }
    #expect(try deviation() == "there is no table inet \(table) in the firewall")
    try masquerade.add(second, prefixes("10.1.0.3/24"), until: soon)
    let place = "table inet \(table)"
    #expect(
      try deviation()
        == "\(place) has no chain \(first.chain), and should have one for "
        + "\(masquerade.network)/c1/eth0")
    try masquerade.add(first, prefixes("10.1.0.7/24"), until: soon)
    #expect(
      try deviation()
        == "chain \(first.chain) of \(place) is for 10.1.0.7, or is not what was made, and should be "
        + "for 10.1.0.2/24")
    try masquerade.add(first, wanted, until: soon)
    #expect(try deviation() == nil)
    try run("nft", ["delete", "element", "inet", table, "sources4", "{ 10.1.0.2 }"]).checked()
    #expect(
      try deviation()
        == "map sources4 of \(place) leads from 10.1.0.2 to nothing, and should lead to chain "
        + first.chain)
    try run("nft", ["flush", "chain", "inet", table, "outbound"]).checked()
    #expect(
      try deviation()
        == "chain outbound of \(place) does not masquerade any more, and should")
    try run("nft", ["flush", "chain", "inet", table, "postrouting"]).checked()
    #expect(
      try deviation()
        == "chain postrouting of \(place) does not look the source address up any more, and should")
    _ = try masquerade.removeAll(except: [], until: soon)
  }

  @Test("GC removes the rules of all but the valid attachments, and tells which")
  func collection() throws {
    let owners = (0..<5).map { RuleOwner(containerID: "c\($0)", interfaceName: "eth0") }
    for (number, owner) in owners.enumerated() {
      try masquerade.add(owner, prefixes("10.1.0.\(number + 2)/24"), until: soon)
    }
    let removed = try masquerade.removeAll(except: [owners[1], owners[4]], until: soon)
    #expect(removed == [0, 2, 3].map { "\(masquerade.network)/c\($0)/eth0" })
    #expect(try masquerade.deviation(owners[1], prefixes("10.1.0.3/24"), until: soon) == nil)
    #expect(try masquerade.deviation(owners[4], prefixes("10.1.0.6/24"), until: soon) == nil)
    #expect(try masquerade.removeAll(except: [owners[1], owners[4]], until: soon).isEmpty)
    #expect(try masquerade.removeAll(except: [], until: soon).count == 2)
    #expect(try printed() == nil)
    #expect(try masquerade.removeAll(except: [], until: soon).isEmpty)
    // A removal that was killed before it had removed the table.
    try run("nft", ["add", "table", "inet", table]).checked()
    try run("nft", ["add", "chain", "inet", table, "outbound"]).checked()
    let empty = try #require(try printed())
    #expect(try masquerade.removeAll(except: [], until: soon).isEmpty)
    #expect(try printed() == nil)
    try run("nft", ["-f", "-"], input: empty.utf8).checked()
    try masquerade.remove(first, until: soon)
    #expect(try printed() == nil)
  }

  @Test("300 rules of others stay, in their order, with their handles")
  func aliens() throws {
    let alien = uniqueName("alien")
    var script = """
      add table inet \(alien)
      add chain inet \(alien) x { type nat hook postrouting priority srcnat; }

      """
    for number in 0..<300 {
      script +=
        "add rule inet \(alien) x ip saddr 10.9.0.\(number % 250) counter comment \"\(number)\"\n"
    }
    try run("nft", ["-f", "-"], input: script.utf8).checked()
    defer { _ = try? run("nft", ["delete", "table", "inet", alien]) }
    func aliens() throws -> String {
      try run("nft", ["-a", "list", "table", "inet", alien]).checked().stdout
    }
    let before = try aliens()
    try masquerade.add(first, prefixes("10.1.0.2/24"), until: soon)
    try masquerade.add(second, prefixes("10.1.0.2/24"), until: soon)
    try masquerade.remove(second, until: soon)
    _ = try masquerade.removeAll(except: [], until: soon)
    #expect(try aliens() == before)
    #expect(try printed() == nil)
  }

  @Test("32 additions at once, then 32 removals at once, each twice")
  func crowd() throws {
    let owners = (0..<32).map { RuleOwner(containerID: "c\($0)", interfaceName: "eth0") }
    @Sendable func address(_ number: Int) throws -> [IPPrefix] {
      try prefixes("10.1.0.\(number + 2)/24")
    }
    try atOnce(32) { try masquerade.add(owners[$0], address($0), until: soon) }
    for (number, owner) in owners.enumerated() {
      #expect(try masquerade.deviation(owner, address(number), until: soon) == nil)
    }
    try atOnce(64) { try masquerade.remove(owners[$0 % 32], until: soon) }
    #expect(try printed() == nil)
  }

  @Test("additions and removals at once leave exactly what was added")
  func traffic() throws {
    let owners = (0..<32).map { RuleOwner(containerID: "c\($0)", interfaceName: "eth0") }
    @Sendable func address(_ number: Int) throws -> [IPPrefix] {
      try prefixes("10.1.0.\(number + 2)/24")
    }
    // The last one takes the table away while the next one comes.
    try atOnce(16) { worker in
      for _ in 0..<4 {
        try masquerade.add(owners[worker], address(worker), until: soon)
        try masquerade.remove(owners[worker], until: soon)
      }
      if worker % 2 == 0 { try masquerade.add(owners[worker], address(worker), until: soon) }
    }
    for worker in stride(from: 0, to: 16, by: 2) {
      #expect(try masquerade.deviation(owners[worker], address(worker), until: soon) == nil)
    }
    #expect(try masquerade.removeAll(except: [], until: soon).count == 8)
    #expect(try printed() == nil)
  }

  @Test("an addition that is given up is whole or not there, and removal leaves nothing of it")
  func givenUp() throws {
    for _ in 0..<10 {
      do { _ = try masquerade.begin(adding: first, prefixes("10.1.0.2/24")) }
      let found = try printed()
      if found != nil {
        #expect(try masquerade.deviation(first, prefixes("10.1.0.2/24"), until: soon) == nil)
      }
      try masquerade.remove(first, until: soon)
      #expect(try printed() == nil)
    }
  }

  @Test("what the kernel would take can be asked, and nothing is changed by that")
  func test() throws {
    try masquerade.test(until: soon)
    #expect(try printed() == nil)
  }
}

/// Does `body` with 0..<count, all at once; throws what the first one threw.
func atOnce(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
  let queue = OperationQueue()
  queue.maxConcurrentOperationCount = count
  let failures = LockedFailures()
  for number in 0..<count {
    queue.addOperation {
      do { try body(number) } catch { failures.add(error) }
    }
  }
  queue.waitUntilAllOperationsAreFinished()
  if let failure = failures.first { throw failure }
}

private final class LockedFailures: @unchecked Sendable {
  private let lock = NSLock()
  private var errors: [any Error] = []
  func add(_ error: any Error) { lock.withLock { errors.append(error) } }
  var first: (any Error)? { lock.withLock { errors.first } }
}
