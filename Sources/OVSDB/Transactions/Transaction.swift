/// Operations on the database `Schema` that happen wholly or not at all (RFC 7047 §4.1.3).
///
/// Adding an operation returns a handle, by which its result is read afterwards:
///
///     var transaction = Transaction()
///     let interface = transaction.insert(into: .interface, [Cell(.name, "veth1")])
///     let port = transaction.insert(
///       into: .port, [Cell(.name, "veth1"), Cell(.interfaces, [interface.reference])])
///     let bridge = transaction.mutate(
///       .bridge, where: [.equal(.name, "br0")], [.insert([port.reference], into: .ports)])
///     let results = try connection.transact(transaction, until: deadline)
///     guard results[bridge] == 1 else { … }   // there is no such bridge
public struct DatabaseTransaction<Schema: DatabaseSchema>: Hashable, Sendable {
  /// In the order in which they happen.
  public private(set) var operations: [DatabaseOperation<Schema>]

  /// These operations.
  public init(_ operations: [DatabaseOperation<Schema>] = []) { self.operations = operations }

  /// The row that an insert makes.
  public typealias Inserted<T: Table> = InsertedRow<T>
  /// The rows that a select reads.
  public typealias Selected<T: Table> = SelectedRows<T>
  /// The rows that an update, mutate or delete matches.
  public typealias Matched = MatchedRows
  /// A requirement that the transaction makes.
  public typealias Required = Requirement

  /// Adds an operation whose result is of no interest.
  public mutating func append(_ operation: DatabaseOperation<Schema>) {
    operations.append(operation)
  }

  /// Adds an insert; see `DatabaseOperation.insert`.
  public mutating func insert<T>(into table: T, _ row: [Cell<T>]) -> Inserted<T>
  where T.Schema == Schema {
    let name = "row\(operations.count)"
    operations.append(.insert(into: table, row, named: name))
    return Inserted(index: operations.count - 1, reference: .inserted(name))
  }

  /// Adds a select; see `DatabaseOperation.select`.
  public mutating func select<T>(
    from table: T, where conditions: [Condition<T>] = [], _ columns: ColumnList<T> = .none
  ) -> Selected<T> where T.Schema == Schema {
    operations.append(.select(from: table, where: conditions, columns))
    return Selected(index: operations.count - 1)
  }

  /// Adds an update; see `DatabaseOperation.update`.
  @discardableResult public mutating func update<T>(
    _ table: T, where conditions: [Condition<T>], _ row: [Cell<T>]
  ) -> Matched where T.Schema == Schema {
    operations.append(.update(table, where: conditions, row))
    return Matched(index: operations.count - 1)
  }

  /// Adds a mutate; see `DatabaseOperation.mutate`.
  @discardableResult public mutating func mutate<T>(
    _ table: T, where conditions: [Condition<T>], _ mutations: [Mutation<T>]
  ) -> Matched where T.Schema == Schema {
    operations.append(.mutate(table, where: conditions, mutations))
    return Matched(index: operations.count - 1)
  }

  /// Adds a delete; see `DatabaseOperation.delete`.
  @discardableResult public mutating func delete<T>(
    from table: T, where conditions: [Condition<T>]
  ) -> Matched where T.Schema == Schema {
    operations.append(.delete(from: table, where: conditions))
    return Matched(index: operations.count - 1)
  }

  /// Adds a requirement; see `DatabaseOperation.require`.
  @discardableResult public mutating func require<T>(
    _ table: T, where conditions: [Condition<T>]
  ) -> Required where T.Schema == Schema {
    operations.append(.require(table, where: conditions))
    return Required(index: operations.count - 1)
  }

  /// Adds a requirement; see `DatabaseOperation.requireAbsent`.
  @discardableResult public mutating func requireAbsent<T>(
    _ table: T, where conditions: [Condition<T>]
  ) -> Required where T.Schema == Schema {
    operations.append(.requireAbsent(table, where: conditions))
    return Required(index: operations.count - 1)
  }

  /// Adds a requirement on what these columns of the rows are; see `DatabaseOperation.wait`.
  @discardableResult public mutating func require<T>(
    _ table: T, where conditions: [Condition<T>], _ comparison: RowComparison, _ rows: [[Cell<T>]],
    _ columns: ColumnList<T>
  ) -> Required where T.Schema == Schema {
    operations.append(.wait(for: table, where: conditions, until: comparison, rows, columns))
    return Required(index: operations.count - 1)
  }

  /// `insert into Port, mutate Bridge`
  var summary: String { operations.map { $0.name.description }.joined(separator: ", ") }
}
