/// A table of the kernel's packet filter nf_tables with one chain; see nft(8).
public struct FilterTable: Hashable, Sendable, CustomStringConvertible {
  /// Which packets its chain sees.
  public enum Family: UInt8, Sendable {
    /// IPv4 and IPv6: `NFPROTO_INET`.
    case inet = 1
    /// ARP: `NFPROTO_ARP`.
    case arp = 3
  }
  /// Where in the path of a packet the chain is.
  public enum Hook: Hashable, Sendable {
    /// Of `inet`: all that comes in, before it is decided whose it is.
    case prerouting
    /// Of `arp`: all that comes in.
    case arpInput

    /// `NF_INET_PRE_ROUTING` and `NF_ARP_IN` are both 0.
    var number: UInt32 { 0 }
  }

  /// The family.
  public let family: Family
  /// Unique in its family.
  public let name: String
  /// The name of the chain.
  public let chain: String
  /// Where the chain is.
  public let hook: Hook
  /// Lower ones come first.
  public let priority: Int32
  /// The rules of the chain, which lets pass what none of them decides.
  public let rules: [FilterRule]

  /// A table with one chain of type `filter` and policy `accept`.
  public init(
    _ family: Family, _ name: String, chain: String, _ hook: Hook, priority: Int32,
    _ rules: [FilterRule]
  ) {
    self.family = family
    self.name = name
    self.chain = chain
    self.hook = hook
    self.priority = priority
    self.rules = rules
  }

  /// `table inet NAME`, as nft(8) names it.
  public var description: String { "table \(family == .inet ? "inet" : "arp") \(name)" }
}

/// A rule: what a packet must be, and what becomes of it.
public struct FilterRule: Hashable, Sendable {
  /// A part of a rule.
  public enum Part: Hashable, Sendable {
    /// The name of the link that it came in by begins so; at most 15 bytes.
    case inputNamePrefix(String)
    /// The group of that link (ip-link(8)) is one of these.
    case inputGroup(ClosedRange<UInt32>)
    /// It is dropped.
    case drop
  }

  /// In their order.
  public let parts: [Part]
  /// What nft(8) shows with it; at most 127 bytes.
  public let comment: String

  /// A rule.
  public init(_ parts: [Part], comment: String) {
    self.parts = parts
    self.comment = comment
  }

  /// What the kernel runs.
  var expressions: [FilterExpression] { parts.flatMap { $0.expressions } }

  /// `NFTNL_UDATA_RULE_COMMENT` of libnftnl: number, length with the final zero, text.
  var userData: Octets {
    let text = Array(comment.utf8.prefix(127)) + [0]
    return Octets([0, UInt8(truncatingIfNeeded: text.count)] + text)
  }
}

extension FilterRule.Part {
  /// As nft(8) translates it.
  fileprivate var expressions: [FilterExpression] {
    switch self {
    case .inputNamePrefix(let prefix):
      return [.loadInputName, .compare(.equal, Array(prefix.utf8))]
    case .inputGroup(let range):
      func bytes(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
      }
      return [
        .loadInputGroup, .toNetworkOrder, .compare(.atLeast, bytes(range.lowerBound)),
        .compare(.atMost, bytes(range.upperBound)),
      ]
    case .drop: return [.drop]
    }
  }
}
