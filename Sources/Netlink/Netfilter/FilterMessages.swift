internal import CLinux

/// The messages of nfnetlink about one table.
struct FilterMessages {
  let table: FilterTable

  /// `struct nfgenmsg`: family, version 0, and a number that is used for a batch only.
  private var header: [UInt8] { [table.family.rawValue, 0, 0, 0] }

  private static func type(_ number: nf_tables_msg_types) -> UInt16 {
    UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(number.rawValue)
  }
  static let tableType = type(NFT_MSG_NEWTABLE)
  static let chainType = type(NFT_MSG_NEWCHAIN)
  static let ruleType = type(NFT_MSG_NEWRULE)

  private func message(
    _ number: nf_tables_msg_types, _ flags: CInt, _ sequence: UInt32, _ content: [UInt8]
  ) -> [UInt8] {
    NetlinkSocket.message(
      Self.type(number), flags: NLM_F_REQUEST | flags, sequence: sequence, content)
  }

  private var named: [UInt8] {
    var writer = AttributeWriter<FilterTableSpace>(header)
    writer.put(.name, table.name)
    return writer.bytes
  }

  // MARK: - Reading

  /// Asks for the table.
  func readTable(_ sequence: UInt32) -> [UInt8] { message(NFT_MSG_GETTABLE, 0, sequence, named) }

  /// Asks for the chain.
  func readChain(_ sequence: UInt32) -> [UInt8] {
    var writer = AttributeWriter<FilterChainSpace>(header)
    writer.put(.table, table.name)
    writer.put(.name, table.chain)
    return message(NFT_MSG_GETCHAIN, 0, sequence, writer.bytes)
  }

  /// Asks for all rules of the chain.
  func listRules(_ sequence: UInt32) -> [UInt8] {
    var writer = AttributeWriter<FilterRuleSpace>(header)
    writer.put(.table, table.name)
    writer.put(.chain, table.chain)
    return message(NFT_MSG_GETRULE, NLM_F_DUMP, sequence, writer.bytes)
  }

  /// Why the table that the kernel reports is not this one; nil if it is.
  func tableDeviation(_ body: ArraySlice<UInt8>) throws(NetlinkError) -> String? {
    let flags = try Attributes<FilterTableSpace>(body.dropFirst(4))[.flags]?.value ?? 0
    return flags == 0 ? nil : "\(table) has flags"
  }

  /// Why the chain that the kernel reports is not this one; nil if it is.
  func chainDeviation(_ body: ArraySlice<UInt8>) throws(NetlinkError) -> String? {
    let attributes = try Attributes<FilterChainSpace>(body.dropFirst(4))
    let (type, policy) = (try attributes[.type], try attributes[.policy]?.value)
    let hook = try attributes[.hook]
    let (number, priority) = (try hook?[.number]?.value, try hook?[.priority]?.value)
    let isEqual =
      type == "filter" && policy == 1 && number == table.hook.number
      && priority == UInt32(bitPattern: table.priority)
    return isEqual ? nil : "chain \(table.chain) of \(table) is not at its place"
  }

  /// The expressions of a rule that the kernel reports; nil if it has others than this module writes.
  static func expressions(_ body: ArraySlice<UInt8>) throws(NetlinkError) -> [FilterExpression]? {
    let attributes = try Attributes<FilterRuleSpace>(body.dropFirst(4))
    guard let list = try attributes.payload(UInt16(NFTA_RULE_EXPRESSIONS.rawValue)) else {
      return []
    }
    var expressions: [FilterExpression] = []
    var cursor = AttributeCursor(list)
    while let element = try cursor.next() {
      guard let expression = try FilterExpression(Attributes(element.payload)) else { return nil }
      expressions.append(expression)
    }
    return expressions
  }

  // MARK: - Writing

  /// Makes the table in place of one of its name: there is always one, with all its rules.
  func replacement(_ takeSequence: () -> UInt32) -> [UInt8] {
    var bytes = message(NFT_MSG_NEWTABLE, NLM_F_CREATE, takeSequence(), named)
    bytes += message(NFT_MSG_DELTABLE, 0, takeSequence(), named)
    bytes += message(NFT_MSG_NEWTABLE, NLM_F_CREATE, takeSequence(), named)
    bytes += message(NFT_MSG_NEWCHAIN, NLM_F_CREATE, takeSequence(), chain)
    for rule in table.rules {
      bytes += message(
        NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, takeSequence(), content(rule))
    }
    return bytes
  }

  private var chain: [UInt8] {
    var writer = AttributeWriter<FilterChainSpace>(header)
    writer.put(.table, table.name)
    writer.put(.name, table.chain)
    writer.nest(.hook) {
      $0.put(.number, NetworkInteger(table.hook.number))
      $0.put(.priority, NetworkInteger(UInt32(bitPattern: table.priority)))
    }
    writer.put(.policy, NetworkInteger(1))
    writer.put(.type, "filter")
    return writer.bytes
  }

  private func content(_ rule: FilterRule) -> [UInt8] {
    var writer = AttributeWriter<FilterRuleSpace>(header)
    writer.put(.table, table.name)
    writer.put(.chain, table.chain)
    writer.nest(.expressions) { list in
      for expression in rule.expressions {
        list.nest(.element) { expression.encode(into: &$0) }
      }
    }
    writer.put(.userData, rule.userData)
    return writer.bytes
  }

  /// The message that begins a transaction, or ends it and has it done.
  static func batch(end: Bool, _ sequence: UInt32) -> [UInt8] {
    let type = UInt16(NLMSG_MIN_TYPE) + (end ? 1 : 0)
    // The number of the subsystem, in network byte order.
    return NetlinkSocket.message(
      type, flags: NLM_F_REQUEST, sequence: sequence, [0, 0, 0, UInt8(NFNL_SUBSYS_NFTABLES)])
  }
}
