internal import JSON

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

  var json: JSONValue { [.string(column), .string(mutator), value.json] }
}
