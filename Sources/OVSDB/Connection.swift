internal import JSON
public import Linux

/// A JSON-RPC connection to an ovsdb-server (RFC 7047 §4), to the database `Open_vSwitch`.
///
/// Requests are pipelined: what is sent goes out together with the next `flush` or wait, before any
/// answer is read, and answers find their requests whatever comes between. Waiting is the only time
/// at which the connection reads, and then it also answers the server's `echo`. With
/// `CNI_TRACE=ovsdb` in the environment every text is written to standard error.
public final class Connection {
  /// The server.
  public let endpoint: Endpoint
  /// Octets; a longer text of the server is refused.
  var textLimit = 64 << 20
  static let database: JSONValue = "Open_vSwitch"

  private let descriptor: FileDescriptor
  private let isTraced: Bool
  /// Whether monitors are asked for with conditions, which ovsdb-server knows since 2.6.
  var hasConditionalMonitors = true
  var conditionalMonitorMethod = "monitor_cond"
  var monitors: [Int64: MonitorState] = [:]

  private var splitter = JSONTextSplitter()
  private var output: ArraySlice<UInt8> = []
  private var sendError: SystemError?
  /// Octets since the connection was made: those sent and those waiting in `output`.
  private var sentCount = 0
  private var queuedCount = 0
  private var lastID: Int64 = 0
  var lastMonitorID: Int64 = 0
  private var unanswered: Set<Int64> = []
  private var unwanted: Set<Int64> = []
  private var answers: [Int64: JSONValue] = [:]

  /// Connects to `endpoint`.
  public init(_ endpoint: Endpoint, until deadline: Deadline) throws(OVSDBError) {
    isTraced = Process.isTraced("ovsdb")
    self.endpoint = endpoint
    do throws(SystemError) { descriptor = try endpoint.connect(until: deadline) } catch {
      throw .cannotConnect(endpoint, error)
    }
  }

  // MARK: - Transactions

  /// A transaction that was handed over, and whose answer was not read yet.
  public struct PendingTransaction {
    let request: Request
    let transaction: Transaction
  }

  /// Queues `transaction`; it leaves with the next `flush` or wait.
  public func send(_ transaction: Transaction) -> PendingTransaction {
    let changes = transaction.operations.contains { operation in
      switch operation.kind {
      case .insert, .update, .mutate, .delete: true
      case .select, .wait, .abort, .comment: false
      }
    }
    let request = enqueue(
      "transact", [Self.database] + transaction.operations.map { $0.json }, changes: changes)
    return PendingTransaction(request: request, transaction: transaction)
  }

  /// Waits for the answer of the server, which says that `pending` took effect; if it was refused
  /// that is `transactionRefused`.
  public func results(of pending: PendingTransaction, until deadline: Deadline)
    throws(OVSDBError) -> TransactionResults
  {
    let operations = pending.transaction.operations
    let result = try answer(
      to: pending.request, until: deadline,
      "the answer to transact (\(pending.transaction.summary))")
    guard case .array(let elements) = result else {
      throw violation("the result of transact is not an array")
    }
    var results: [OperationResult] = []
    for (index, element) in elements.enumerated() {
      if element["error"] != nil, let refusal = Refusal(element) {
        throw .transactionRefused(
          TransactionRefusal(
            index: index, operation: index < operations.count ? operations[index] : nil,
            summary: pending.transaction.summary, refusal: refusal))
      }
      guard let result = OperationResult(element) else {
        throw violation("result \(index) of transact is not one")
      }
      results.append(result)
    }
    guard results.count == operations.count else {
      throw violation("\(results.count) results for \(operations.count) operations")
    }
    return TransactionResults(all: results)
  }

  /// Runs `transaction`; a refusal of the server is `transactionRefused`.
  public func transact(_ transaction: Transaction, until deadline: Deadline) throws(OVSDBError)
    -> TransactionResults
  {
    try results(of: send(transaction), until: deadline)
  }

  /// Runs `operations` as one transaction and answers their results in the same order; a refusal
  /// of the server is `transactionRefused`.
  public func transact(_ operations: [Operation], until deadline: Deadline) throws(OVSDBError)
    -> [OperationResult]
  {
    try transact(Transaction(operations), until: deadline).all
  }

  // MARK: - Requests

  /// A request and what is at stake with it.
  struct Request: Hashable, Sendable {
    let id: Int64
    let method: String
    /// Whether the server may change the database when it has all of the request.
    let changes: Bool
    /// The last octet of the request, counted from the start of the connection.
    let end: Int
  }

  /// Queues a request.
  func enqueue(_ method: String, _ parameters: [JSONValue], changes: Bool = false) -> Request {
    lastID += 1
    unanswered.insert(lastID)
    enqueue([
      "method": .string(method), "params": .array(parameters), "id": .integer(lastID),
    ])
    return Request(id: lastID, method: method, changes: changes, end: queuedCount)
  }

  /// Queues a request whose answer nobody will ask for.
  func enqueueUnwanted(_ method: String, _ parameters: [JSONValue]) {
    unwanted.insert(enqueue(method, parameters).id)
  }

  private func enqueue(_ message: JSONValue) {
    let text = message.encoded()
    trace("-> ", text)
    output += text
    queuedCount += text.count
  }

