internal import JSON
internal import Linux

// What the server sends.

extension Session {
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
    // Changes from before may still arrive for a monitor that was cancelled.
    guard monitors[id] != nil else { return }
    guard monitors[id]?.apply(updates) == true else { throw violation("a malformed \(method)") }
  }

  func trace(_ direction: String, _ text: [UInt8]) {
    guard isTraced else { return }
    try? StandardStream.error.write(Array(direction.utf8) + text.filter { $0 != 0x0a } + [0x0a])
  }
}
