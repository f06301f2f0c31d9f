internal import CLinux
public import Linux

/// A socket of nfnetlink (linux/netfilter/nfnetlink.h) in the namespace it was made in. It reads
/// and writes tables of the packet filter without a process of nft(8), and knows the flows that the
/// kernel tracks.
public final class NetfilterSocket {
  var socket: NetlinkSocket

  /// Makes a socket in the namespace of this process.
  public init() throws(FilterError) {
    do { socket = try NetlinkSocket(.netfilter) } catch { throw .system(.open, error) }
  }

  /// Makes a socket in `namespace`.
  public init(in namespace: borrowing NetworkNamespace) throws(FilterError) {
    do { socket = try NetlinkSocket(.netfilter, in: namespace) } catch {
      throw .system(.open, error)
    }
  }

  /// Puts `tables` there, in place of what has their names, in one transaction: a packet meets the
  /// old rules or the new ones.
  ///
  /// Tables of which none is there are only made: where the kernel deletes one, close(2) of this
  /// socket waits until no processor uses it, some 10 ms.
  public func replace(_ tables: [FilterTable], until deadline: Deadline) throws(FilterError) {
    let messages = tables.map { FilterMessages(table: $0) }
    var areNew = true
    for each in tables where areNew {
      areNew = try table(each.family, each.name, until: deadline) == nil
    }
    if areNew {
      do throws(FilterError) {
        try transact(.replace, messages.flatMap { $0.creation(isNew: true) }, until: deadline)
        return
      } catch { if error.errno != .fileExists { throw error } }
    }
    try transact(.replace, messages.flatMap { $0.replacement }, until: deadline)
  }

  /// Deletes the table with all that is in it; false if there is none.
  @discardableResult
  public func delete(_ family: FilterTable.Family, _ name: String, until deadline: Deadline)
    throws(FilterError) -> Bool
  {
    let messages = FilterMessages(table: FilterTable(family, name, []))
    do throws(FilterError) {
      try transact(
        .delete("\(messages.table)"), [messages.deletion], until: deadline)
      return true
    } catch {
      if error.errno == .noSuchFileOrDirectory { return false }
      throw error
    }
  }

  /// Throws if the kernel would not make `table`; changes nothing. The places of its chains are
  /// left out: for a moment they would be taken.
  public func test(_ table: FilterTable, until deadline: Deadline) throws(FilterError) {
    let messages = FilterMessages(table: table).creation(hooked: false)
    try transact(.test, messages, commits: false, until: deadline)
  }

  /// Sends one transaction. The kernel says which messages it refuses, and then whether the last
  /// one was in order. A transaction without its end is checked, and undone.
  func transact(
    _ request: FilterRequest, _ messages: [FilterMessage], commits: Bool = true,
    until deadline: Deadline
  ) throws(FilterError) {
    guard !messages.isEmpty else { return }
    let first = socket.takeSequence(messages.count + 2)
    let last = first &+ UInt32(truncatingIfNeeded: messages.count)
    var bytes = FilterMessage.begin.bytes(first)
    for (position, message) in messages.enumerated() {
      let sequence = first &+ UInt32(truncatingIfNeeded: position + 1)
      bytes += message.bytes(sequence, isAcknowledged: sequence == last)
    }
    if commits { bytes += FilterMessage.end.bytes(last &+ 1) }
    // A transaction is one datagram, and may be larger than what a socket takes by itself.
    if bytes.count > 128 << 10 {
      do { try socket.descriptor.setOption(SOL_SOCKET, SO_SNDBUFFORCE, 8 << 20) } catch {}
    }
    // It says why of each message that it refuses, and is not heard where the socket is full.
    if messages.count > 100 {
      let size = CInt(clamping: messages.count * 2048)
      do { try socket.descriptor.setOption(SOL_SOCKET, SO_RCVBUFFORCE, size) } catch {}
    }
    try send(bytes, request)
    var failure: FilterError?
    while true {
      for message in try receive(request, until: deadline)
      where message.sequence &- first <= last &- first {
        if let refusal = try refusal(message, of: request) { failure = failure ?? refusal }
        // That the whole was refused is said about its beginning, and nothing after that.
        guard message.sequence == last || message.sequence == first else { continue }
        if let failure { throw failure }
        return
      }
    }
  }

  // MARK: - Messages

  func send(_ requests: [UInt8], _ request: FilterRequest) throws(FilterError) {
    do { try socket.send(requests) } catch { throw .system(request, error) }
  }

  /// The messages of the kernel's next datagram.
  func receive(_ request: FilterRequest, until deadline: Deadline) throws(FilterError)
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
  func refusal(_ message: Message, of request: FilterRequest) throws(FilterError)
    -> FilterError?
  {
    do throws(NetlinkError) {
      let answer = try Acknowledgement(message)
      return answer.errno.map { .refused(request, $0, words: answer.words) }
    } catch { throw .malformed(request, error) }
  }
}
