internal import CLinux

/// The messages of nfnetlink about one table.
struct FilterMessages {
  let table: FilterTable

  /// `struct nfgenmsg`: family, version 0, and a number that is used for a batch only.
  static func header(_ family: UInt8) -> [UInt8] { [family, UInt8(NFNETLINK_V0), 0, 0] }
  var header: [UInt8] { Self.header(table.family.rawValue) }
  static let headerSize = 4

  static let tableType = FilterMessage(NFT_MSG_NEWTABLE, 0, []).type
  static let chainType = FilterMessage(NFT_MSG_NEWCHAIN, 0, []).type
  static let ruleType = FilterMessage(NFT_MSG_NEWRULE, 0, []).type

  private var named: AttributeWriter<FilterTableSpace> {
    var writer = AttributeWriter<FilterTableSpace>(header)
    writer.put(.name, table.name)
    return writer
  }

  // MARK: - Reading

  /// Asks for the table.
  var readTable: FilterMessage { FilterMessage(NFT_MSG_GETTABLE, 0, named.bytes) }

  /// Asks for all tables of the family.
  var listTables: FilterMessage { FilterMessage(NFT_MSG_GETTABLE, NLM_F_DUMP, header) }

  /// Asks for all chains of the family.
  var listChains: FilterMessage { FilterMessage(NFT_MSG_GETCHAIN, NLM_F_DUMP, header) }

  /// Asks for a chain.
  func readChain(_ chain: String) -> FilterMessage {
    FilterMessage(NFT_MSG_GETCHAIN, 0, named(chain).bytes)
  }

  /// Asks for all rules of a chain; nil: of all chains.
  func listRules(of chain: String? = nil) -> FilterMessage {
    FilterMessage(NFT_MSG_GETRULE, NLM_F_DUMP, named(ruleOf: chain).bytes)
  }

  /// Why the table that the kernel reports is not this one; nil if it is.
  func tableDeviation(_ body: ArraySlice<UInt8>) throws(NetlinkError) -> String? {
    let attributes = try Attributes<FilterTableSpace>(body.dropFirst(Self.headerSize))
    if try attributes[.flags]?.value ?? 0 != 0 { return "\(table) has flags" }
    let hasAll = try attributes[.uses].map { Int($0.value) == table.chains.count } ?? true
    return hasAll ? nil : "\(table) has other chains"
  }

  /// Why the chain that the kernel reports is not `chain`; nil if it is.
  func deviation(of chain: FilterChain, _ body: ArraySlice<UInt8>) throws(NetlinkError)
    -> String?
  {
    let attributes = try Attributes<FilterChainSpace>(body.dropFirst(Self.headerSize))
    let (type, policy) = (try attributes[.type], try attributes[.policy]?.value)
    let hook = try attributes[.hook]
    let (number, priority) = (try hook?[.number]?.value, try hook?[.priority]?.value)
    // A link that is gone has left a hook without it.
    let device = try hook?[.device]
    let isEqual =
      if let place = chain.place {
        type == "filter" && policy == place.policy && number == place.hook.number
          && priority == UInt32(bitPattern: place.priority) && device == place.hook.device
      } else { hook == nil }
    return isEqual ? nil : "chain \(chain.name) of \(table) is not at its place"
  }

  // MARK: - Writing

  /// Makes the table in place of one of its name: there is always one, with all its rules.
  var replacement: [FilterMessage] {
    // The kernel deletes only what is there.
    let present = FilterMessage(NFT_MSG_NEWTABLE, NLM_F_CREATE, named.bytes)
    return [present, deletion] + creation()
  }

  /// Deletes the table with all that is in it.
  var deletion: FilterMessage { FilterMessage(NFT_MSG_DELTABLE, 0, named.bytes) }

  /// Makes the table, `hooked` with its chains at their places; where it `isNew`, only if there is
  /// none of its name.
  func creation(hooked: Bool = true, isNew: Bool = false) -> [FilterMessage] {
    var writer = named
    writer.put(.userData, table.comment.map { Octets(comment: $0, atMost: 250) })
    let flags = NLM_F_CREATE | (isNew ? NLM_F_EXCL : 0)
    var messages = [FilterMessage(NFT_MSG_NEWTABLE, flags, writer.bytes)]
    for chain in table.chains {
      messages.append(
        FilterMessage(NFT_MSG_NEWCHAIN, NLM_F_CREATE, content(chain, hooked: hooked)))
    }
    for chain in table.chains {
      messages += chain.rules.map { addition($0, to: chain.name) }
    }
    return messages
  }

  func named(_ chain: String) -> AttributeWriter<FilterChainSpace> {
    var writer = AttributeWriter<FilterChainSpace>(header)
    writer.put(.table, table.name)
    writer.put(.name, chain)
    return writer
  }

