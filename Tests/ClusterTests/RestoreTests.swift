import TestSupport
import Testing

/// Rows are found by what they say: in a database that was restored from a snapshot their UUIDs are
/// others.
@Suite("cluster on a database that was restored", .privateHost) struct RestoreTests {
  private let database: AddressDatabase
  private let pool: Pool
  init() throws {
    database = try AddressDatabase()
    pool = Pool(
      database: database,
      ipam: [
        "ranges": [[["subnet": "10.1.0.0/24"]], [["subnet": "fd00::/64"]]], "sticky": "name",
      ])
  }

  private func holders() throws -> [String: Int] {
    try database.rows().values.reduce(into: [:]) { $0[$1, default: 0] += 1 }
  }

  @Test("every command finds what was leased before")
  func commands() throws {
    let first = try pool.add("a")
    for id in ["b", "c"] { _ = try pool.add(id) }
    try database.restore()
    #expect(try pool.call("STATUS", "").status == 0)
    let previous: [String: Document] = [
      "prevResult": ["ips": .array(first.map { ["address": .string($0 + "/24")] })]
    ]
    #expect(try pool.call("CHECK", "a", with: previous).status == 0)
    // Twice: what the first found the second finds again.
    for _ in 0..<2 { #expect(try pool.add("a") == first) }
    #expect(try pool.add("d").count == 2)
    #expect(
      try holders()
        == ["h1/net/a/eth0": 2, "h1/net/b/eth0": 2, "h1/net/c/eth0": 2]
        .merging(["h1/net/d/eth0": 2]) { $1 })
    for id in ["a", "b"] {
      try pool.call("DEL", id).checked()
      try pool.call("DEL", id).checked()
    }
    #expect(try pool.call("CHECK", "a", with: previous).status == 1)
    #expect(try holders() == ["h1/net/c/eth0": 2, "h1/net/d/eth0": 2])
    try database.restore()
    _ = try database.transact(
      #"{"op":"update","table":"Lease","where":[],"row":{"created":1}}"#)
    let valid: Document = [["containerID": "d", "ifname": "eth0"]]
    try pool.call("GC", "", with: ["cni.dev/valid-attachments": valid]).checked()
    #expect(try holders() == ["h1/net/d/eth0": 2])
    // This host is known by its row, though that has another UUID.
    _ = try database.transact(
      #"{"op":"update","table":"Host","where":[],"row":{"machine":"another"}}"#)
    #expect(try pool.call("ADD", "e").code == 7)
    #expect(try pool.call("STATUS", "").code == 50)
  }

  @Test("what is asked for is given, and what was had before is given back")
  func requests() throws {
    let first = try pool.add("a", args: "IP=10.1.0.50")
    #expect(first[0] == "10.1.0.50")
    try database.restore()
    let second = try pool.add("a", args: "IP=10.1.0.51")
    #expect(second == ["10.1.0.51", first[1]])
    #expect(try database.rows().keys.sorted() == second.sorted())
    try pool.call("DEL", "a").checked()
    #expect(try database.rows() == [:])
  }

  @Test("a name gets the address that it had last")
  func memory() throws {
    func name(_ name: String) -> String { "K8S_POD_NAMESPACE=default;K8S_POD_NAME=\(name)" }
    let first = try pool.add("a", args: name("web-0"))
    _ = try pool.add("b", args: name("web-1"))
    for id in ["a", "b"] { try pool.call("DEL", id).checked() }
    try database.restore()
    #expect(try pool.add("c", args: name("web-0")) == first)
    // One that moves is remembered where it went.
    let moved = try pool.add("d", args: "IP=10.1.0.77;" + name("web-1"))
    #expect(moved[0] == "10.1.0.77")
    try pool.call("DEL", "d").checked()
    #expect(try pool.add("e", args: name("web-1")) == moved)
    let memories = try database.transact(#"{"op":"select","table":"Memory","where":[]}"#)
    #expect(memories[0]["rows"].array.count == 4)
  }
}
