internal import JSON

/// The row that an insert of a transaction makes.
public struct InsertedRow<T: Table>: Hashable, Sendable {
  let index: Int
  /// The row, for use in later operations of the same transaction.
  public let reference: Reference
}

/// The rows that a select of a transaction reads.
public struct SelectedRows<T: Table>: Hashable, Sendable { let index: Int }

/// The rows that an update, mutate or delete of a transaction matches.
public struct MatchedRows: Hashable, Sendable { let index: Int }

/// A requirement that a transaction makes.
public struct Requirement: Hashable, Sendable {
  let index: Int
  /// Whether `error` says that it was this requirement that was not met.
  public func isUnmet(_ error: OVSDBError) -> Bool {
    guard case .transactionRefused(let refusal) = error else { return false }
    return refusal.index == index && refusal.refusal.reason == .timedOut
  }
}

/// What one operation of a transaction that took effect answered (RFC 7047 §5.2).
public struct OperationResult: Hashable, Sendable {
  /// How many rows an update, mutate or delete matched; nil for others.
  public let count: Int64?
  /// The UUID of the row that an insert made; nil for others.
  public let uuid: String?
  /// The rows that a select found, by the names of their columns; nil for others.
  public let rows: [[String: Value]]?

  /// Reads a result; nil if `json` is not one.
  init?(_ json: JSONValue) {
    guard case .object(let object) = json else { return nil }
    count = object["count"]?.integer
    uuid = object["uuid"].flatMap { Value($0)?.uuid }
    guard let rows = object["rows"] else {
      self.rows = nil
      return
    }
    guard let elements = rows.array else { return nil }
    let decoded = elements.compactMap { OVSDB::values(ofRow: $0) }
    guard decoded.count == elements.count else { return nil }
    self.rows = decoded
  }
}

/// What the operations of a transaction that took effect answered.
public struct TransactionResults: Hashable, Sendable {
  /// One for each operation.
  public let all: [OperationResult]

  /// The row that was inserted.
  public subscript<T>(handle: InsertedRow<T>) -> Reference {
    result(handle.index)?.uuid.map { .row($0) } ?? .initial
  }
  /// The rows that were read.
  public subscript<T>(handle: SelectedRows<T>) -> [Row<T>] {
    (result(handle.index)?.rows ?? []).map { Row(values: $0) }
  }
  /// How many rows matched.
  public subscript(handle: MatchedRows) -> Int { Int(result(handle.index)?.count ?? 0) }

  private func result(_ index: Int) -> OperationResult? {
    all.indices.contains(index) ? all[index] : nil
  }
}
