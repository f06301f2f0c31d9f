internal import Addresses
internal import Nftables

// The way out of the host to a container, of connections that came to one of its ports.
//
// Containers of one subnet share the chain that says which of them are masqueraded. It comes with
// the first of them and goes with the last. A chain for each would slow down every program that
// changes the firewall through nft(8), which reads the names of all chains first.

extension OutboundAddress {
  /// The chain that the address leads to.
  var chain: String {
    neighbours.map { PortTable.neighbourChain(of: $0) } ?? PortTable.outbound
  }
}

extension PortTable {
  static let neighbourPrefix = "neighbours-"

  /// `neighbours-10.1.0.0/24`, `neighbours-fd00_1__/64`: nft(8) takes no colon in a name.
  static func neighbourChain(of subnet: IPPrefix) -> String {
    neighbourPrefix
      + String(
        decoding: subnet.masked.description.utf8.map { $0 == 0x3a ? 0x5f : $0 }, as: UTF8.self)
  }

  /// The rules of that chain.
  static func neighbourRules(of subnet: IPPrefix) -> [[FirewallExpression]] {
    let family = subnet.address.family
    return ((family == .v4 ? [loopback] : []) + [subnet]).map {
      [.match(.source(family), in: $0), .goto(outbound)]
    }
  }

  /// Makes the chains that the addresses lead to, and makes them again where they are there.
  static func neighbourChains(_ subnets: [IPPrefix]) -> [FirewallCommand] {
    var commands: [FirewallCommand] = []
    for subnet in subnets {
      let chain = neighbourChain(of: subnet)
      commands += [.add(table.chain(chain)), .flush(table.chain(chain))]
      commands += neighbourRules(of: subnet).map {
        .add(table.rule(chain, $0, comment: subnet.description))
      }
    }
    return commands
  }

  /// Deletes chains.
  static func deletion(of chains: [String]) -> [FirewallCommand] {
    chains.map { .flush(table.chain($0)) } + chains.map { .delete(table.chain($0)) }
  }

  // MARK: - As executables before made it

  /// The rules of the return chain that an attachment had of its own.
  static func returnRules(_ published: PublishedPorts) -> [[FirewallExpression]] {
    published.outbound.flatMap { address in
      address.neighbours.map { neighbourRules(of: $0) } ?? [[.goto(outbound)]]
    }
  }
}
