internal import CLinux
public import Linux

/// A socket of nfnetlink (linux/netfilter/nfnetlink.h) in the namespace it was made in. It reads and
/// writes fixed tables of the packet filter without a process of nft(8).
public final class NetfilterSocket {
  private var socket: NetlinkSocket

  /// Makes a socket in the namespace of this process.
  public init() throws(FilterError) {
    do { socket = try NetlinkSocket(.netfilter) } catch { throw .system(.open, error) }
  }

  /// How the packet filter differs from `tables`; nil where it has all of them, and nothing more in
  /// their chains.
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

  /// Puts `tables` there, in place of what has their names, in one transaction: a packet meets the
  /// old rules or the new ones.
  public func replace(_ tables: [FilterTable], until deadline: Deadline) throws(FilterError) {
    try change(tables, until: deadline)
  }

  // MARK: - Reading

  /// Compares the tables and chains by themselves: all questions go in one system call.
  private func frameDeviation(of wanted: [FilterMessages], until deadline: Deadline)
    throws(FilterError) -> String?
  {
    let first = socket.takeSequence(2 * wanted.count)
    var requests: [UInt8] = []
    for (position, messages) in wanted.enumerated() {
      let sequence = first &+ UInt32(truncatingIfNeeded: 2 * position)
      requests += messages.readTable(sequence) + messages.readChain(sequence &+ 1)
    }
    try send(requests, .read)
    var deviation: String?
    var pending = 2 * wanted.count
    while pending > 0 {
      for message in try receive(.read, until: deadline) {
        let position = Int(message.sequence &- first)
        guard wanted.indices.contains(position / 2) else { continue }
        pending -= 1
        let found = try difference(wanted[position / 2], message)
        deviation = deviation ?? found
      }
    }
    return deviation
  }

  /// How the table or chain in `message` differs from the wanted one; nil if it does not.
  private func difference(_ wanted: FilterMessages, _ message: Message) throws(FilterError)
    -> String?
  {
    do throws(NetlinkError) {
      switch message.type {
      case FilterMessages.tableType: return try wanted.tableDeviation(message.body)
      case FilterMessages.chainType: return try wanted.chainDeviation(message.body)
      default: break
      }
    } catch { throw .malformed(.read, error) }
    if let refusal = try refusal(message, of: .read),
      refusal.errno != .noSuchFileOrDirectory
    {
      throw refusal
    }
    return "there is no \(wanted.table)"
  }

  /// Compares the rules of the chain.
  private func ruleDeviation(of wanted: FilterMessages, until deadline: Deadline)
    throws(FilterError) -> String?
  {
    while !deadline.hasPassed {
      if let rules = try rules(of: wanted, until: deadline) {
        return rules == wanted.table.rules.map { $0.expressions }
          ? nil : "chain \(wanted.table.chain) of \(wanted.table) has other rules"
      }
    }
    throw .timedOut(.read)
  }

  /// The rules as they are, nil for one with other expressions than this module writes; nil as a
  /// whole if they changed while they were read.
  private func rules(of wanted: FilterMessages, until deadline: Deadline) throws(FilterError)
    -> [[FilterExpression]?]?
  {
    let sequence = socket.takeSequence(1)
    try send(wanted.listRules(sequence), .read)
    var rules: [[FilterExpression]?] = []
    var isWhole = true
    while true {
      for message in try receive(.read, until: deadline) where message.sequence == sequence {
        if message.flags & UInt16(NLM_F_DUMP_INTR) != 0 { isWhole = false }
        guard message.type == FilterMessages.ruleType else {
          if let refusal = try refusal(message, of: .read) { throw refusal }
          return isWhole ? rules : nil
        }
        do { rules.append(try FilterMessages.expressions(message.body)) } catch {
          throw .malformed(.read, error)
        }
      }
    }
  }

  // MARK: - Writing

  private func change(_ tables: [FilterTable], until deadline: Deadline) throws(FilterError) {
    let first = socket.takeSequence(1)
    var requests = FilterMessages.batch(end: false, first)
    for table in tables {
      requests += FilterMessages(table: table).replacement { socket.takeSequence(1) }
    }
    // The kernel acknowledges each rule when all is done, or says which message it refuses.
    var pending = tables.reduce(0) { $0 + $1.rules.count }
    let last = socket.takeSequence(1)
    try send(requests + FilterMessages.batch(end: true, last), .replace)
    while pending > 0 {
      for message in try receive(.replace, until: deadline)
      where message.sequence &- first <= last &- first {
        if let refusal = try refusal(message, of: .replace) { throw refusal }
        pending -= 1
      }
    }
  }

  // MARK: - Messages

  private func send(_ requests: [UInt8], _ request: FilterRequest) throws(FilterError) {
    do { try socket.send(requests) } catch { throw .system(request, error) }
  }

  /// The messages of the kernel's next datagram.
  private func receive(_ request: FilterRequest, until deadline: Deadline) throws(FilterError)
    -> [Message]
  {
    let datagram: [UInt8]?
    do { datagram = try socket.receive(until: deadline) } catch { throw .system(request, error) }
    guard let datagram else { throw .timedOut(request) }
    var messages: [Message] = []
    var cursor = MessageCursor(datagram)
    do throws(NetlinkError) {
      while let message = try cursor.next() { messages.append(message) }
    } catch { throw .malformed(request, error) }
    return messages
  }

  /// What an acknowledgement refuses; nil if it says that all went well.
  private func refusal(_ message: Message, of request: FilterRequest) throws(FilterError)
    -> FilterError?
  {
    do throws(NetlinkError) {
      let answer = try Acknowledgement(message)
      return answer.errno.map { .refused(request, $0, words: answer.words) }
    } catch { throw .malformed(request, error) }
  }
}
