internal import Addresses
internal import JSON

/// What is in the table of a network, and the commands that put it there and take it away again.
///
/// The hook looks the source address of a new connection up in a map, whose element sends it to the
/// chain of the attachment; so its cost does not grow with the attachments. Their chains send what
/// is to be masqueraded to one last chain: while any attachment is there, the kernel refuses to
/// delete that, and so the table goes with the last attachment, and never before.
struct MasqueradeCommands {
  static let family = "inet"
  static let hook = "postrouting"
  static let target = "outbound"
  static let multicast: [IPAddress.Family: IPPrefix] = {
    var prefixes: [IPAddress.Family: IPPrefix] = [:]
    prefixes[.v4] = try? IPPrefix("224.0.0.0/4")
    prefixes[.v6] = try? IPPrefix("ff00::/8")
    return prefixes
  }()
  let network: String

  /// The name of the table: that of the network where it is not too long.
  var table: String {
    let isPlain = network.utf8.allSatisfy { octet in
      octet.isASCIILetterOrDigit || [0x2d, 0x2e, 0x5f].contains(octet)
    }
    return isPlain && network.utf8.count <= 100
      ? "patchbay-\(network)" : "patchbay.\(digest(network))"
  }

  /// The map of source addresses.
  static func map(_ family: IPAddress.Family) -> String {
    family == .v4 ? "sources4" : "sources6"
  }
  /// `ip` or `ip6`, as expressions name it.
  static func header(_ family: IPAddress.Family) -> String { family == .v4 ? "ip" : "ip6" }

  // MARK: - Objects

  var tableObject: JSONValue {
    ["table": ["family": .string(Self.family), "name": .string(table)]]
  }
  func chain(_ name: String, _ members: [(String, JSONValue?)] = []) -> JSONValue {
    object("chain", [("name", .string(name))] + members)
  }
  func object(_ kind: String, _ members: [(String, JSONValue?)]) -> JSONValue {
    .object([
      (kind, .object([("family", .string(Self.family)), ("table", .string(table))] + members))
    ])
  }
  private func element(_ address: IPAddress, to chain: String? = nil) -> JSONValue {
    let key = JSONValue.string(address.description)
    let element: JSONValue = chain.map { [key, ["goto": ["target": .string($0)]]] } ?? key
    return object(
      "element", [("name", .string(Self.map(address.family))), ("elem", [element])])
  }
  private func rule(_ chain: String, _ expressions: [JSONValue], comment: String? = nil)
    -> JSONValue
  {
    object(
      "rule",
      [
        ("chain", .string(chain)), ("comment", comment.map { .string($0) }),
        ("expr", .array(expressions)),
      ])
  }

  // MARK: - Commands

  /// Makes what all attachments share, and makes it again where it is there.
  var setup: [JSONValue] {
    let families: [IPAddress.Family] = [.v4, .v6]
    var commands: [JSONValue] = [["add": tableObject]]
    commands += families.map { family in
      let type: JSONValue = family == .v4 ? "ipv4_addr" : "ipv6_addr"
      return [
        "add": object(
          "map", [("name", .string(Self.map(family))), ("type", type), ("map", "verdict")])
      ]
    }
    commands += [
      ["add": chain(Self.target)], ["flush": chain(Self.target)],
      ["add": rule(Self.target, [["masquerade": .null]])],
      [
        "add": chain(
          Self.hook,
          [
            // 100 is `srcnat` of nft(8).
            ("type", "nat"), ("hook", "postrouting"), ("prio", 100), ("policy", "accept"),
          ])
      ],
      ["flush": chain(Self.hook)],
    ]
    commands += families.map { ["add": rule(Self.hook, Self.lookUp($0))] }
    return commands
  }

  /// Sends a connection to the chain of its source address.
  static func lookUp(_ family: IPAddress.Family) -> [JSONValue] {
    [["vmap": ["key": field("saddr", family), "data": .string("@\(map(family))")]]]
  }

  /// Makes the chain, the rules and the elements of an attachment; refused where any is there.
  func addition(_ owner: RuleOwner, _ addresses: [IPPrefix]) -> [JSONValue] {
    var commands: [JSONValue] = [["create": chain(owner.chain)]]
    for address in Self.masqueraded(addresses) {
      commands.append([
        "add": rule(
          owner.chain, Self.expressions(address), comment: owner.comment(network: network))
      ])
      commands.append(["create": element(address.address, to: owner.chain)])
    }
    return commands
  }

  /// The addresses outside of whose subnet there is anything.
  static func masqueraded(_ addresses: [IPPrefix]) -> [IPPrefix] {
    addresses.filter { $0.length > 0 }
  }

  /// From the address, neither to its subnet nor to a group.
  static func expressions(_ address: IPPrefix) -> [JSONValue] {
    let family = address.address.family
    func match(_ operator: String, _ name: String, _ prefix: IPPrefix) -> JSONValue {
      // A prefix of full length is listed as an address.
      let right: JSONValue =
        prefix.length == family.bits
        ? .string(prefix.address.description)
        : [
          "prefix": [
            "addr": .string(prefix.network.description), "len": .integer(Int64(prefix.length)),
          ]
        ]
      return [
        "match": ["op": .string(`operator`), "left": field(name, family), "right": right]
      ]
    }
    var expressions: [JSONValue] = []
    if let host = IPPrefix(address.address, length: family.bits) {
      expressions.append(match("==", "saddr", host))
    }
    expressions.append(match("!=", "daddr", address))
    if let multicast = multicast[family] { expressions.append(match("!=", "daddr", multicast)) }
    return expressions + [["goto": ["target": .string(target)]]]
  }
  private static func field(_ name: String, _ family: IPAddress.Family) -> JSONValue {
    ["payload": ["protocol": .string(header(family)), "field": .string(name)]]
  }

  /// Deletes elements, rules and chains that were listed; refused where one of them is not there
  /// any more. That a rule is named by its handle makes sure that it is the very one.
  func removal(_ listing: MasqueradeListing, of chains: [String]) -> [JSONValue] {
    let rules = listing.rules.filter { chains.contains($0.chain) }
    let elements = listing.elements(of: chains)
    return elements.map { ["delete": element($0)] } + rules.map { ["delete": handle($0)] }
      + chains.filter { listing.chains[$0] != nil }.map { ["delete": chain($0)] }
  }

  /// Takes `addresses` from whoever has them: in one network, that is an attachment that is gone.
  func release(_ addresses: [IPAddress], _ listing: MasqueradeListing) -> [JSONValue] {
    var commands: [JSONValue] = []
    for address in addresses where listing.elements[address] != nil {
      commands.append(["delete": element(address)])
    }
    for rule in listing.rules {
      guard let source = rule.source, addresses.contains(source) else { continue }
      commands.append(["delete": handle(rule)])
    }
    return commands
  }

  private func handle(_ rule: MasqueradeListing.Rule) -> JSONValue {
    object("rule", [("chain", .string(rule.chain)), ("handle", .integer(rule.handle))])
  }

  /// Deletes what all attachments share; refused while there is an attachment.
  var teardown: [JSONValue] {
    [["flush": chain(Self.target)], ["delete": chain(Self.target)], ["delete": tableObject]]
  }
}

extension UInt8 {
  fileprivate var isASCIILetterOrDigit: Bool {
    (0x30...0x39).contains(self) || (0x41...0x5a).contains(self) || (0x61...0x7a).contains(self)
  }
}
