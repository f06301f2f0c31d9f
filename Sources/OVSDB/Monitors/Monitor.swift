internal import JSON
public import Linux

/// Rows of the database `Schema` that are to be monitored, and which of their columns.
public struct MonitoredRows<Schema: DatabaseSchema>: Hashable, Sendable {
  let request: MonitorRequest

  /// These columns of the rows of which all conditions are true; without columns only whether the
  /// rows are there.
  public static func rows<T>(
    of table: T, where conditions: [Condition<T>] = [], _ columns: ColumnList<T> = .none
  ) -> Self where T.Schema == Schema {
    Self(
      request: MonitorRequest(
        table: table.name, clauses: conditions.map { $0.clause }, columns: columns.columns))
  }
}

/// Rows of the database as they are, kept up to date by the server (ovsdb-server(7) §4.1.12).
///
/// It is up to date as of the last wait on its connection, whatever that waited for.
public struct DatabaseMonitor<Schema: DatabaseSchema> {
  let session: Session
  let id: Int64

  /// Waits until the rows have come. A server that refuses is `requestRefused`.
  public func begin(until deadline: Deadline) throws(OVSDBError) {
    try wait(until: deadline, for: "the rows to be monitored") { _ in true }
  }

  /// Waits until the rows have come and `predicate` is true of them; past the deadline the error
  /// names `purpose`. A server that refuses is `requestRefused`.
  public func wait(
    until deadline: Deadline, for purpose: @autoclosure () -> String,
    _ predicate: (Self) -> Bool
  ) throws(OVSDBError) {
    try wait(until: deadline, for: purpose(), session.monitors[id]?.request, predicate)
  }

  /// As `wait`, for what follows from a transaction that took effect: past the deadline the effect
  /// is `certain`.
  public func waitForConsequence(
    until deadline: Deadline, for purpose: @autoclosure () -> String,
    _ predicate: (Self) -> Bool
  ) throws(OVSDBError) {
    try wait(until: deadline, for: purpose(), nil, predicate)
  }

  private func wait(
    until deadline: Deadline, for purpose: @autoclosure () -> String,
    _ request: Session.Request?, _ predicate: (Self) -> Bool
  ) throws(OVSDBError) {
    try session.wait(until: deadline, for: purpose(), request) {
      switch session.monitors[id]?.phase {
      case .requested: false
      case .begun: predicate(self)
      case .refused, nil: true
      }
    }
    guard case .refused(let refusal)? = session.monitors[id]?.phase else { return }
    throw .requestRefused(method: "monitor", refusal)
  }

  /// The rows of `table` that are there now, ordered by UUID; none before they have come.
  public func rows<T>(of table: T) -> [Row<T>] where T.Schema == Schema {
    let rows = session.monitors[id]?.rows[table.name] ?? [:]
    return rows.sorted { $0.key < $1.key }.map { Row(values: $0.value) }
  }

  /// Ends it. The server learns of it with the next `flush` or wait.
  public func cancel() {
    guard session.monitors.removeValue(forKey: id) != nil else { return }
    session.enqueueUnwanted("monitor_cancel", [.integer(id)])
  }
}

extension DatabaseConnection {
  /// Queues the request to monitor these rows; it leaves with the next `flush` or wait.
  ///
  /// A server older than Open vSwitch 2.6 is asked with RFC 7047's `monitor`, and the conditions
  /// are applied here. A table is named once at most.
  public func monitor(_ rows: [MonitoredRows<Schema>]) -> DatabaseMonitor<Schema> {
    let id = session.monitor(rows.map { $0.request }, of: Schema.name)
    return DatabaseMonitor(session: session, id: id)
  }
}

extension Session {
  fileprivate func monitor(_ rows: [MonitorRequest], of database: String) -> Int64 {
    lastMonitorID += 1
    monitors[lastMonitorID] = MonitorState(
      database: database, monitored: rows, isConditional: hasConditionalMonitors,
      request: enqueue(monitor: lastMonitorID, of: database, rows))
    return lastMonitorID
  }

  private func enqueue(monitor id: Int64, of database: String, _ rows: [MonitorRequest]) -> Request
  {
    let isConditional = hasConditionalMonitors
    let requests = rows.map { rows in
      (rows.table, JSONValue?.some([rows.json(isConditional: isConditional)]))
    }
    return enqueue(
      isConditional ? conditionalMonitorMethod : "monitor",
      [.string(database), .integer(id), .object(requests)])
  }

  /// Takes in the answer to the request for a monitor.
  func accept(_ answer: JSONValue, toMonitor id: Int64) throws(OVSDBError) {
    guard var state = monitors[id] else { return }
    if let error = answer["error"], error != .null {
      guard let refusal = Refusal(error) else {
        throw violation("the error of an answer is not one")
      }
      if refusal.reason == .unknownMethod, state.isConditional {
        hasConditionalMonitors = false
        state.isConditional = false
        state.request = enqueue(monitor: id, of: state.database, state.monitored)
      } else {
        state.phase = .refused(refusal)
      }
    } else {
      guard state.apply(answer["result"] ?? .null) else {
        throw violation("a malformed answer to monitor")
      }
      state.phase = .begun
    }
    monitors[id] = state
  }
}
