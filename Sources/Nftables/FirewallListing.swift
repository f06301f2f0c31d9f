public import JSON

/// What was listed of the firewall.
public struct FirewallListing: Hashable, Sendable {
  /// A rule as the kernel has it.
  public struct Rule: Hashable, Sendable {
    /// The name of its chain.
    public let chain: String
    /// What the kernel named it; no other rule of the table ever has the same.
    public let handle: Int64
    /// What people are told of it.
    public let comment: String?
    /// Its parts, where they were wanted.
    public let expressions: [JSONValue]
  }
  /// An element of a map or set.
  public struct Element: Hashable, Sendable {
    /// The name of the map or set.
    public let map: String
    /// The values of its key.
    public let key: [JSONValue]
    /// The chain that it leads to; nil for an element of a set.
    public let target: String?
  }
  /// The chains, by name, with the members that the firewall reports of them.
  public private(set) var chains: [String: JSONValue] = [:]
  /// The rules, in the order of their chains.
  public private(set) var rules: [Rule] = []
  /// The elements.
  public private(set) var elements: [Element] = []
  /// The names of the maps and sets.
  public private(set) var maps: Set<String> = []

  /// Reads what it can of `items`, each an object with its kind as only member.
  public init(_ items: [JSONValue]) {
    for item in items { add(item) { _ in true } }
  }

  /// Nothing.
  init() {}

  /// Adds what it can of `item`, of a rule its parts where `hasParts` says so of its chain.
  mutating func add(_ item: JSONValue, partsOf hasParts: (_ chain: String) -> Bool) {
    if let chain = item["chain"], let name = chain["name"]?.text {
      chains[name] = chain
    } else if let rule = item["rule"], let chain = rule["chain"]?.text,
      let handle = rule["handle"]?.integer
    {
      rules.append(
        Rule(
          chain: chain, handle: handle, comment: rule["comment"]?.text,
          expressions: hasParts(chain) ? rule["expr"]?.array ?? [] : []))
    } else if let map = item["map"] {
      add(map) { $0.array.flatMap { $0.count == 2 ? ($0[0], $0[1]) : nil } }
    } else if let set = item["set"] {
      add(set) { ($0, nil) }
    }
  }

  private mutating func add(
    _ map: JSONValue, _ parts: (JSONValue) -> (key: JSONValue, verdict: JSONValue?)?
  ) {
    let name = map["name"]?.text ?? ""
    maps.insert(name)
    for element in map["elem"]?.array ?? [] {
      guard let parts = parts(element) else { continue }
      // The key may be an object that says more of the element.
      let key = parts.key["elem"]?["val"] ?? parts.key
      elements.append(
        Element(
          map: name, key: key["concat"]?.array ?? [key],
          target: parts.verdict.map { $0["goto"]?["target"]?.text ?? "" }))
    }
  }

  /// What the rules of `chain` say, each part with its members in the order of their names.
  public func expressions(in chain: String) -> [[JSONValue]] {
    rules.filter { $0.chain == chain }.map { $0.expressions.map { $0.ordered } }
  }

  /// What rules with these expressions say, to be compared with `expressions(in:)`.
  public static func ordered(_ rules: [[FirewallExpression]]) -> [[JSONValue]] {
    rules.map { $0.map { $0.json.ordered } }
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
