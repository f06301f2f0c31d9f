internal import Addresses
internal import JSON

/// What is in the table of a network now, or in one chain of it.
struct MasqueradeListing {
  struct Rule: Hashable {
    let chain: String
    /// What the kernel named it; no other rule of the table ever has the same.
    let handle: Int64
    let comment: String?
    let expressions: [JSONValue]
    /// The address whose packets it is for.
    var source: IPAddress? {
      guard let match = expressions.first?["match"],
        match["left"]?["payload"]?["field"]?.text == "saddr"
      else { return nil }
      return match["right"]?.text.flatMap { IPAddress($0) }
    }
  }
  /// The chains, by name, with the members that the firewall tells of them.
  private(set) var chains: [String: JSONValue] = [:]
  private(set) var rules: [Rule] = []
  /// The chains that addresses lead to.
  private(set) var elements: [IPAddress: String] = [:]
  /// Whether the elements were listed, too.
  private var hasMaps = false

  init(_ items: [JSONValue]) {
    for item in items {
      if let chain = item["chain"], let name = chain["name"]?.text {
        chains[name] = chain
      } else if let rule = item["rule"], let chain = rule["chain"]?.text,
        let handle = rule["handle"]?.integer
      {
        rules.append(
          Rule(
            chain: chain, handle: handle, comment: rule["comment"]?.text,
            expressions: rule["expr"]?.array ?? []))
      } else if let map = item["map"] {
        hasMaps = true
        for element in map["elem"]?.array ?? [] { add(element) }
      }
    }
  }

  /// `[KEY, VERDICT]`; the key may be an object that tells more of the element.
  private mutating func add(_ element: JSONValue) {
    guard let parts = element.array, parts.count == 2,
      let text = parts[0].text ?? parts[0]["elem"]?["val"]?.text, let address = IPAddress(text)
    else { return }
    elements[address] = parts[1]["goto"]?["target"]?.text ?? ""
  }

  /// The addresses that lead to `chains`. Where the maps were not listed they follow from the rules:
  /// each has one.
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

extension JSONValue {
  /// The value with all members in the order of their names.
  var ordered: JSONValue {
    switch self {
    case .array(let items): return .array(items.map { $0.ordered })
    case .object(let object):
      let members = object.members.sorted { $0.name < $1.name }
      return .object(members.map { ($0.name, $0.value.ordered) })
    default: return self
    }
  }
}