  /// Waits for the answer to `request`: its result, which may be null.
  func answer(
    to request: Request, until deadline: Deadline, _ purpose: @autoclosure () -> String
  ) throws(OVSDBError) -> JSONValue {
    try wait(until: deadline, for: purpose(), request) { answers[request.id] != nil }
    guard let answer = answers.removeValue(forKey: request.id) else { return .null }
    guard let error = answer["error"], error != .null else { return answer["result"] ?? .null }
    guard let refusal = Refusal(error) else { throw violation("the error of an answer is not one") }
    throw .requestRefused(method: request.method, refusal)
  }

  /// Sends what is queued, as far as the socket takes it; the rest leaves at the next wait, and
  /// that is where a lost connection shows.
  public func flush() {
    guard sendError == nil, !output.isEmpty else { return }
    let before = output.count
    do throws(SystemError) { try descriptor.sendAvailable(&output) } catch { sendError = error }
    sentCount += before - output.count
    if output.isEmpty { output = [] }
  }

  // MARK: - Waiting

  /// Sends and receives until `isDone`. `request` is at stake meanwhile; a nil one took effect.
  func wait(
    until deadline: Deadline, for purpose: @autoclosure () -> String, _ request: Request?,
    _ isDone: () -> Bool
  ) throws(OVSDBError) {
    var isFirst = true
    while !isDone() {
      // The first time what has already come counts, even past the deadline.
      guard isFirst || !deadline.hasPassed, try exchange(until: deadline, purpose, request) else {
        throw .deadlinePassed(endpoint, waitingFor: purpose(), effect: effect(of: request))
      }
      isFirst = false
    }
  }

  /// Sends what can be sent, and takes in what came; false past the deadline.
  private func exchange(until deadline: Deadline, _ purpose: () -> String, _ request: Request?)
    throws(OVSDBError) -> Bool
  {
    flush()
    var bytes: [UInt8] = []
    do throws(SystemError) {
      var wishes: [Readiness] = [.readable(descriptor.rawValue)]
      if !output.isEmpty, sendError == nil { wishes.append(.writable(descriptor.rawValue)) }
      guard let index = try Linux::wait(for: wishes, until: deadline) else { return false }
      if index > 0 { return true }
      bytes = try descriptor.read()
    } catch {
      if error.errno == .wouldBlock { return true }
      throw .connectionLost(
        endpoint, error, waitingFor: purpose(), effect: effect(of: request))
    }
    guard !bytes.isEmpty else {
      throw .connectionLost(
        endpoint, sendError, waitingFor: purpose(), effect: effect(of: request))
    }
    splitter.append(bytes)
    while let text = splitter.next() { try accept(text) }
    guard splitter.pendingCount <= textLimit else {
      throw violation("a text of more than \(textLimit) octets")
    }
    return true
  }

  private func effect(of request: Request?) -> OVSDBError.Effect {
    guard let request else { return .certain }
    return request.changes && sentCount >= request.end ? .possible : .none
  }

  func violation(_ what: String) -> OVSDBError { .protocolViolation(endpoint, what) }

  // MARK: - What the server sends

  /// Takes in one text.
  func accept(_ text: [UInt8]) throws(OVSDBError) {
    trace("<- ", text)
    let message: JSONValue
    do throws(JSONSyntaxError) { message = try JSONValue(parsing: text) } catch {
      throw violation("not JSON: \(error)")
    }
    guard let method = message["method"], method != .null else {
      try accept(answer: message)
      return
    }
    guard let id = message["id"], id != .null else {
      try accept(notification: method.text ?? "", message["params"]?.array ?? [])
      return
    }
    // RFC 7047 §4.1.11: the server asks for an echo to learn whether this end is alive.
    let isEcho = method.text == "echo"
    enqueue([
      "result": isEcho ? message["params"] ?? .array([]) : .null,
      "error": isEcho ? .null : "unknown method", "id": id,
    ])
    flush()
  }

  private func accept(answer: JSONValue) throws(OVSDBError) {
    guard let id = answer["id"]?.integer, unanswered.remove(id) != nil else {
      throw violation("an answer to nothing that was asked")
    }
    if unwanted.remove(id) != nil { return }
    guard let monitor = monitors.first(where: { $0.value.request.id == id })?.key else {
      answers[id] = answer
      return
    }
    // Updates may follow in the same read, so that the rows are taken in at once.
    try accept(answer, toMonitor: monitor)
  }

  private func accept(notification method: String, _ parameters: [JSONValue]) throws(OVSDBError) {
    guard method == "update" || method == "update2" else { return }
    guard let id = parameters.first?.integer, parameters.count == 2, let updates = parameters.last
    else { throw violation("\(method) has other parameters than a monitor and its updates") }
    // A monitor that was cancelled may still be told what happened before.
    guard monitors[id] != nil else { return }
    guard monitors[id]?.apply(updates) == true else { throw violation("a malformed \(method)") }
  }

  private func trace(_ direction: String, _ text: [UInt8]) {
    guard isTraced else { return }
    try? StandardStream.error.write(Array(direction.utf8) + text.filter { $0 != 0x0a } + [0x0a])
  }
}
