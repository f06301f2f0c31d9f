public import JSON

/// A column with what it is set to or compared with.
public struct Cell<T: Table>: Hashable, Sendable {
  /// The name of the column.
  public let column: String
  /// What stands in it.
  public let value: Value
  /// `content` in `column`.
  public init<Content>(_ column: Column<T, Content>, _ content: Content) {
    self.column = column.name
    value = content.columnValue
  }
}

/// What must be true of a row (RFC 7047 §5.1 `<condition>`).
public struct Condition<T: Table>: Hashable, Sendable {
  let clause: Clause

  private init<Content>(
    _ column: Column<T, Content>, _ function: Clause.Function, _ content: Content
  ) {
    clause = Clause(column: column.name, function: function, value: content.columnValue)
  }

  /// The column holds exactly `content`; nil and `[]` stand for the empty set.
  public static func equal<C>(_ column: Column<T, C>, _ content: C) -> Self {
    Self(column, .equal, content)
  }
  /// The column does not hold exactly `content`.
  public static func notEqual<C>(_ column: Column<T, C>, _ content: C) -> Self {
    Self(column, .notEqual, content)
  }
  /// The column has all elements, or all pairs, of `content`.
  public static func includes<C>(_ column: Column<T, C>, _ content: C) -> Self {
    Self(column, .includes, content)
  }
  /// The column has no element, or no pair, of `content`.
  public static func excludes<C>(_ column: Column<T, C>, _ content: C) -> Self {
    Self(column, .excludes, content)
  }
  /// The number is less. An optional column without a value is not (ovsdb-server(7) §5.1).
  public static func less<C>(_ column: Column<T, C>, _ content: C) -> Self {
    Self(column, .less, content)
  }
  /// The number is less or equal. An optional column without a value is not.
  public static func lessOrEqual<C>(_ column: Column<T, C>, _ content: C) -> Self {
    Self(column, .lessOrEqual, content)
  }
  /// The number is greater. An optional column without a value is not.
  public static func greater<C>(_ column: Column<T, C>, _ content: C) -> Self {
    Self(column, .greater, content)
  }
  /// The number is greater or equal. An optional column without a value is not.
  public static func greaterOrEqual<C>(_ column: Column<T, C>, _ content: C) -> Self {
    Self(column, .greaterOrEqual, content)
  }
}

/// A condition of whatever table.
struct Clause: Hashable, Sendable {
  enum Function: String, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case includes
    case excludes
  }
  let column: String
  let function: Function
  let value: Value

  var json: JSONValue { [.string(column), .string(function.rawValue), value.json] }
}

/// A change of a column that depends on what it holds (RFC 7047 §5.1 `<mutation>`).
public struct Mutation<T: Table>: Hashable, Sendable {
  let column: String
  let mutator: String
  let value: Value

  /// Puts elements, or pairs whose keys are not there yet, into the column.
  public static func insert<C>(_ content: C, into column: Column<T, C>) -> Self {
    Self(column: column.name, mutator: "insert", value: content.columnValue)
  }
  /// Takes those elements, or pairs that match in key and value, out of the column.
  public static func delete<C>(_ content: C, from column: Column<T, C>) -> Self {
    Self(column: column.name, mutator: "delete", value: content.columnValue)
  }
  /// Takes the pairs with these keys out of the map.
  public static func delete<K, V>(keys: [K], from column: Column<T, [K: V]>) -> Self {
    Self(column: column.name, mutator: "delete", value: keys.columnValue)
  }
  /// `+=`; beyond 64 bits it is a `range error`.
  public static func add(_ number: Int64, to column: Column<T, Int64>) -> Self {
    Self(column: column.name, mutator: "+=", value: number.columnValue)
  }
  /// `-=`; beyond 64 bits it is a `range error`.
  public static func subtract(_ number: Int64, from column: Column<T, Int64>) -> Self {
    Self(column: column.name, mutator: "-=", value: number.columnValue)
  }

  var json: JSONValue { [.string(column), .string(mutator), value.json] }
}

/// One operation of a transaction (RFC 7047 §5.2).
public struct Operation: Hashable, Sendable {
  /// Its name, which is RFC 7047's member `op`.
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
  /// The operation as it is sent.
  public let json: JSONValue

