public import JSON

/// A database that an ovsdb-server may have, with the tables of its schema.
///
/// Everything that is said to a server is said to one database: a transaction on the tables of
/// another does not compile.
public protocol DatabaseSchema: Sendable {
  /// The name of the database.
  static var name: String { get }
  /// Why the database of a server with `schema` (RFC 7047 §3.2) does not serve; nil where it does.
  static func mismatch(_ schema: JSONValue) -> String?
}

extension DatabaseSchema {
  /// Nothing is known against any.
  public static func mismatch(_ schema: JSONValue) -> String? { nil }
}

/// A table of a database.
public protocol Table: Hashable, Sendable {
  /// The database that has the table.
  associatedtype Schema: DatabaseSchema
  /// Its name.
  var name: String { get }
}

/// A column of `T`, and what stands in it.
///
/// Columns are found by their table: where a condition on `.interface` is due, `.name` is the
/// column of `Interface`, and a column that the table does not have does not compile.
public struct Column<T: Table, Content: ColumnContent>: Hashable, Sendable {
  /// Its name.
  public let name: String
  /// The column called `name`.
  public init(_ name: String) { self.name = name }
}

extension Column where Content == Reference {
  /// `_uuid`: the row itself; every table has it (RFC 7047 §3.2).
  public static var uuid: Self { Self("_uuid") }
}
