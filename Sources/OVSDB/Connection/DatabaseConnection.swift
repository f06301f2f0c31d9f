internal import JSON
public import Linux

/// A connection to an ovsdb-server, to its database `Schema`. Copies share one session.
///
/// Requests are pipelined: what is sent goes out together with the next `flush` or wait, before any
/// answer is read, and answers find their requests whatever comes between. Waiting is the only time
/// at which the connection reads, and then it also answers the server's `echo`. With
/// `CNI_TRACE=ovsdb` in the environment every text is written to standard error.
public struct DatabaseConnection<Schema: DatabaseSchema> {
  let session: Session
  /// The server.
  public var endpoint: Endpoint { session.endpoint }

  /// Connects to `endpoint`.
  public init(_ endpoint: Endpoint, until deadline: Deadline) throws(OVSDBError) {
    session = try Session(endpoint, until: deadline)
  }

  /// Another database of the same server, over the same session.
  init(sharing session: Session) { self.session = session }

  /// Sends what is queued, as far as the socket takes it; the rest leaves at the next wait, and
  /// that is where a lost connection shows.
  public func flush() { session.flush() }
}

// MARK: - Transactions

extension DatabaseConnection {
  /// A transaction that was handed over, and whose answer was not read yet.
  public struct PendingTransaction {
    let request: Session.Request
    let transaction: DatabaseTransaction<Schema>
  }

  /// Queues `transaction`; it leaves with the next `flush` or wait.
  public func send(_ transaction: DatabaseTransaction<Schema>) -> PendingTransaction {
    let changes = transaction.operations.contains { $0.name.kind.changes }
    let request = session.enqueue(
      "transact", [.string(Schema.name)] + transaction.operations.map { $0.json },
      changes: changes)
    return PendingTransaction(request: request, transaction: transaction)
  }

  /// Waits for the answer of the server, which says that `pending` took effect; if it was refused
  /// that is `transactionRefused`.
  public func results(of pending: PendingTransaction, until deadline: Deadline)
    throws(OVSDBError) -> TransactionResults
  {
    let operations = pending.transaction.operations
    let result = try session.answer(
      to: pending.request, until: deadline,
      "the answer to transact (\(pending.transaction.summary))")
    guard case .array(let elements) = result else {
      throw session.violation("the result of transact is not an array")
    }
    var results: [OperationResult] = []
    for (index, element) in elements.enumerated() {
      let operation = index < operations.count ? operations[index] : nil
      if element["error"] != nil, let refusal = Refusal(element) {
        throw .transactionRefused(
          TransactionRefusal(
            index: index, operation: operation?.name, summary: pending.transaction.summary,
            refusal: refusal))
      }
      guard let result = OperationResult(element) else {
        throw session.violation("result \(index) of transact is not one")
      }
      for row in result.rows ?? [] {
        if let mismatch = operation?.selected.mismatch(row) {
          throw session.violation("result \(index) of transact has \(mismatch)")
        }
      }
      results.append(result)
    }
    guard results.count == operations.count else {
      throw session.violation("\(results.count) results for \(operations.count) operations")
    }
    return TransactionResults(all: results)
  }

  /// Runs `transaction`; a refusal of the server is `transactionRefused`.
  public func transact(_ transaction: DatabaseTransaction<Schema>, until deadline: Deadline)
    throws(OVSDBError) -> TransactionResults
  {
    try results(of: send(transaction), until: deadline)
  }

  /// Runs `operations` as one transaction and returns their results in the same order; a refusal
  /// of the server is `transactionRefused`.
  public func transact(_ operations: [DatabaseOperation<Schema>], until deadline: Deadline)
    throws(OVSDBError) -> [OperationResult]
  {
    try transact(DatabaseTransaction(operations), until: deadline).all
  }
}

extension OperationName.Kind {
  /// Whether such an operation may change the database.
  fileprivate var changes: Bool {
    switch self {
    case .insert, .update, .mutate, .delete: true
    case .select, .wait, .abort, .comment: false
    }
  }
}
