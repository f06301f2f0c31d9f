/// The database `_Server` that an ovsdb-server since 2.9 has about itself; see ovsdb-server(5).
public enum ServerDatabase: DatabaseSchema {
  /// `_Server`
  public static let name = "_Server"

  /// `Database`: one row for each database that the server has.
  public struct DatabaseTable: Table {
    /// `_Server`
    public typealias Schema = ServerDatabase
    /// `Database`
    public let name = "Database"
  }
}

extension Table where Self == ServerDatabase.DatabaseTable {
  /// `Database`
  public static var database: Self { Self() }
}

extension Column where T == ServerDatabase.DatabaseTable, Content == String {
  /// `name`: that of the database.
  public static var name: Self { Self("name") }
  /// `model`: `standalone`, `clustered` or `relay`.
  public static var model: Self { Self("model") }
}
extension Column where T == ServerDatabase.DatabaseTable, Content == String? {
  /// `schema`: that of the database, as JSON; none where the server does not have it yet.
  public static var schema: Self { Self("schema") }
}
extension Column where T == ServerDatabase.DatabaseTable, Content == Bool {
  /// `connected`: whether the server has the database, as part of a majority where it is clustered.
  public static var isConnected: Self { Self("connected") }
  /// `leader`: whether the server leads the cluster; true where there is none.
  public static var isLeader: Self { Self("leader") }
}
