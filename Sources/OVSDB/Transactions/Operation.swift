public import JSON

/// What an operation of whatever database does, and to which table.
public struct OperationName: Hashable, Sendable {
  /// RFC 7047's member `op`.
  public enum Kind: String, Hashable, Sendable {
    /// §5.2.1
    case insert
    /// §5.2.2
    case select
    /// §5.2.3
    case update
    /// §5.2.4
    case mutate
    /// §5.2.5
    case delete
    /// §5.2.6
    case wait
    /// §5.2.8
    case abort
    /// §5.2.9
    case comment
  }
  /// What it does.
  public let kind: Kind
  /// The table it works on; nil for `abort` and `comment`.
  public let table: String?
}

extension OperationName: CustomStringConvertible {
  /// `insert into Port`, `select from Bridge`, `mutate Bridge`, `abort`
  public var description: String {
    guard let table else { return kind.rawValue }
    return switch kind {
    case .insert: "insert into \(table)"
    case .select, .delete: "\(kind.rawValue) from \(table)"
    case .wait: "wait for \(table)"
    default: "\(kind.rawValue) \(table)"
    }
  }
}

/// One operation of a transaction on the database `Schema` (RFC 7047 §5.2).
public struct DatabaseOperation<Schema: DatabaseSchema>: Hashable, Sendable {
  /// What it does, and to which table.
  public let name: OperationName
  /// The operation as it is sent.
  public let json: JSONValue
  /// What each row of its result has.
  let selected: [SelectedColumn]

  private init(
    _ kind: OperationName.Kind, _ table: String?, _ members: [(String, JSONValue?)],
    selecting selected: [SelectedColumn] = []
  ) {
    name = OperationName(kind: kind, table: table)
    json = .object(
      [("op", .string(kind.rawValue)), ("table", table.map { .string($0) })] + members)
    self.selected = selected
  }
}

/// How `wait` compares rows.
public enum RowComparison: String, Hashable, Sendable {
  /// The rows found are exactly those given.
  case equal = "=="
  /// The rows found are not exactly those given.
  case notEqual = "!="
}

extension DatabaseOperation {
  /// Makes a row; columns that are not named hold the default of their type.
  ///
  /// `name` stands for the row in the same transaction, as `Reference.inserted(name)`: a letter or
  /// `_`, then letters, digits and `_`. `uuid` is that of the row, where it is not the server's
  /// choice (ovsdb-server(7) §5.2.1); a row that has it already is a `duplicate uuid`.
  public static func insert<T>(
    into table: T, _ row: [Cell<T>], named name: String? = nil, uuid: String? = nil
  ) -> Self where T.Schema == Schema {
    Self(
      .insert, table.name,
      [
        ("row", json(row)), ("uuid-name", name.map { .string($0) }),
        ("uuid", uuid.map { .string($0) }),
      ])
  }

  /// Reads these columns of the rows of which all conditions are true; every column if none is
  /// named.
  public static func select<T>(
    from table: T, where conditions: [Condition<T>] = [], _ columns: ColumnList<T> = .none
  ) -> Self where T.Schema == Schema {
    let names = columns.columns.isEmpty ? nil : json(columns)
    return Self(
      .select, table.name, [("where", json(conditions)), ("columns", names)],
      selecting: columns.columns)
  }

  /// Sets columns of the rows of which all conditions are true.
  public static func update<T>(_ table: T, where conditions: [Condition<T>], _ row: [Cell<T>])
    -> Self where T.Schema == Schema
  {
    Self(.update, table.name, [("where", json(conditions)), ("row", json(row))])
  }

  /// Changes columns of the rows of which all conditions are true.
  public static func mutate<T>(
    _ table: T, where conditions: [Condition<T>], _ mutations: [Mutation<T>]
  ) -> Self where T.Schema == Schema {
    Self(
      .mutate, table.name,
      [("where", json(conditions)), ("mutations", .array(mutations.map { $0.json }))])
  }

  /// Deletes the rows of which all conditions are true.
  public static func delete<T>(from table: T, where conditions: [Condition<T>]) -> Self
  where T.Schema == Schema {
    Self(.delete, table.name, [("where", json(conditions))])
  }

  /// Lets the transaction go on only if these columns of the rows of which all conditions are true
  /// compare to `rows` so.
  ///
  /// `timeout`: how long the server waits for that; past it the whole transaction is `timed out`.
  public static func wait<T>(
    for table: T, where conditions: [Condition<T>], until comparison: RowComparison,
    _ rows: [[Cell<T>]], timeout: Duration = .zero, _ columns: ColumnList<T>
  ) -> Self where T.Schema == Schema {
    let (seconds, attoseconds) = timeout.components
    let milliseconds = seconds.multipliedReportingOverflow(by: 1000)
    return Self(
      .wait, table.name,
      [
        (
          "timeout",
          .integer(
            milliseconds.overflow
              ? .max : milliseconds.partialValue &+ attoseconds / 1_000_000_000_000_000)
        ),
        ("where", json(conditions)), ("columns", json(columns)),
        ("until", .string(comparison.rawValue)), ("rows", .array(rows.map { json($0) })),
      ])
  }

  /// Lets the transaction go on only if there is a row of which all conditions are true; if not,
  /// the whole of it is `timed out` at this operation.
  public static func require<T>(_ table: T, where conditions: [Condition<T>]) -> Self
  where T.Schema == Schema {
    wait(for: table, where: conditions, until: .notEqual, [], .columns(.uuid))
  }

  /// Lets the transaction go on only if there is no row of which all conditions are true; if there
  /// is, the whole of it is `timed out` at this operation.
  public static func requireAbsent<T>(_ table: T, where conditions: [Condition<T>]) -> Self
  where T.Schema == Schema {
    wait(for: table, where: conditions, until: .equal, [], .columns(.uuid))
  }

  /// A text that ovsdb-server keeps with the transaction in its file.
  public static func comment(_ text: String) -> Self {
    Self(.comment, nil, [("comment", .string(text))])
  }

  /// Ends the transaction as `aborted`, with no effect.
  public static var abort: Self { Self(.abort, nil, []) }

  private static func json<T>(_ row: [Cell<T>]) -> JSONValue {
    .object(row.map { ($0.column, $0.value.json) })
  }
  private static func json<T>(_ conditions: [Condition<T>]) -> JSONValue {
    .array(conditions.map { $0.clause.json })
  }
  private static func json<T>(_ columns: ColumnList<T>) -> JSONValue {
    .array(columns.columns.map { .string($0.name) })
  }
}
