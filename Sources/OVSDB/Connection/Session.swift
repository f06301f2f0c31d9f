internal import JSON
internal import Linux

/// A JSON-RPC session with an ovsdb-server (RFC 7047 §4), which knows no database.
///
/// Requests are pipelined: what is sent goes out together with the next `flush` or wait, before any
/// answer is read, and answers find their requests whatever comes between. Waiting is the only time
/// at which the connection reads, and then it also answers the server's `echo`. With
/// `CNI_TRACE=ovsdb` in the environment every text is written to standard error.
final class Session {
  /// The server.
  let endpoint: Endpoint
  /// Bytes; a longer text of the server is refused.
  var textLimit = 8 << 20

  private let descriptor: FileDescriptor
  let isTraced: Bool
  /// Whether monitors are asked for with conditions, which ovsdb-server knows since 2.6.
  var hasConditionalMonitors = true
  var conditionalMonitorMethod = "monitor_cond"
  var monitors: [Int64: MonitorState] = [:]

  private var splitter = JSONTextSplitter()
  private var output: ArraySlice<UInt8> = []
  private var sendError: SystemError?
  /// Bytes since the connection was made: those sent and those waiting in `output`.
  private var sentCount = 0
  private var queuedCount = 0
  private var lastID: Int64 = 0
  var lastMonitorID: Int64 = 0
  var unanswered: Set<Int64> = []
  var unwanted: Set<Int64> = []
  var answers: [Int64: JSONValue] = [:]

  /// Connects to `endpoint`.
  init(_ endpoint: Endpoint, until deadline: Deadline) throws(OVSDBError) {
    isTraced = Process.isTraced("ovsdb")
    self.endpoint = endpoint
    do throws(SystemError) { descriptor = try endpoint.connect(until: deadline) } catch {
      throw .cannotConnect(endpoint, error)
    }
  }

  // MARK: - Requests

  typealias Request = SessionRequest

  /// Queues a request.
  func enqueue(_ method: String, _ parameters: [JSONValue], changes: Bool = false) -> Request {
    lastID += 1
    unanswered.insert(lastID)
    enqueue([
      "method": .string(method), "params": .array(parameters), "id": .integer(lastID),
    ])
    return Request(id: lastID, method: method, changes: changes, end: queuedCount)
  }

  /// Queues a request whose answer will not be asked for.
  func enqueueUnwanted(_ method: String, _ parameters: [JSONValue]) {
    unwanted.insert(enqueue(method, parameters).id)
  }

  func enqueue(_ message: JSONValue) {
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
  func flush() {
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
      var events: [Readiness] = [.readable(descriptor.rawValue)]
      if !output.isEmpty, sendError == nil { events.append(.writable(descriptor.rawValue)) }
      guard let index = try Linux::wait(for: events, until: deadline) else { return false }
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
      throw violation("a text of more than \(textLimit) bytes")
    }
    return true
  }

  private func effect(of request: Request?) -> OVSDBError.Effect {
    guard let request else { return .certain }
    return request.changes && sentCount >= request.end ? .possible : .none
  }

  func violation(_ what: String) -> OVSDBError { .protocolViolation(endpoint, what) }
}
