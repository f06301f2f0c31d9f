internal import Addresses
public import CNI
internal import Linux
internal import Nftables

extension PortFirewall {
  /// What the table has that is of no use: of the attachments of `network` but for `valid`, and of
  /// none at all.
  public borrowing func remains(
    of network: String, except valid: [Attachment]
  ) throws(PublishedPortsError) -> PortRemains {
    guard let listing = try list() else { return PortRemains(attachments: [], hasOthers: false) }
    let kept = Set(valid.map { PortOwner(network: network, $0).chain })
    let index = ListingIndex(listing)
    var stale: [StalePorts] = []
    for chain in listing.attachmentChains where !kept.contains(chain) {
      let rules = index.rules[chain] ?? []
      let comments = rules.compactMap { $0.comment }
      guard let first = rules.first, let name = comments.first,
        PortOwner.isComment(name, of: network)
      else { continue }
      let holding = Holding(comments: comments)
      let chains = [chain, PortOwner.returnChain(beside: chain)].filter {
        listing.chains[$0] != nil
      }
      let elements =
        chains.flatMap { index.elements[$0] ?? [] } + index.containers(of: holding)
      // The rules of a chain that was replaced meanwhile have other numbers: then the kernel
      // refuses all of this.
      let commands =
        [.delete(PortTable.table.rule(chain, handle: first.handle))]
        + PortTable.deletion(of: elements) + PortTable.deletion(of: chains)
      stale.append(
        StalePorts(
          name: name, chain: chain, rule: first.handle, subnets: holding.subnets,
          commands: commands))
    }
    return PortRemains(
      attachments: stale, hasOthers: !PortTable.removal(listing, of: []).isEmpty)
  }

  /// Releases the ports of an attachment that GC found, if they are still the same.
  public borrowing func release(_ stale: StalePorts) throws(PublishedPortsError) {
    let unused = PortTable.deletion(of: try chains(stale.subnets, usedBy: 1))
    do throws(PublishedPortsError) {
      try run(stale.commands + unused, Self.releasing)
      return try removeUnused(stale.subnets)
    } catch { guard error.isConflict else { throw error } }
    var attempts = 0
    while let listing = try list(),
      listing.rules.contains(where: { $0.chain == stale.chain && $0.handle == stale.rule })
    {
      do throws(PublishedPortsError) {
        return try run(PortTable.removal(listing, of: [stale.chain]), Self.releasing)
      } catch {
        attempts += 1
        guard error.isConflict, attempts < Self.attempts, !deadline.hasPassed else { throw error }
      }
    }
  }
}

/// What a listing has, to be found by what it belongs to.
private struct ListingIndex {
  /// The rules of each chain.
  let rules: [String: [FirewallListing.Rule]]
  /// The elements that lead to each chain.
  let elements: [String: [FirewallListing.Element]]
  private let containers: [IPAddress: FirewallListing.Element]
  /// How many attachments have an address that leads on.
  private var holders: [IPAddress: Int] = [:]

  init(_ listing: FirewallListing) {
    rules = Dictionary(grouping: listing.rules) { $0.chain }
    elements = Dictionary(grouping: listing.elements) { $0.target ?? "" }
    var containers: [IPAddress: FirewallListing.Element] = [:]
    for element in listing.elements {
      if let address = element.containerAddress { containers[address] = element }
    }
    self.containers = containers
    for rule in listing.rules {
      let outbound = rule.comment.flatMap { RememberedOutbound(comment: $0) }
      for address in outbound?.addresses ?? [] { holders[address.address, default: 0] += 1 }
    }
  }

  /// The elements of an attachment's addresses that lead to chains which it shares.
  func containers(of holding: Holding) -> [FirewallListing.Element] {
    holding.outbound.compactMap { address in
      guard holders[address.address] == 1, let element = containers[address.address],
        element.target == address.chain
      else { return nil }
      return element
    }
  }
}

extension PortTable {
  /// Deletes elements that were listed.
  fileprivate static func deletion(of elements: [FirewallListing.Element]) -> [FirewallCommand] {
    Dictionary(grouping: elements) { $0.map }.sorted { $0.key < $1.key }.map { map, elements in
      .delete(table.elements(map, elements.map { FirewallKey($0.key) }))
    }
  }
}

/// What GC found in the table that is of no use.
public struct PortRemains: Hashable, Sendable {
  /// Of attachments that are not valid.
  public let attachments: [StalePorts]
  /// Whether there is more, of no attachment at all: `removeUnusedChains` deletes that.
  public let hasOthers: Bool
}

/// What an attachment has that GC found not to be valid.
public struct StalePorts: Hashable, Sendable {
  /// `NETWORK/CONTAINERID/INTERFACE`
  public let name: String
  let chain: String
  /// The number of its first rule: rules made later have others.
  let rule: Int64
  /// Those whose chain its addresses lead to.
  let subnets: [IPPrefix]
  /// What deletes all of it.
  let commands: [FirewallCommand]

  /// Nil where the names are too long for a comment.
  public var attachment: Attachment? {
    let parts = name.split(separator: "/")
    guard parts.count == 3, !parts[1].hasPrefix("#") else { return nil }
    return Attachment(containerID: String(parts[1]), interfaceName: String(parts[2]))
  }
}
