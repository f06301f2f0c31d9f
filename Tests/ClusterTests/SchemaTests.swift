import Foundation
import TestSupport
import Testing

@Suite("cluster and the schema of its database", .privateHost) struct ClusterSchemaTests {
  /// The schema of conf, with a change.
  private func schema(_ change: (inout [String: Any]) -> Void) throws -> String {
    let data = try Data(contentsOf: URL(fileURLWithPath: AddressDatabase.schema))
    var object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    object["cksum"] = nil
    change(&object)
    return String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
  }

  private func changeTable(
    _ name: String, of schema: inout [String: Any], _ change: (inout [String: Any]) -> Void
  ) {
    var tables = schema["tables"] as? [String: Any] ?? [:]
    var table = tables[name] as? [String: Any] ?? [:]
    change(&table)
    tables[name] = table.isEmpty ? nil : table
    schema["tables"] = tables
  }

  @Test(
    "that is another is refused by STATUS and ADD, and no address is given",
    arguments: [
      "version 2.0.0", "no index in Lease", "one index in Lease", "no column slot", "no Host",
      "no root",
    ])
  func others(change: String) throws {
    let text = try schema { schema in
      switch change {
      case "version 2.0.0": schema["version"] = "2.0.0"
      case "no index in Lease": changeTable("Lease", of: &schema) { $0["indexes"] = nil }
      case "one index in Lease":
        changeTable("Lease", of: &schema) { $0["indexes"] = [["holder", "slot"]] }
      case "no column slot":
        changeTable("Lease", of: &schema) { table in
          var columns = table["columns"] as? [String: Any] ?? [:]
          columns["slot"] = nil
          table["columns"] = columns
          table["indexes"] = [["pool", "address"]]
        }
      case "no Host": changeTable("Host", of: &schema) { $0 = [:] }
      default: changeTable("Lease", of: &schema) { $0["isRoot"] = false }
      }
    }
    let database = try AddressDatabase(schema: text)
    let pool = Pool(database: database)
    let status = try pool.call("STATUS", "")
    #expect(status.code == 50)
    let (socket, occasion) = (["SOCKET": database.socket], "a database with \(change)")
    try Messages.expect(status.message, of: "cluster", on: "STATUS, \(occasion)", hiding: socket)
    let refused = try pool.call("ADD", "a")
    #expect(refused.code == 999)
    try Messages.expect(refused.message, of: "cluster", on: "ADD, \(occasion)", hiding: socket)
    #expect(try database.rows() == [:])
  }

  @Test("that has more than is needed serves, and one without an index lets DEL release")
  func more() throws {
    let wider = try schema { schema in
      schema["version"] = "1.9.3"
      changeTable("Lease", of: &schema) { table in
        var columns = table["columns"] as? [String: Any] ?? [:]
        columns["note"] = ["type": "string"]
        table["columns"] = columns
        table["indexes"] = [["slot", "holder"], ["address", "pool"]]
      }
    }
    let pool = Pool(database: try AddressDatabase(schema: wider))
    try pool.call("STATUS", "").checked()
    #expect(try pool.add("a").count == 1)
    let bare = try schema { changeTable("Lease", of: &$0) { $0["indexes"] = nil } }
    let other = Pool(database: try AddressDatabase(schema: bare))
    _ = try other.database.transact(
      #"{"op":"insert","table":"Lease","row":{"pool":"net","address":"10.1.0.2","#
        + #""holder":"h1/net/a/eth0","slot":"0","host":"h1","network":"net","container":"a"}}"#)
    try other.call("DEL", "a").checked()
    #expect(try other.database.rows() == [:])
  }
}
