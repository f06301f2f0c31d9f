internal import Addresses
internal import JSON

extension MasqueradeCommands {
  /// What of `listing` is not as the commands made it; nil if all is.
  func deviation(_ owner: RuleOwner, _ addresses: [IPPrefix], _ listing: MasqueradeListing)
    -> String?
  {
    let wanted = Self.masqueraded(addresses)
    if wanted.isEmpty { return nil }
    let place = "table \(place)"
    // A rule before them, or a policy, could send packets elsewhere.
    guard let hook = listing.chains[Self.hook], hook["type"]?.text == "nat",
      hook["hook"]?.text == "postrouting", hook["policy"]?.text == "accept",
      listing.expressions(in: Self.hook)
        == FirewallListing.ordered([Self.lookUp(.v4), Self.lookUp(.v6)])
    else {
      return
        "chain \(Self.hook) of \(place) does not look the source address up any more, and should"
    }
    guard listing.expressions(in: Self.target) == [[["masquerade": .null]]] else {
      return "chain \(Self.target) of \(place) does not masquerade any more, and should"
    }
    guard listing.chains[owner.chain] != nil else {
      return "\(place) has no chain \(owner.chain), and should have one for "
        + owner.comment(network: network)
    }
    let found = listing.expressions(in: owner.chain)
    let rules = FirewallListing.ordered(wanted.map { Self.expressions($0) })
    guard Set(found) == Set(rules) else {
      let sources = listing.rules.filter { $0.chain == owner.chain }.compactMap { $0.source }
      return
        "chain \(owner.chain) of \(place) is for \(Self.text(sources)), or is not what was made, "
        + "and should be for \(Self.text(wanted))"
    }
    for address in wanted.map({ $0.address }) {
      let target = listing.elements[address]
      guard target != owner.chain else { continue }
      return "map \(Self.map(address.family)) of \(place) leads from \(address) to "
        + "\(target.map { "chain \($0)" } ?? "nothing"), and should lead to chain \(owner.chain)"
    }
    return nil
  }

  private static func text(_ items: [some CustomStringConvertible]) -> String {
    items.isEmpty ? "nothing" : items.map { $0.description }.joined(separator: ", ")
  }
}
