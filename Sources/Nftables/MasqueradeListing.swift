internal import Addresses
internal import JSON

/// What is in the table of a network now, or in one chain of it.
struct MasqueradeListing {
  typealias Rule = FirewallListing.Rule
  /// The chains, by name, with the members that the firewall reports of them.
  let chains: [String: JSONValue]
  private(set) var rules: [Rule]
  /// The chains that addresses lead to.
  private(set) var elements: [IPAddress: String] = [:]
  /// Whether the elements were listed, too.
  private let hasMaps: Bool

  init(_ listing: FirewallListing) {
    chains = listing.chains
    rules = listing.rules
    hasMaps = !listing.maps.isEmpty
    for element in listing.elements {
      guard element.key.count == 1, let text = element.key[0].text, let address = IPAddress(text)
      else { continue }
      elements[address] = element.target ?? ""
    }
  }

  /// The addresses that lead to `chains`. Where the maps were not listed they follow from the
  /// rules: each has one.
  func elements(of chains: [String]) -> [IPAddress] {
    guard hasMaps else {
      return rules.filter { chains.contains($0.chain) }.compactMap { $0.source }
    }
    return elements.filter { chains.contains($0.value) }.map { $0.key }.sorted()
  }

  /// The same but for the rules and elements of `chain`.
  func without(_ chain: String) -> MasqueradeListing {
    var copy = self
    copy.rules.removeAll { $0.chain == chain }
    copy.elements = elements.filter { $0.value != chain }
    return copy
  }

  /// The chains of attachments, in the order of their names.
  var attachmentChains: [String] {
    chains.keys.filter { $0.hasPrefix(RuleOwner.chainPrefix) }.sorted()
  }

  /// What the rules of `chain` say.
  func expressions(in chain: String) -> [[JSONValue]] {
    rules.filter { $0.chain == chain }.map { $0.expressions.map { $0.ordered } }
  }
}

extension FirewallListing.Rule {
  /// The address whose packets it is for.
  var source: IPAddress? {
    guard let match = expressions.first?["match"],
      match["left"]?["payload"]?["field"]?.text == "saddr"
    else { return nil }
    return match["right"]?.text.flatMap { IPAddress($0) }
  }
}
