public import Addresses
internal import CLinux
public import Linux

/// A chain of the packet filter that another program made, and that gets rules of ours.
public struct ForeignChain: Hashable, Sendable, CustomStringConvertible {
  /// Which packets it sees.
  public let family: FilterTable.Family
  /// The name of its table.
  public let table: String
  /// Its name.
  public let name: String

  /// The chain of this name.
  public init(_ family: FilterTable.Family, _ table: String, _ name: String) {
    self.family = family
    self.table = table
    self.name = name
  }

  /// `ip filter FORWARD`
  public var description: String { "\(family) \(table) \(name)" }

  /// What a chain has.
  public struct Content: Hashable, Sendable {
    /// In their order.
    public let rules: [Rule]
    /// Whether it drops what no rule decides.
    public let drops: Bool
  }

  /// A rule as the kernel has it.
  public struct Rule: Hashable, Sendable {
    /// What the kernel named it; no other rule of the table ever has the same.
    public let handle: UInt64
    /// What nft(8) and iptables-nft(8) show with it; empty if nothing.
    public let comment: String
    /// Its expressions, as the kernel sends them.
    let bytes: [UInt8]

    /// Whether it compares the name of a link with `name`.
    public func names(link name: String) -> Bool {
      let wanted = Array(name.utf8) + [0]
      return bytes.indices.contains { bytes[$0...].starts(with: wanted) }
    }

    /// Whether it compares an address with a prefix, of 16 bits at least, that has all of `subnet`.
    public func names(subnet: IPPrefix) -> Bool {
      guard subnet.length >= 16 else { return false }
      return (16...subnet.length).contains { length in
        guard let value = IPPrefix(subnet.address, length: length)?.network.bytes else {
          return false
        }
        // nft(8) loads no more bytes than are compared, where the prefix ends with one.
        let whole = length % 8 == 0 ? Array(value.prefix(Int(length) / 8)) : value
        return compares(with: value) || compares(with: whole)
      }
    }

    /// Whether an attribute NFTA_DATA_VALUE of `linux/netfilter/nf_tables.h` has this value.
    private func compares(with value: [UInt8]) -> Bool {
      var wanted: [UInt8] = []
      wanted.append(native: UInt16(4 + value.count))
      wanted.append(native: UInt16(NFTA_DATA_VALUE.rawValue))
      wanted += value
      return bytes.indices.contains { bytes[$0...].starts(with: wanted) }
    }
  }

  var messages: FilterMessages { FilterMessages(table: FilterTable(family, table, [])) }
}

extension ForeignChain.Rule {
  init(_ body: ArraySlice<UInt8>) throws(NetlinkError) {
    let attributes = try Attributes<FilterRuleSpace>(body)
    handle = try attributes[.handle]?.value ?? 0
    bytes = Array(attributes.payload(UInt16(NFTA_RULE_EXPRESSIONS.rawValue)) ?? [])
    comment = try attributes[.userData]?.comment ?? ""
  }
}

extension NetfilterSocket {
  /// What a chain has; with the rules of all chains of its table where `isWhole`. Nil where there
  /// is no such chain.
  public func content(
    of chain: ForeignChain, wholeTable isWhole: Bool = false, until deadline: Deadline
  ) throws(FilterError) -> ForeignChain.Content? {
    let messages = chain.messages
    let answer = try list(messages.readChain(chain.name), FilterMessages.chainType, until: deadline)
    guard let body = answer.first else { return nil }
    let found = try list(
      messages.listRules(of: isWhole ? nil : chain.name), FilterMessages.ruleType, until: deadline)
    do throws(NetlinkError) {
      let policy = try Attributes<FilterChainSpace>(body)[.policy]?.value
      var rules: [ForeignChain.Rule] = []
      for rule in found { rules.append(try ForeignChain.Rule(rule)) }
      return ForeignChain.Content(rules: rules, drops: policy == 0)
    } catch { throw .malformed(.read, error) }
  }

  /// Puts rules at the beginning of a chain, the first of them first, in one transaction.
  public func insert(_ rules: [FilterRule], into chain: ForeignChain, until deadline: Deadline)
    throws(FilterError)
  {
    let messages = chain.messages
    try transact(
      .replace, rules.reversed().map { messages.insertion($0, into: chain.name) }, until: deadline)
  }

  /// Deletes rules of a chain, in one transaction; one that is not there is refused with `ENOENT`.
  public func delete(_ handles: [UInt64], in chain: ForeignChain, until deadline: Deadline)
    throws(FilterError)
  {
    let messages = chain.messages
    try transact(
      .replace, handles.map { messages.deletion($0, in: chain.name) }, until: deadline)
  }
}
