internal import CLinux
public import Linux

/// A chain of the packet filter that another program made, and that gets rules of ours.
public struct ForeignChain: Hashable, Sendable, CustomStringConvertible {
  /// Whose packets it sees.
  public enum Family: UInt8, Sendable {
    /// `NFPROTO_INET`
    case inet = 1
    /// `NFPROTO_IPV4`
    case ip = 2
    /// `NFPROTO_IPV6`
    case ip6 = 10
  }
  /// The family.
  public let family: Family
  /// The name of its table.
  public let table: String
  /// Its name.
  public let name: String

  /// The chain of this name.
  public init(_ family: Family, _ table: String, _ name: String) {
    self.family = family
    self.table = table
    self.name = name
  }

  /// `ip filter FORWARD`
  public var description: String {
    "\(family == .ip ? "ip" : family == .ip6 ? "ip6" : "inet") \(table) \(name)"
  }

  /// What a chain has.
  public struct Content: Hashable, Sendable {
    /// In their order.
    public fileprivate(set) var rules: [Rule] = []
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
  }

  private var header: [UInt8] { [family.rawValue, 0, 0, 0] }

  private func message(
    _ number: nf_tables_msg_types, _ flags: CInt, _ sequence: UInt32, _ content: [UInt8]
  ) -> [UInt8] {
    FilterMessage(number, flags, content).bytes(sequence)
  }
  private func rule(_ body: (inout AttributeWriter<FilterRuleSpace>) -> Void) -> [UInt8] {
    var writer = AttributeWriter<FilterRuleSpace>(header)
    writer.put(.table, table)
    writer.put(.chain, name)
    body(&writer)
    return writer.bytes
  }

  func read(_ sequence: UInt32) -> [UInt8] {
    var writer = AttributeWriter<FilterChainSpace>(header)
    writer.put(.table, table)
    writer.put(.name, name)
    return message(NFT_MSG_GETCHAIN, 0, sequence, writer.bytes)
  }
  /// - Parameter isWhole: Of all chains of the table.
  func listRules(_ sequence: UInt32, isWhole: Bool) -> [UInt8] {
    var writer = AttributeWriter<FilterRuleSpace>(header)
    writer.put(.table, table)
    if !isWhole { writer.put(.chain, name) }
    return message(NFT_MSG_GETRULE, NLM_F_DUMP, sequence, writer.bytes)
  }
  /// At the beginning of the chain.
  func insertion(_ rule: FilterRule, _ sequence: UInt32) -> [UInt8] {
    message(
      NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_ACK, sequence,
      self.rule { writer in
        writer.nest(.expressions) { list in
          for expression in rule.expressions {
            list.nest(.element) { expression.encode(into: &$0) }
          }
        }
        writer.put(.userData, rule.userData)
      })
  }
  func deletion(_ handle: UInt64, _ sequence: UInt32) -> [UInt8] {
    message(
      NFT_MSG_DELRULE, NLM_F_ACK, sequence, rule { $0.put(.handle, BigEndian(handle)) })
  }
}

extension ForeignChain.Rule {
  init(_ body: ArraySlice<UInt8>) throws(NetlinkError) {
    let attributes = try Attributes<FilterRuleSpace>(body.dropFirst(FilterMessages.headerSize))
    handle = try attributes[.handle]?.value ?? 0
    bytes = Array(try attributes.payload(UInt16(NFTA_RULE_EXPRESSIONS.rawValue)) ?? [])
    comment = try attributes[.userData]?.comment ?? ""
  }
}

extension NetfilterSocket {
  /// What a chain has; with the rules of all chains of its table where `isWhole`. Nil where there is no
  /// such chain.
  public func content(
    of chain: ForeignChain, wholeTable isWhole: Bool = false, until deadline: Deadline
  ) throws(FilterError) -> ForeignChain.Content? {
    while !deadline.hasPassed {
      guard var content = try read(chain, until: deadline) else { return nil }
      let sequence = socket.takeSequence(1)
      try send(chain.listRules(sequence, isWhole: isWhole), .read)
      var isComplete = true
      var hasEnded = false
      while !hasEnded {
        for message in try receive(.read, until: deadline) where message.sequence == sequence {
          if message.flags & UInt16(NLM_F_DUMP_INTR) != 0 { isComplete = false }
          guard message.type == FilterMessages.ruleType else {
            if let refusal = try refusal(message, of: .read) { throw refusal }
            hasEnded = true
            continue
          }
          do { content.rules.append(try ForeignChain.Rule(message.body)) } catch {
            throw .malformed(.read, error)
          }
        }
      }
      if isComplete { return content }
    }
    throw .timedOut(.read)
  }

  /// The chain without its rules; nil where there is none.
  private func read(_ chain: ForeignChain, until deadline: Deadline) throws(FilterError)
    -> ForeignChain.Content?
  {
    let sequence = socket.takeSequence(1)
    try send(chain.read(sequence), .read)
    while true {
      for message in try receive(.read, until: deadline) where message.sequence == sequence {
        if message.type == FilterMessages.chainType {
          do throws(NetlinkError) {
            let attributes = try Attributes<FilterChainSpace>(
              message.body.dropFirst(FilterMessages.headerSize))
            return ForeignChain.Content(drops: try attributes[.policy]?.value == 0)
          } catch { throw .malformed(.read, error) }
        }
        guard let refusal = try refusal(message, of: .read) else { continue }
        if refusal.errno == .noSuchFileOrDirectory { return nil }
        throw refusal
      }
    }
  }

  /// Puts rules at the beginning of a chain, the first of them first, in one transaction.
  public func insert(_ rules: [FilterRule], into chain: ForeignChain, until deadline: Deadline)
    throws(FilterError)
  {
    let first = socket.takeSequence(rules.count + 2)
    var messages: [[UInt8]] = []
    for rule in rules.reversed() {
      messages.append(
        chain.insertion(rule, first &+ UInt32(truncatingIfNeeded: messages.count + 1)))
    }
    try change(messages, first, until: deadline)
  }

  /// Deletes rules of a chain, in one transaction; one that is not there is refused with `ENOENT`.
  public func delete(_ handles: [UInt64], in chain: ForeignChain, until deadline: Deadline)
    throws(FilterError)
  {
    let first = socket.takeSequence(handles.count + 2)
    var messages: [[UInt8]] = []
    for handle in handles {
      messages.append(
        chain.deletion(handle, first &+ UInt32(truncatingIfNeeded: messages.count + 1)))
    }
    try change(messages, first, until: deadline)
  }

  /// Runs messages, each of which is acknowledged, as one transaction with the sequence numbers from
  /// `first` on.
  private func change(_ messages: [[UInt8]], _ first: UInt32, until deadline: Deadline)
    throws(FilterError)
  {
    guard !messages.isEmpty else { return }
    var requests = FilterMessage.begin.bytes(first)
    for message in messages { requests += message }
    let last = first &+ UInt32(truncatingIfNeeded: messages.count + 1)
    try send(requests + FilterMessage.end.bytes(last), .replace)
    var pending = messages.count
    while pending > 0 {
      for message in try receive(.replace, until: deadline)
      where message.sequence &- first <= last &- first {
        if let refusal = try refusal(message, of: .replace) { throw refusal }
        pending -= 1
      }
    }
  }
}
