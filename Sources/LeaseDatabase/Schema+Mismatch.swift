public import JSON
internal import OVSDB

extension LeaseSchema {
  /// The first part of a version that these tables are of.
  private static let majorVersion = "1"

  /// Whether `schema` has these tables. One that allows an address twice would give it twice.
  public static func mismatch(_ schema: JSONValue) -> String? {
    if let version = schema["version"]?.text,
      version.utf8.prefix(while: { $0 != UInt8(ascii: ".") }).elementsEqual(majorVersion.utf8)
        == false
    {
      return "the schema of its database \(name) is of version \(version), and only "
        + "\(majorVersion).x is known"
    }
    let all = schema["tables"]?.object
    // Where no table is said to be of the root set, all are.
    let isRootDefault = all?.members.contains { $0.value["isRoot"] == .bool(true) } == false
    for table in tables {
      if let lack = table.lack(all?[table.name], isRootDefault: isRootDefault) {
        return "the schema of its database \(name) has no \(lack); ovsdb-client convert makes it "
          + "that of conf/cluster/cni_ipam.ovsschema"
      }
    }
    return nil
  }

  /// What a table must have.
  private struct Needed {
    let name: String
    let columns: [String]
    let indexes: [[String]]

    init<T: Table>(
      _ table: T, _ columns: [Column<T, String>], others: [String] = [],
      indexes: [[Column<T, String>]]
    ) {
      name = table.name
      self.columns = columns.map { $0.name } + others
      self.indexes = indexes.map { $0.map { $0.name } }
    }

    /// What `table` has not; nil where it has all.
    func lack(_ table: JSONValue?, isRootDefault: Bool) -> String? {
      guard let table else { return "table \(name)" }
      if let column = columns.first(where: { table["columns"]?[$0] == nil }) {
        return "column \(column) in table \(name)"
      }
      let present = (table["indexes"]?.array ?? []).map { index in
        (index.array ?? []).compactMap { $0.text }.sorted()
      }
      if let index = indexes.first(where: { !present.contains($0.sorted()) }) {
        return "index on \(index.joined(separator: " and ")) in table \(name)"
      }
      // Rows of another kind go when no row refers to them.
      return isRootDefault || table["isRoot"] == .bool(true) ? nil : "\"isRoot\" in table \(name)"
    }
  }

  private static var tables: [Needed] {
    [
      Needed(
        LeaseTable(),
        [
          .pool, .address, .holder, .slot, .host, .network, .container, .interface, .boot,
        ], others: [Column<LeaseTable, Int64>.created.name],
        indexes: [[.pool, .address], [.holder, .slot]]),
      Needed(HostTable(), [.name, .machine], indexes: [[.name]]),
      Needed(MemoryTable(), [.pool, .subject, .address], indexes: [[.pool, .subject]]),
    ]
  }
}
