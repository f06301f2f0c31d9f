internal import Addresses
internal import JSON

/// What is in the table of a network, and the commands that put it there and take it away again.
///
/// The hook looks the source address of a new connection up in a map, whose element sends it to the
/// chain of the attachment; so its cost does not grow with the attachments. Their chains send what
/// is to be masqueraded to one last chain: while any attachment is there, the kernel refuses to
/// delete that, and so the table goes with the last attachment, and never before.
struct MasqueradeCommands {
  static let family = FirewallTable.Family.inet
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

  // MARK: - Objects

  var place: FirewallTable { FirewallTable(Self.family, table) }
  private func element(_ address: IPAddress, to chain: String? = nil) -> FirewallObject {
    place.elements(
      Self.map(address.family), [FirewallKey([.string(address.description)])], to: chain)
  }

  // MARK: - Commands

  /// Makes what all attachments share, and makes it again where it is there.
  var setup: [FirewallCommand] {
    // 100 is `srcnat` of nft(8).
    let hook = FirewallTable.Hook(type: "nat", Self.hook, priority: 100)
    return [
      .add(place.object), .add(place.map(Self.map(.v4), from: ["ipv4_addr"])),
      .add(place.map(Self.map(.v6), from: ["ipv6_addr"])),
      .add(place.chain(Self.target)), .flush(place.chain(Self.target)),
      .add(place.rule(Self.target, [.masquerade])),
      .add(place.chain(Self.hook, at: hook)), .flush(place.chain(Self.hook)),
      .add(place.rule(Self.hook, Self.lookUp(.v4))), .add(place.rule(Self.hook, Self.lookUp(.v6))),
    ]
  }

  /// Sends a connection to the chain of its source address.
  static func lookUp(_ family: IPAddress.Family) -> [FirewallExpression] {
    [.lookUp([.source(family)], in: map(family))]
  }

  /// Makes the chain, the rules and the elements of an attachment; refused where any is there.
  func addition(_ owner: RuleOwner, _ addresses: [IPPrefix]) -> [FirewallCommand] {
    var commands: [FirewallCommand] = [.create(place.chain(owner.chain))]
    for address in Self.masqueraded(addresses) {
      commands += [
        .add(
          place.rule(
            owner.chain, Self.expressions(address), comment: owner.comment(network: network))),
        .create(element(address.address, to: owner.chain)),
      ]
    }
    return commands
  }

  /// The addresses outside of whose subnet there is anything.
  static func masqueraded(_ addresses: [IPPrefix]) -> [IPPrefix] {
    addresses.filter { $0.length > 0 }
  }

  /// From the address, neither to its subnet nor to a group.
  static func expressions(_ address: IPPrefix) -> [FirewallExpression] {
    let family = address.address.family
    var expressions: [FirewallExpression] = []
    if let host = IPPrefix(address.address, length: family.bits) {
      expressions.append(.match(.source(family), in: host))
    }
    expressions.append(.match(.destination(family), "!=", in: address))
    if let multicast = multicast[family] {
      expressions.append(.match(.destination(family), "!=", in: multicast))
    }
    return expressions + [.goto(target)]
  }

  /// Deletes elements, rules and chains that were listed; refused where one of them is not there
  /// any more. That a rule is named by its handle makes sure that it is the very one.
  func removal(_ listing: MasqueradeListing, of chains: [String]) -> [FirewallCommand] {
    let rules = listing.rules.filter { chains.contains($0.chain) }
    let elements = listing.elements(of: chains)
    return elements.map { .delete(element($0)) } + rules.map { .delete(handle($0)) }
      + chains.filter { listing.chains[$0] != nil }.map { .delete(place.chain($0)) }
  }

  /// Takes `addresses` from the attachments that have them: in one network, those are gone.
  func release(_ addresses: [IPAddress], _ listing: MasqueradeListing) -> [FirewallCommand] {
    var commands: [FirewallCommand] = []
    for address in addresses where listing.elements[address] != nil {
      commands.append(.delete(element(address)))
    }
    for rule in listing.rules {
      guard let source = rule.source, addresses.contains(source) else { continue }
      commands.append(.delete(handle(rule)))
    }
    return commands
  }

  private func handle(_ rule: MasqueradeListing.Rule) -> FirewallObject {
    place.rule(rule.chain, handle: rule.handle)
  }

  /// Deletes what all attachments share; refused while there is an attachment.
  var teardown: [FirewallCommand] {
    let target = place.chain(Self.target)
    return [.flush(target), .delete(target), .delete(place.object)]
  }
}

extension UInt8 {
  fileprivate var isASCIILetterOrDigit: Bool {
    (0x30...0x39).contains(self) || (0x41...0x5a).contains(self) || (0x61...0x7a).contains(self)
  }
}
