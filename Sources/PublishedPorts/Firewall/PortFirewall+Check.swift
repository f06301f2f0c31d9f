internal import Addresses
internal import JSON
internal import Nftables

extension PortFirewall {
  /// What is not as `publish` made it, and what should be; empty if all is.
  public borrowing func deviations(
    _ published: PublishedPorts, _ owner: PortOwner, link: String?
  ) throws(PublishedPortsError) -> [String] {
    guard let listing = try list(partsOf: owner.chain) else {
      return ["there is no table \(PortTable.table) in the firewall"]
    }
    var found: [String] = []
    let place = "of table \(PortTable.table)"
    if try isDormant() {
      found.append("table \(PortTable.table) is switched off (dormant): no packet meets its rules")
    }
    for (chain, rules) in PortTable.shared where !Self.isAsMade(chain, rules, listing) {
      found.append("chain \(chain) \(place) is not what was made")
    }
    let wanted = PortTable.rules(published)
    let markers = listing.rules.filter { $0.chain == owner.chain }.prefix {
      $0.comment.flatMap { PublishedPort(comment: $0) } == nil
    }.count
    if listing.chains[owner.chain] == nil {
      found.append("\(place.dropFirst(3)) has no chain \(owner.chain) for \(owner.comment)")
    } else if Array(listing.expressions(in: owner.chain).dropFirst(markers))
      != FirewallListing.ordered(wanted.map { $0.1 })
    {
      found.append("chain \(owner.chain) \(place) is not what was made for \(owner.comment)")
    }
    let targets = listing.targetsOfPorts
    for port in published.ports where targets[port.hostSide] != owner.chain {
      found.append(
        "\(port.place) leads to \(targets[port.hostSide].map { "chain \($0)" } ?? "nothing"), and "
          + "should lead to chain \(owner.chain) \(place)")
    }
    found += outboundDeviations(published, owner, listing)
    if let link { found += loopbackDeviations(link, listing) }
    return found
  }

  private borrowing func outboundDeviations(
    _ published: PublishedPorts, _ owner: PortOwner, _ listing: FirewallListing
  ) -> [String] {
    let place = "of table \(PortTable.table)"
    let isOld = Holding(comments: listing.comments(in: owner.chain)).isOld
    var found: [String] = []
    if let remembered = listing.outbound(of: owner.chain),
      remembered != RememberedOutbound(published.outbound)
    {
      found.append(
        "chain \(owner.chain) \(place) says \"\(remembered.comment)\", and should say "
          + "\"\(RememberedOutbound(published.outbound).comment)\"")
    }
    let chains =
      isOld
      ? [(owner.returnChain, PortTable.returnRules(published))]
      : published.outbound.compactMap { $0.neighbours }.map {
        (PortTable.neighbourChain(of: $0), PortTable.neighbourRules(of: $0))
      }
    for (chain, rules) in chains
    where listing.expressions(in: chain) != FirewallListing.ordered(rules) {
      found.append("chain \(chain) \(place) is not what was made for \(owner.comment)")
    }
    for address in published.outbound {
      let chain = isOld ? owner.returnChain : address.chain
      if listing.chain(of: address.address) != chain {
        found.append("\(address.address) does not lead to chain \(chain) \(place), and should")
      }
    }
    return found
  }

  /// Whether a chain that all attachments share is as it was made.
  private static func isAsMade(
    _ chain: String, _ rules: [[FirewallExpression]], _ listing: FirewallListing
  ) -> Bool {
    let hook = PortTable.hooks.first { $0.chain == chain }?.hook
    guard let there = listing.chains[chain], there["hook"]?.text == hook?.name,
      there["type"]?.text == hook?.type, there["prio"]?.integer == hook?.priority
    else { return false }
    return (hook == nil || there["policy"]?.text == "accept")
      && listing.expressions(in: chain) == FirewallListing.ordered(rules)
  }

  /// The links by which nothing comes in to 127.0.0.0/8; none where no port was ever published, or
  /// where the rules that drop it are gone.
  public borrowing func closedLinks() throws(PublishedPortsError) -> [String] {
    guard let listing = try list(),
      PortTable.shared.contains(where: {
        $0.chain == PortTable.localnet && Self.isAsMade($0.chain, $0.rules, listing)
      }), try !isDormant()
    else { return [] }
    return listing.links
  }

  private borrowing func loopbackDeviations(_ link: String, _ listing: FirewallListing) -> [String]
  {
    let isClosed = listing.links.contains(link)
    let isOpen = LoopbackRoute.isOpen(link)
    switch (isOpen, isClosed) {
    case (true, true): return []
    case (true, false):
      return [
        "net.ipv4.conf.\(link).route_localnet is 1, and nothing drops what comes in by the link to "
          + "127.0.0.0/8: neighbours reach what listens on 127.0.0.1 only"
      ]
    case (false, _):
      return [
        "net.ipv4.conf.\(link).route_localnet is 0, and should be 1: 127.0.0.1 does not lead to "
          + "the container"
      ]
    }
  }
}
