public import Addresses

/// A table of the kernel's packet filter nf_tables; see nft(8).
public struct FilterTable: Hashable, Sendable, CustomStringConvertible {
  /// Which packets its chains see.
  public enum Family: UInt8, Sendable, CustomStringConvertible {
    /// IPv4 and IPv6: `NFPROTO_INET`.
    case inet = 1
    /// `NFPROTO_IPV4`
    case ip = 2
    /// ARP: `NFPROTO_ARP`.
    case arp = 3
    /// All that one link receives: `NFPROTO_NETDEV`.
    case netdev = 5
    /// `NFPROTO_IPV6`
    case ip6 = 10

    /// As nft(8) names it.
    public var description: String {
      switch self {
      case .inet: "inet"
      case .ip: "ip"
      case .arp: "arp"
      case .netdev: "netdev"
      case .ip6: "ip6"
      }
    }
  }

  /// The family.
  public let family: Family
  /// Unique in its family.
  public let name: String
  /// What nft(8) shows with it; at most 250 bytes. Nil if there is none.
  public let comment: String?
  /// Its chains.
  public let chains: [FilterChain]

  /// A table.
  public init(_ family: Family, _ name: String, comment: String? = nil, _ chains: [FilterChain]) {
    self.family = family
    self.name = name
    self.comment = comment.map { String(decoding: $0.utf8.prefix(250), as: UTF8.self) }
    self.chains = chains
  }

  /// `table inet NAME`, as nft(8) names it.
  public var description: String { "table \(family) \(name)" }
}

/// A chain of rules of type `filter`.
public struct FilterChain: Hashable, Sendable {
  /// Where in the path of a packet a chain is.
  public struct Place: Hashable, Sendable {
    /// By the names that nft(8) has.
    public enum Hook: Hashable, Sendable {
      /// Of `inet`: all that comes in, before it is decided whose it is.
      case prerouting
      /// Of `arp`: all that comes in.
      case arpInput
      /// Of `netdev`: all that the link of this name receives.
      case ingress(device: String)

      /// `NF_INET_PRE_ROUTING`, `NF_ARP_IN` and `NF_NETDEV_INGRESS` are all 0.
      var number: UInt32 { 0 }
      var device: String? { if case .ingress(let device) = self { device } else { nil } }
    }

    /// Where it is.
    public let hook: Hook
    /// Lower ones come first.
    public let priority: Int32
    /// Whether a packet is dropped that no rule decides.
    public let drops: Bool

    /// A place.
    public init(_ hook: Hook, priority: Int32, drops: Bool = false) {
      self.hook = hook
      self.priority = priority
      self.drops = drops
    }

    /// `NF_DROP` or `NF_ACCEPT`.
    var policy: UInt32 { drops ? 0 : 1 }
  }

  /// Unique in its table.
  public let name: String
  /// Nil where other chains lead to it.
  public let place: Place?
  /// In the order in which they are tried.
  public let rules: [FilterRule]

  /// A chain.
  public init(_ name: String, _ place: Place? = nil, _ rules: [FilterRule]) {
    self.name = name
    self.place = place
    self.rules = rules
  }
}

/// A rule: what a packet must be, and what becomes of it.
public struct FilterRule: Hashable, Sendable {
  /// What the kernel runs.
  public let expressions: [FilterExpression]
  /// What nft(8) shows with it; at most 128 bytes. Nil if there is none.
  public let comment: String?

  /// A rule.
  public init(_ expressions: [FilterExpression], comment: String? = nil) {
    self.expressions = expressions
    self.comment = comment
  }

  /// Bytes; NFTNL_UDATA_COMMENT_MAXLEN of libnftnl/udata.h.
  static let longestComment = 128

  /// `NFTNL_UDATA_RULE_COMMENT` of libnftnl.
  var userData: Octets? { comment.map { Octets(comment: $0, atMost: Self.longestComment) } }
}

extension Octets {
  /// A comment as libnftnl has it: number, length with the final zero, text.
  init(comment: String, atMost count: Int) {
    let text = Array(comment.utf8.prefix(count)) + [0]
    self.init([0, UInt8(truncatingIfNeeded: text.count)] + text)
  }

  /// The comment; nil if there is none. Before it may stand what other programs keep.
  var comment: String? {
    var rest = bytes[...]
    while let type = rest.first, let length = rest.dropFirst().first {
      let value = rest.dropFirst(2).prefix(Int(length))
      guard value.count == Int(length) else { return nil }
      if type == 0 { return String(decoding: value.prefix { $0 != 0 }, as: UTF8.self) }
      rest = rest.dropFirst(2 + Int(length))
    }
    return nil
  }
}

extension FilterExpression {
  /// The packet is of this family.
  public static func isOf(_ family: IPAddress.Family) -> [FilterExpression] {
    // NFPROTO_IPV4 and NFPROTO_IPV6 are AF_INET and AF_INET6.
    [.loadFamily, .compare(.equal, [family.number])]
  }

  /// Sends the connection to `address` and `port`, which ends the rule.
  public static func translateDestination(to address: IPAddress, port: UInt16)
    -> [FilterExpression]
  {
    var bytes: [UInt8] = []
    BigEndian(port).encode(into: &bytes)
    return [
      .value(address.bytes, .first), .value(bytes, .second),
      .translateDestination(address.family),
    ]
  }

  /// The name of the link that the packet came in by begins with `prefix`, of at most 15 bytes.
  public static func inputName(beginsWith prefix: String) -> [FilterExpression] {
    [.loadInputName, .compare(.equal, Array(prefix.utf8))]
  }

  /// The link that the packet came in by is called `name`.
  public static func inputName(_ name: String) -> [FilterExpression] {
    [.loadInputName, .compare(.equal, Array(name.utf8) + [0])]
  }

  /// The link that the packet leaves by is called `name`.
  public static func outputName(_ name: String) -> [FilterExpression] {
    [.loadOutputName, .compare(.equal, Array(name.utf8) + [0])]
  }

  /// The packet belongs to a connection that is known, or is about one. Written as iptables-nft(8)
  /// does, which does not know what nft(8) writes: `-m conntrack --ctstate RELATED,ESTABLISHED`.
  public static var answers: [FilterExpression] { [.connectionState(0b0000_0110)] }

  /// The connection was sent to another place than it was addressed to: `--ctstate DNAT`. One rule
  /// for both would be shown by nft(8) as one for this alone.
  public static var isPublished: [FilterExpression] { [.connectionState(0b1000_0000)] }

  /// The group of that link (ip-link(8)) is in `range`.
  public static func inputGroup(in range: ClosedRange<UInt32>) -> [FilterExpression] {
    func bytes(_ number: UInt32) -> [UInt8] {
      (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
    }
    return [
      .loadInputGroup, .toNetworkOrder, .compare(.atLeast, bytes(range.lowerBound)),
      .compare(.atMost, bytes(range.upperBound)),
    ]
  }
}
