internal import CLinux
public import Linux

extension NetfilterSocket {
  /// How the packet filter differs from `tables`; nil where it has all of them, and nothing more in
  /// them.
  public func deviation(of tables: [FilterTable], until deadline: Deadline) throws(FilterError)
    -> String?
  {
    let wanted = tables.map { FilterMessages(table: $0) }
    if let deviation = try frameDeviation(of: wanted, until: deadline) { return deviation }
    for messages in wanted {
      if let deviation = try ruleDeviation(of: messages, until: deadline) { return deviation }
    }
    return nil
  }

  /// What one question is about.
  private enum Subject {
    case table(FilterMessages)
    case chain(FilterChain, FilterMessages)

    func request(_ sequence: UInt32) -> [UInt8] {
      switch self {
      case .table(let messages): messages.readTable.bytes(sequence)
      case .chain(let chain, let messages): messages.readChain(chain.name).bytes(sequence)
      }
    }

    /// How what the kernel reports differs; nil if it does not, or reports something else.
    func deviation(_ message: Message) throws(NetlinkError) -> String? {
      switch self {
      case .table(let messages): try messages.tableDeviation(message.body)
      case .chain(let chain, let messages): try messages.deviation(of: chain, message.body)
      }
    }

    var absence: String {
      switch self {
      case .table(let messages): "there is no \(messages.table)"
      case .chain(let chain, let messages): "\(messages.table) has no chain \(chain.name)"
      }
    }
  }

  /// The most that is asked in one system call: the answers wait in the socket, up to 8 KiB each.
  private static let mostQuestions = 16

  /// Compares the tables and chains by themselves: many questions go in one system call.
  private func frameDeviation(of wanted: [FilterMessages], until deadline: Deadline)
    throws(FilterError) -> String?
  {
    var subjects: [Subject] = []
    for messages in wanted {
      subjects.append(.table(messages))
      for chain in messages.table.chains { subjects.append(.chain(chain, messages)) }
    }
    while !subjects.isEmpty {
      let some = Array(subjects.prefix(Self.mostQuestions))
      subjects.removeFirst(some.count)
      if let deviation = try deviation(of: some, until: deadline) { return deviation }
    }
    return nil
  }

  private func deviation(of subjects: [Subject], until deadline: Deadline) throws(FilterError)
    -> String?
  {
    let first = socket.takeSequence(subjects.count)
    var requests: [UInt8] = []
    for (position, subject) in subjects.enumerated() {
      requests += subject.request(first &+ UInt32(truncatingIfNeeded: position))
    }
    try send(requests, .read)
    var deviation: String?
    var pending = subjects.count
    while pending > 0 {
      for message in try receive(.read, until: deadline) {
        let position = Int(message.sequence &- first)
        guard subjects.indices.contains(position) else { continue }
        pending -= 1
        let found = try difference(subjects[position], message)
        deviation = deviation ?? found
      }
    }
    return deviation
  }

  private func difference(_ subject: Subject, _ message: Message) throws(FilterError) -> String? {
    if message.type == FilterMessages.tableType || message.type == FilterMessages.chainType {
      do { return try subject.deviation(message) } catch { throw .malformed(.read, error) }
    }
    if let refusal = try refusal(message, of: .read), refusal.errno != .noSuchFileOrDirectory {
      throw refusal
    }
    return subject.absence
  }

  /// Compares the rules of the chains.
  private func ruleDeviation(of wanted: FilterMessages, until deadline: Deadline)
    throws(FilterError) -> String?
  {
    let table = wanted.table
    var found: [String: [[FilterExpression]?]] = [:]
    for rule in try rules(of: table, until: deadline) {
      found[rule.chain, default: []].append(rule.expressions?.map { $0.uncounted })
    }
    for chain in table.chains {
      if found[chain.name] ?? [] != chain.rules.map({ $0.expressions }) {
        return "chain \(chain.name) of \(table) has other rules"
      }
    }
    return nil
  }

  private func rules(of table: FilterTable, until deadline: Deadline) throws(FilterError)
    -> [ReportedRule]
  {
    var rules: [ReportedRule] = []
    let messages = FilterMessages(table: table)
    for body in try list(messages.listRules(), FilterMessages.ruleType, until: deadline) {
      do throws(NetlinkError) {
        let rule = try ReportedRule(body)
        if rule.table == table.name { rules.append(rule) }
      } catch { throw .malformed(.read, error) }
    }
    return rules
  }

  /// How many packets the counters of a table have counted; nil if there is no such table, or it
  /// has no rules.
  public func packets(
    _ family: FilterTable.Family, _ name: String, until deadline: Deadline
  ) throws(FilterError) -> UInt64? {
    let rules = try rules(of: FilterTable(family, name, []), until: deadline)
    return rules.isEmpty ? nil : rules.reduce(0) { $0 &+ $1.packets }
  }

  /// Name and comment of the table called `name`; nil if there is none.
  public func table(
    _ family: FilterTable.Family, _ name: String, until deadline: Deadline
  ) throws(FilterError) -> FilterTable? {
    let messages = FilterMessages(table: FilterTable(family, name, []))
    let answer = try list(messages.readTable, FilterMessages.tableType, until: deadline)
    guard let body = answer.first else { return nil }
    return try Self.table(family, body)
  }

  /// Names and comments of all tables of the family.
  public func tables(_ family: FilterTable.Family, until deadline: Deadline) throws(FilterError)
    -> [FilterTable]
  {
    var tables: [FilterTable] = []
    let messages = FilterMessages(table: FilterTable(family, "", []))
    for body in try list(messages.listTables, FilterMessages.tableType, until: deadline) {
      if let table = try Self.table(family, body) { tables.append(table) }
    }
    return tables
  }

  private static func table(_ family: FilterTable.Family, _ body: ArraySlice<UInt8>)
    throws(FilterError) -> FilterTable?
  {
    do throws(NetlinkError) {
      let attributes = try Attributes<FilterTableSpace>(body)
      guard let name = try attributes[.name] else { return nil }
      return FilterTable(family, name, comment: try attributes[.userData]?.comment, [])
    } catch { throw .malformed(.read, error) }
  }

  /// What the kernel reports; nothing where what is asked about is not there.
  func list(_ message: FilterMessage, _ answer: UInt16, until deadline: Deadline)
    throws(FilterError) -> [ArraySlice<UInt8>]
  {
    var found = WholeAnswer()
    do throws(FilterError) {
      try ask(.read, message, answer: answer, &found, until: deadline)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return [] }
      throw error
    }
    return found.bodies
  }
}