  private func content(_ chain: FilterChain, hooked: Bool) -> [UInt8] {
    var writer = named(chain.name)
    guard let place = chain.place, hooked else { return writer.bytes }
    writer.nest(.hook) {
      $0.put(.number, NetworkInteger(place.hook.number))
      $0.put(.priority, NetworkInteger(UInt32(bitPattern: place.priority)))
      $0.put(.device, place.hook.device)
    }
    writer.put(.policy, NetworkInteger(place.policy))
    writer.put(.type, "filter")
    return writer.bytes
  }

  /// Puts a rule at the end of a chain.
  func addition(_ rule: FilterRule, to chain: String) -> FilterMessage {
    FilterMessage(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, content(rule, in: chain))
  }

  /// Puts a rule at the beginning of a chain that is there.
  func insertion(_ rule: FilterRule, into chain: String) -> FilterMessage {
    FilterMessage(NFT_MSG_NEWRULE, NLM_F_CREATE, content(rule, in: chain))
  }

  /// Deletes the rule of a chain that the kernel knows by `handle`.
  func deletion(_ handle: UInt64, in chain: String) -> FilterMessage {
    var writer = named(ruleOf: chain)
    writer.put(.handle, BigEndian(handle))
    return FilterMessage(NFT_MSG_DELRULE, 0, writer.bytes)
  }

  func named(ruleOf chain: String?) -> AttributeWriter<FilterRuleSpace> {
    var writer = AttributeWriter<FilterRuleSpace>(header)
    writer.put(.table, table.name)
    writer.put(.chain, chain)
    return writer
  }

  private func content(_ rule: FilterRule, in chain: String) -> [UInt8] {
    var writer = named(ruleOf: chain)
    writer.nest(.expressions) { list in
      for expression in rule.expressions {
        list.nest(.element) { expression.encode(into: &$0) }
      }
    }
    writer.put(.userData, rule.userData)
    return writer.bytes
  }
}

/// A request to a subsystem of nfnetlink, or a step of a transaction.
struct FilterMessage {
  /// `nlmsg_type`: the subsystem, and the message's own number.
  let type: UInt16
  /// `NLM_F_…`
  let flags: CInt
  /// Header of nfnetlink, and attributes.
  let content: [UInt8]

  init(_ number: nf_tables_msg_types, _ flags: CInt, _ content: [UInt8]) {
    self.init(NFNL_SUBSYS_NFTABLES, number.rawValue, flags, content)
  }

  /// - Parameters:
  ///   - subsystem: `NFNL_SUBSYS_…`
  ///   - number: Of the message in its subsystem.
  init(_ subsystem: CInt, _ number: UInt32, _ flags: CInt, _ content: [UInt8]) {
    type = UInt16(truncatingIfNeeded: subsystem) << 8 | UInt16(truncatingIfNeeded: number)
    self.flags = flags
    self.content = content
  }

  private init(batch type: UInt16) {
    self.type = type
    flags = 0
    // The number of the subsystem, in network byte order.
    content = [0, 0, 0, UInt8(NFNL_SUBSYS_NFTABLES)]
  }

  /// Begins a transaction.
  static let begin = FilterMessage(batch: UInt16(NLMSG_MIN_TYPE))
  /// Ends a transaction, and has it done.
  static let end = FilterMessage(batch: UInt16(NLMSG_MIN_TYPE) + 1)

  func bytes(_ sequence: UInt32, isAcknowledged: Bool = false) -> [UInt8] {
    NetlinkSocket.message(
      type, flags: NLM_F_REQUEST | flags | (isAcknowledged ? NLM_F_ACK : 0), sequence: sequence,
      content)
  }
}

/// A rule as the kernel reports it.
struct ReportedRule {
  let table: String
  let chain: String
  /// Nil if one of them is of a kind that this module does not write.
  let expressions: [FilterExpression]?

  init(_ body: ArraySlice<UInt8>) throws(NetlinkError) {
    let attributes = try Attributes<FilterRuleSpace>(body)
    table = try attributes[.table] ?? ""
    chain = try attributes[.chain] ?? ""
    var expressions: [FilterExpression]? = []
    let list = attributes.payload(UInt16(NFTA_RULE_EXPRESSIONS.rawValue)) ?? []
    var cursor = AttributeCursor(list)
    while let element = try cursor.next() {
      let expression = try FilterExpression(Attributes(list[element.payload]))
      if let expression { expressions?.append(expression) } else { expressions = nil }
    }
    self.expressions = expressions
  }

  /// How many packets its counters have counted.
  var packets: UInt64 {
    var sum: UInt64 = 0
    for case .counter(let packets) in expressions ?? [] { sum &+= packets }
    return sum
  }
}
