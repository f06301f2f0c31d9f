import Addresses
import JSON
import Linux
import TestSupport
import Testing

@testable import Nftables

@Suite("What the firewall is told and says")
struct FirewallTests {
  private func text(_ values: [JSONValue]) -> String {
    String(decoding: JSONValue.array(values).encoded(), as: UTF8.self)
  }

  @Test("a host without nft is told which package to install")
  func missing() throws {
    let error = try #require(throws: FirewallError.self) {
      _ = try Firewall.executable(in: ["/nowhere", "/etc"])
    }
    #expect(error.description == "there is no nft in /nowhere:/etc: install the package nftables")
    #expect(try Firewall.executable().hasSuffix("/nft"))
  }

  @Test(
    "a comment says network and attachment, and long names shrink before it is too long",
    arguments: [
      (9, 64, "n/c/i"), (58, 64, "n/c/i"), (59, 64, "#/c/i"), (200, 64, "#/c/i"),
      (200, 101, "#/c/i"), (200, 102, "#/#/i"), (9, 113, "n/c/i"), (9, 114, "#/#/i"),
    ])
  func comments(network: Int, container: Int, form: String) {
    let network = String(repeating: "n", count: network)
    let owner = RuleOwner(
      containerID: String(repeating: "c", count: container), interfaceName: "eth0")
    let comment = owner.comment(network: network)
    #expect(comment.utf8.count <= 128)
    let parts = comment.split(separator: "/")
    #expect(parts.count == 3)
    let shape = zip(parts, ["n", "c", "i"]).map { $0.hasPrefix("#") ? "#" : $1 }
    #expect(shape.joined(separator: "/") == form)
    #expect(parts.last == "eth0")
  }

  @Test("no two attachments share a chain, nor two networks a table")
  func names() {
    let chains = [("a", "b/c"), ("a/b", "c"), ("a", "c"), ("b", "c")].map {
      RuleOwner(containerID: $0.0, interfaceName: $0.1).chain
    }
    // An interface's name has no "/", so the first two cannot both be.
    #expect(Set(chains).count == 3)
    #expect(chains.allSatisfy { $0.hasPrefix("attachment-") && $0.utf8.count == 31 })
    let long = String(repeating: "n", count: 101)
    let tables = ["blue", "blue.1_x-y", long, long + "n"].map {
      MasqueradeCommands(network: $0).table
    }
    #expect(tables[..<2] == ["patchbay-blue", "patchbay-blue.1_x-y"])
    #expect(tables[2].hasPrefix("patchbay.") && tables[2].utf8.count == 29)
    #expect(Set(tables).count == 4)
  }

  @Test("an address whose subnet is everything has nothing to be hidden from")
  func everything() throws {
    let commands = MasqueradeCommands(network: "n")
    let owner = RuleOwner(containerID: "c", interfaceName: "eth0")
    let addition = commands.addition(owner, [try IPPrefix("10.0.0.1/0")])
    #expect(addition.count == 1)
    #expect(
      commands.deviation(
        owner, [try IPPrefix("10.0.0.1/0")], MasqueradeListing(FirewallListing([]))) == nil)
  }

  @Test("an address without a subnet is spared by itself")
  func host() throws {
    let expressions = MasqueradeCommands.expressions(try IPPrefix("10.0.0.1/32"))
    #expect(text(expressions.map { $0.json }).contains(#""field":"daddr"}},"right":"10.0.0.1"}"#))
  }

  @Test("what nft refuses is told in its words, once", .privateHost)
  func refusal() throws {
    let error = try #require(throws: FirewallError.self) {
      try Firewall.run(
        [.add(FirewallTable(.inet, "nowhere").chain("x"))], "try", until: .after(.seconds(10)))
    }
    #expect(error.description == "try: nft: No such file or directory")
    #expect(error.isAbsence && error.isConflict && !error.isTimeout)
    let nonsense = try #require(throws: FirewallError.self) {
      try Firewall.run([.add(FirewallObject(["nonsense": 1]))], "try", until: .after(.seconds(10)))
    }
    #expect(!nonsense.isConflict && nonsense.description.hasPrefix("try: nft: "))
  }

  @Test("nft that is late is killed", .privateHost)
  func late() throws {
    let error = try #require(throws: FirewallError.self) {
      try Firewall.run(
        MasqueradeCommands(network: "late").setup, "try", until: .after(.zero))
    }
    #expect(error.isTimeout)
    #expect(error.description.contains("had not ended in time"))
    _ = try run("nft", ["delete", "table", "inet", "patchbay-late"])
  }

  @Test("lists with unknown members, or with none, are read as far as they can be")
  func lists() throws {
    let items = try #require(
      JSONValue(
        parsing: Array(
          """
          [{"metainfo": {}}, {}, 3, {"chain": {}}, {"rule": {"chain": "x"}},
           {"map": {"elem": [["10.0.0.1", {"goto": {"target": "a"}}], "x", [],
             [{"elem": {"val": "fd00::1", "comment": "c"}}, {"goto": {"target": "b"}}]]}},
           {"chain": {"name": "attachment-1"}}, {"flowtable": 1}]
          """.utf8)
      ).array)
    let listing = MasqueradeListing(FirewallListing(items))
    #expect(listing.attachmentChains == ["attachment-1"])
    #expect(listing.elements(of: ["a", "b"]).map(\.description) == ["10.0.0.1", "fd00::1"])
    #expect(listing.rules.isEmpty)
  }
}
