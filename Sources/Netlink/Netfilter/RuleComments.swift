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
    return try uses(
      .readChain(chain, table: table), messages.readChain(chain), FilterMessages.chainType,
      Attribute<FilterChainSpace, NetworkInteger>.uses, until: deadline)
  }

  /// How many chains, sets and maps a table of the family `inet` has; nil where there is none.
  public func uses(ofTable table: String, until deadline: Deadline) throws(FilterError) -> UInt32? {
    let messages = FilterMessages(table: FilterTable(.inet, table, []))
    return try uses(
      .readTable(table), messages.readTable, FilterMessages.tableType,
      Attribute<FilterTableSpace, NetworkInteger>.uses, until: deadline)
  }

  private func uses<Space>(
    _ request: FilterRequest, _ message: FilterMessage, _ answer: UInt16,
    _ key: Attribute<Space, NetworkInteger>, until deadline: Deadline
  ) throws(FilterError) -> UInt32? {
    var found = WholeAnswer()
    do throws(FilterError) {
      try ask(request, message, answer: answer, &found, until: deadline)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw error
    }
    do throws(NetlinkError) {
      guard let body = found.bodies.first else { return 0 }
      return try Attributes<Space>(body)[key]?.value ?? 0
    } catch { throw .malformed(request, error) }
  }
}

/// The comments of rules.
private struct RuleComments: NetfilterReader {
  private(set) var texts: [String] = []

  mutating func read(_ body: ArraySlice<UInt8>) throws(NetlinkError) {
    let attributes = try Attributes<FilterRuleSpace>(body)
    if let text = try attributes[.userData]?.comment { texts.append(text) }
  }
  mutating func startAgain() { texts = [] }
}
