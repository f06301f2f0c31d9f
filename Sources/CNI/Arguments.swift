/// What `CNI_ARGS` holds: pairs `KEY=value` with `;` between them (CNI specification 1.1.0,
/// section 2 "Parameters").
public struct Arguments: Hashable, Sendable {
  /// In the order written.
  public let pairs: [(key: String, value: String)]

  /// The keys that the plugins of this project and their delegates know between them.
  ///
  /// A delegate is given the whole of `CNI_ARGS`, so what one knows the other must let pass.
  public static let known = [
    "IgnoreUnknown", "IP", "GATEWAY", "MAC", "OvnPort", "K8S_POD_NAMESPACE", "K8S_POD_NAME",
    "K8S_POD_INFRA_CONTAINER_ID", "K8S_POD_UID",
  ]

  /// No pairs.
  public init() { pairs = [] }

  /// These pairs, in this order.
  public init(pairs: [(key: String, value: String)]) { self.pairs = pairs }

  /// The text that stands for it: `KEY=value`, with `;` between pairs.
  public var text: String { pairs.map { "\($0.key)=\($0.value)" }.joined(separator: ";") }

  /// Parses `text`; code 4 where a pair has not exactly one `=`.
  ///
  /// The last pair may end with `;`, as people write it.
  public init(_ text: String) throws(CNIError) {
    var pairs: [(key: String, value: String)] = []
    for pair in text.split(separator: ";") {
      let parts = pair.split(separator: "=", omittingEmptySubsequences: false)
      guard parts.count == 2 else {
        throw CNIError(
          .invalidEnvironment, "ARGS: invalid pair \"\(pair)\"",
          details: "CNI_ARGS is KEY=value, with \";\" between pairs")
      }
      pairs.append((String(parts[0]), String(parts[1])))
    }
    self.pairs = pairs
  }

  /// What is left of `text` where `args` and `CNI_ARGS` come from users: what the runtime says of the
  /// pod, `K8S_…`. Pairs that are malformed are left out.
  public static func ofPod(_ text: String) -> Arguments {
    var pairs: [(key: String, value: String)] = []
    for pair in text.split(separator: ";") {
      let parts = pair.split(separator: "=", omittingEmptySubsequences: false)
      if parts.count == 2, parts[0].hasPrefix("K8S_") {
        pairs.append((String(parts[0]), String(parts[1])))
      }
    }
    return Arguments(pairs: pairs)
  }

  /// The value of `key`, which is case-sensitive; nil if it is not given or empty.
  public subscript(key: String) -> String? {
    pairs.last { $0.key == key && !$0.value.isEmpty }?.value
  }

  /// Refuses unknown keys, with code 4, unless `IgnoreUnknown` is `1` or `true`.
  public func checkKeys() throws(CNIError) {
    if let ignore = self["IgnoreUnknown"] {
      switch ignore.lowercased() {
      case "1", "true": return
      case "0", "false": break
      default:
        throw CNIError(
          .invalidEnvironment,
          "ARGS: error parsing value of pair \"IgnoreUnknown=\(ignore)\": "
            + "boolean unmarshal error: invalid input \(ignore)",
          details: "IgnoreUnknown is 1, true, 0 or false")
      }
    }
    let unknown = pairs.filter { !Self.known.contains($0.key) }
    guard unknown.isEmpty else {
      let list = unknown.map { "\"\($0.key)=\($0.value)\"" }.joined(separator: " ")
      throw CNIError(
        .invalidEnvironment, "ARGS: unknown args [\(list)]",
        details: "CNI_ARGS may have \(Self.known.joined(separator: ", ")), spelt so; "
          + "IgnoreUnknown=1 lets others pass")
    }
  }

  /// Whether both have the same pairs in the same order.
  public static func == (left: Arguments, right: Arguments) -> Bool {
    left.pairs.elementsEqual(right.pairs) { $0.key == $1.key && $0.value == $1.value }
  }
  /// Feeds all pairs.
  public func hash(into hasher: inout Hasher) {
    for pair in pairs {
      hasher.combine(pair.key)
      hasher.combine(pair.value)
    }
  }
}
