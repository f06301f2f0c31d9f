internal import JSON

/// Operations that happen wholly or not at all (RFC 7047 §4.1.3).
///
/// Adding an operation answers a handle, by which its result is read afterwards:
///
///     var transaction = Transaction()
///     let interface = transaction.insert(into: .interface, [Cell(.name, "veth1")])
///     let port = transaction.insert(
///       into: .port, [Cell(.name, "veth1"), Cell(.interfaces, [interface.reference])])
///     let bridge = transaction.mutate(
///       .bridge, where: [.equal(.name, "br0")], [.insert([port.reference], into: .ports)])
///     let results = try connection.transact(transaction, until: deadline)
///     guard results[bridge] == 1 else { … }   // there is no such bridge
public struct Transaction: Hashable, Sendable {
  /// In the order in which they happen.
  public private(set) var operations: [Operation]

  /// These operations.
  public init(_ operations: [Operation] = []) { self.operations = operations }

  /// The row that an insert makes.
  public struct Inserted<T: Table>: Hashable, Sendable {
    let index: Int
    /// The row, for use in later operations of the same transaction.
    public let reference: Reference
  }
  /// The rows that a select reads.
  public struct Selected<T: Table>: Hashable, Sendable { let index: Int }
  /// The rows that an update, mutate or delete matches.
  public struct Matched: Hashable, Sendable { let index: Int }
  /// A requirement that the transaction makes.
  public struct Required: Hashable, Sendable {
    let index: Int
    /// Whether `error` says that it was this requirement that was not met.
    public func isUnmet(_ error: OVSDBError) -> Bool {
      guard case .transactionRefused(let refusal) = error else { return false }
      return refusal.index == index && refusal.refusal.reason == .timedOut
    }
  }

  /// Adds an operation whose result is of no interest.
  public mutating func append(_ operation: Operation) { operations.append(operation) }

  /// Adds an insert; see `Operation.insert`.
  public mutating func insert<T>(into table: T, _ row: [Cell<T>]) -> Inserted<T> {
    let name = "row\(operations.count)"
    operations.append(.insert(into: table, row, named: name))
    return Inserted(index: operations.count - 1, reference: .inserted(name))
  }

  /// Adds a select; see `Operation.select`.
  public mutating func select<T>(
    from table: T, where conditions: [Condition<T>] = [], _ columns: ColumnList<T> = .none
  ) -> Selected<T> {
    operations.append(.select(from: table, where: conditions, columns))
    return Selected(index: operations.count - 1)
  }

  /// Adds an update; see `Operation.update`.
  @discardableResult public mutating func update<T>(
    _ table: T, where conditions: [Condition<T>], _ row: [Cell<T>]
  ) -> Matched {
    operations.append(.update(table, where: conditions, row))
    return Matched(index: operations.count - 1)
  }

  /// Adds a mutate; see `Operation.mutate`.
  @discardableResult public mutating func mutate<T>(
    _ table: T, where conditions: [Condition<T>], _ mutations: [Mutation<T>]
  ) -> Matched {
    operations.append(.mutate(table, where: conditions, mutations))
    return Matched(index: operations.count - 1)
  }

  /// Adds a delete; see `Operation.delete`.
  @discardableResult public mutating func delete<T>(
    from table: T, where conditions: [Condition<T>]
  ) -> Matched {
    operations.append(.delete(from: table, where: conditions))
    return Matched(index: operations.count - 1)
  }

  /// Adds a requirement; see `Operation.require`.
  @discardableResult public mutating func require<T>(
    _ table: T, where conditions: [Condition<T>]
  ) -> Required {
    operations.append(.require(table, where: conditions))
    return Required(index: operations.count - 1)
  }

  /// `insert into Port, mutate Bridge`
  var summary: String { operations.map { $0.description }.joined(separator: ", ") }
}

/// A row, or those columns of it that were asked for.
public struct Row<T: Table>: Hashable, Sendable {
  /// By the names of the columns.
  public let values: [String: Value]

  /// The row with these columns.
  public init(values: [String: Value]) { self.values = values }

  /// What stands in `column`.
  ///
  /// Where the server told nothing of it, or something of another type, it is the default of the
  /// column's type: that is what the server leaves out of a monitor's rows.
  public subscript<Content>(column: Column<T, Content>) -> Content {
    values[column.name].flatMap { Content.decoded(from: $0) } ?? Content.initial
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

  /// Reads a result; nil if `json` is none.
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
  public subscript<T>(handle: Transaction.Inserted<T>) -> Reference {
    result(handle.index)?.uuid.map { .row($0) } ?? .initial
  }
  /// The rows that were read.
  public subscript<T>(handle: Transaction.Selected<T>) -> [Row<T>] {
    (result(handle.index)?.rows ?? []).map { Row(values: $0) }
  }
  /// How many rows matched.
  public subscript(handle: Transaction.Matched) -> Int { Int(result(handle.index)?.count ?? 0) }

  private func result(_ index: Int) -> OperationResult? {
    all.indices.contains(index) ? all[index] : nil
  }
}

/// The columns of a `<row>` (RFC 7047 §5.1); nil if `json` is none.
func values(ofRow json: JSONValue) -> [String: Value]? {
  guard case .object(let object) = json else { return nil }
  var values: [String: Value] = [:]
  values.reserveCapacity(object.members.count)
  for member in object.members {
    guard let value = Value(member.value) else { return nil }
    values[member.name] = value
  }
  return values
}
