internal import CLinux
public import Linux

// What costs the same however many rules there are elsewhere: nft(8) reads all elements of a table
// before it lists one chain.

extension NetfilterSocket {
  /// The comments of the rules of a chain of a table of the family `inet`, in their order; none
  /// where there is no such chain.
  public func comments(ofRulesIn chain: String, table: String, until deadline: Deadline)
    throws(FilterError) -> [String]
  {
    try rules(ofChain: chain, table: table, until: deadline).compactMap { $0 }
  }

  /// The comments of the rules of such a chain, nil for each rule that has none.
  public func rules(ofChain chain: String, table: String, until deadline: Deadline)
    throws(FilterError) -> [String?]
  {
    let messages = FilterMessages(table: FilterTable(.inet, table, []))
    var comments = RuleComments()
    do throws(FilterError) {
      try ask(
        .listRules(chain: chain, table: table), messages.listRules(of: chain),
        answer: FilterMessages.ruleType, &comments, until: deadline)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return [] }
      throw error
    }
    return comments.texts
  }

  /// How many rules a chain of a table of the family `inet` has, and how many rules and elements
  /// lead to it, together; nil where there is no such chain.
  public func uses(ofChain chain: String, table: String, until deadline: Deadline)
    throws(FilterError) -> UInt32?
  {
    let messages = FilterMessages(table: FilterTable(.inet, table, []))
    return try number(
      .readChain(chain, table: table), messages.readChain(chain), FilterMessages.chainType,
      Attribute<FilterChainSpace, NetworkInteger>.uses, until: deadline)
  }

  /// The place of a chain of a table of the family `inet`; nil where there is no such chain, or
  /// other chains lead to it.
  public func place(ofChain chain: String, table: String, until deadline: Deadline)
    throws(FilterError) -> ReportedPlace?
  {
    let messages = FilterMessages(table: FilterTable(.inet, table, []))
    let request = FilterRequest.readChain(chain, table: table)
    let found = try object(
      request, messages.readChain(chain), FilterMessages.chainType, until: deadline)
    guard let found else { return nil }
    do throws(NetlinkError) {
      let attributes = try Attributes<FilterChainSpace>(found)
      guard let hook = try attributes[.hook] else { return nil }
      return ReportedPlace(
        type: try attributes[.type] ?? "", hook: try hook[.number]?.value ?? 0,
        priority: Int32(bitPattern: try hook[.priority]?.value ?? 0),
        accepts: try attributes[.policy]?.value == 1)
    } catch { throw .malformed(request, error) }
  }

  /// Whether a table of the family `inet` is switched off, so that no packet meets its rules; nil
  /// where there is none.
  public func isDormant(table: String, until deadline: Deadline) throws(FilterError) -> Bool? {
    let messages = FilterMessages(table: FilterTable(.inet, table, []))
    return try number(
      .readTable(table), messages.readTable, FilterMessages.tableType,
      Attribute<FilterTableSpace, NetworkInteger>.flags, until: deadline
    ).map { $0 & 1 != 0 }
  }

  /// How many chains, sets and maps a table of the family `inet` has; nil where there is none.
  public func uses(ofTable table: String, until deadline: Deadline) throws(FilterError) -> UInt32? {
    let messages = FilterMessages(table: FilterTable(.inet, table, []))
    return try number(
      .readTable(table), messages.readTable, FilterMessages.tableType,
      Attribute<FilterTableSpace, NetworkInteger>.uses, until: deadline)
  }

  private func number<Space>(
    _ request: FilterRequest, _ message: FilterMessage, _ answer: UInt16,
    _ key: Attribute<Space, NetworkInteger>, until deadline: Deadline
  ) throws(FilterError) -> UInt32? {
    let found = try object(request, message, answer, until: deadline)
    guard let found else { return nil }
    do throws(NetlinkError) {
      return try Attributes<Space>(found)[key]?.value ?? 0
    } catch { throw .malformed(request, error) }
  }

  /// The one thing that is asked about; nil where it is not there.
  func object(
    _ request: FilterRequest, _ message: FilterMessage, _ answer: UInt16, until deadline: Deadline
  ) throws(FilterError) -> ArraySlice<UInt8>? {
    var found = WholeAnswer()
    do throws(FilterError) {
      try ask(request, message, answer: answer, &found, until: deadline)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw error
    }
    return found.bodies.first
  }
}

/// Where the kernel reports a chain that packets get to without a jump.
public struct ReportedPlace: Hashable, Sendable {
  /// `filter`, `nat` or `route`.
  public let type: String
  /// `NF_INET_…` of linux/netfilter.h
  public let hook: UInt32
  /// Lower ones come first.
  public let priority: Int32
  /// Whether a packet is accepted that no rule decides.
  public let accepts: Bool

  /// A place.
  public init(type: String, hook: UInt32, priority: Int32, accepts: Bool) {
    self.type = type
    self.hook = hook
    self.priority = priority
    self.accepts = accepts
  }
}

/// The comments of rules.
private struct RuleComments: NetfilterReader {
  private(set) var texts: [String?] = []

  mutating func read(_ body: ArraySlice<UInt8>) throws(NetlinkError) {
    let attributes = try Attributes<FilterRuleSpace>(body)
    texts.append(try attributes[.userData]?.comment)
  }
  mutating func startAgain() { texts = [] }
}
