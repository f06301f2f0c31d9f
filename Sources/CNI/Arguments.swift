internal import JSON

/// What `CNI_ARGS` holds: pairs `KEY=value` with `;` between them (CNI specification 1.1.0,
/// section 2 "Parameters").
public struct Arguments: Hashable, Sendable {
  /// In the order written.
  public let pairs: [(key: String, value: String)]

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

  /// The pairs of `text` whose keys begin with `prefix`. Pairs that are malformed are left out.
  public static func pairs(of text: String, withPrefix prefix: String) -> Arguments {
    var pairs: [(key: String, value: String)] = []
    for pair in text.split(separator: ";") {
      let parts = pair.split(separator: "=", omittingEmptySubsequences: false)
      if parts.count == 2, parts[0].hasPrefix(prefix) {
        pairs.append((String(parts[0]), String(parts[1])))
      }
    }
    return Arguments(pairs: pairs)
  }

  /// The value of `key`, which is case-sensitive; nil if it is not given or empty.
  public subscript(key: String) -> String? {
    pairs.last { $0.key == key && !$0.value.isEmpty }?.value
  }

  /// Refuses other keys than `known`, with code 4, unless `IgnoreUnknown` is `1` or `true`.
  public func check(_ known: [String]) throws(CNIError) {
    if let ignore = pairs.last(where: { $0.key == "IgnoreUnknown" })?.value {
      switch ignore.asciiLowercased {
      case "1", "true": return
      case "0", "false": break
      default:
        throw CNIError(
          .invalidEnvironment,
          "ARGS: error parsing value of pair \"IgnoreUnknown=\(ignore)\": "
            + "boolean unmarshal error: invalid input \(ignore.asciiLowercased)",
          details: "IgnoreUnknown is 1, true, 0 or false")
      }
    }
    let unknown = pairs.filter { !known.contains($0.key) }
    guard unknown.isEmpty else {
      let list = unknown.map { "\"\($0.key)=\($0.value)\"" }.joined(separator: " ")
      throw CNIError(
        .invalidEnvironment, "ARGS: unknown args [\(list)]",
        details: "CNI_ARGS may have \(known.joined(separator: ", ")), spelt so; "
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

/// The keys of `CNI_ARGS` that programs read.
public struct ArgumentKeys: Hashable, Sendable {
  /// Those that a plugin and its delegates know between them.
  ///
  /// A delegate is given the whole of `CNI_ARGS`, so what one knows the other must let pass.
  public let known: [String]
  /// What the keys begin with of which the runtime writes the values, where users write all others.
  public let runtimePrefix: String

  /// These keys.
  public init(_ known: [String], fromRuntime prefix: String) {
    self.known = known
    runtimePrefix = prefix
  }
}