  private init(_ kind: Kind, _ table: String?, _ members: [(String, JSONValue?)]) {
    self.kind = kind
    self.table = table
    json = .object(
      [("op", .string(kind.rawValue)), ("table", table.map { .string($0) })] + members)
  }
}

extension Operation: CustomStringConvertible {
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

extension Operation {
  /// Makes a row; columns that are not named hold the default of their type.
  ///
  /// `name` stands for the row in the same transaction, as `Reference.inserted(name)`: a letter or
  /// `_`, then letters, digits and `_`.
  public static func insert<T>(into table: T, _ row: [Cell<T>], named name: String? = nil)
    -> Operation
  {
    Operation(
      .insert, table.name, [("row", json(row)), ("uuid-name", name.map { .string($0) })])
  }

  /// Reads these columns of the rows of which all conditions are true; every column if none is
  /// named.
  public static func select<T>(
    from table: T, where conditions: [Condition<T>] = [], _ columns: ColumnList<T> = .none
  ) -> Operation {
    let names = columns.names.isEmpty ? nil : json(names: columns.names)
    return Operation(.select, table.name, [("where", json(conditions)), ("columns", names)])
  }

  /// Sets columns of the rows of which all conditions are true.
  public static func update<T>(_ table: T, where conditions: [Condition<T>], _ row: [Cell<T>])
    -> Operation
  {
    Operation(.update, table.name, [("where", json(conditions)), ("row", json(row))])
  }

  /// Changes columns of the rows of which all conditions are true.
  public static func mutate<T>(
    _ table: T, where conditions: [Condition<T>], _ mutations: [Mutation<T>]
  ) -> Operation {
    Operation(
      .mutate, table.name,
      [("where", json(conditions)), ("mutations", .array(mutations.map { $0.json }))])
  }

  /// Deletes the rows of which all conditions are true.
  public static func delete<T>(from table: T, where conditions: [Condition<T>]) -> Operation {
    Operation(.delete, table.name, [("where", json(conditions))])
  }

  /// How `wait` compares rows.
  public enum Comparison: String, Hashable, Sendable {
    /// The rows found are exactly those given.
    case equal = "=="
    /// The rows found are not exactly those given.
    case notEqual = "!="
  }

  /// Lets the transaction go on only if these columns of the rows of which all conditions are true
  /// compare to `rows` so.
  ///
  /// `timeout`: how long the server waits for that; past it the whole transaction is `timed out`.
  public static func wait<T>(
    for table: T, where conditions: [Condition<T>], until comparison: Comparison,
    _ rows: [[Cell<T>]], timeout: Duration = .zero, _ columns: ColumnList<T>
  ) -> Operation {
    let (seconds, attoseconds) = timeout.components
    let milliseconds = seconds.multipliedReportingOverflow(by: 1000)
    return Operation(
      .wait, table.name,
      [
        (
          "timeout",
          .integer(
            milliseconds.overflow
              ? .max : milliseconds.partialValue &+ attoseconds / 1_000_000_000_000_000)
        ),
        ("where", json(conditions)), ("columns", json(names: columns.names)),
        ("until", .string(comparison.rawValue)), ("rows", .array(rows.map { json($0) })),
      ])
  }

  /// Lets the transaction go on only if there is a row of which all conditions are true; if not,
  /// the whole of it is `timed out` at this operation.
  public static func require<T>(_ table: T, where conditions: [Condition<T>]) -> Operation {
    wait(for: table, where: conditions, until: .notEqual, [], .columns(.uuid))
  }

  /// A text that ovsdb-server keeps with the transaction in its file.
  public static func comment(_ text: String) -> Operation {
    Operation(.comment, nil, [("comment", .string(text))])
  }

  /// Ends the transaction as `aborted`, with no effect.
  public static var abort: Operation { Operation(.abort, nil, []) }

  private static func json<T>(_ row: [Cell<T>]) -> JSONValue {
    .object(row.map { ($0.column, $0.value.json) })
  }
  private static func json<T>(_ conditions: [Condition<T>]) -> JSONValue {
    .array(conditions.map { $0.clause.json })
  }
  private static func json(names: [String]) -> JSONValue { .array(names.map { .string($0) }) }
}
