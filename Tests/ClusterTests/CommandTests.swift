import TestSupport
import Testing

@Suite("cluster on one database", .privateHost) struct ClusterCommandTests {
  @Test("two hosts with the same container IDs have leases of their own, in every command")
  func hosts() throws {
    let one = Pool(database: try AddressDatabase())
    let two = one.on("h2")
    let first = try one.add("a")
    let second = try two.add("a")
    #expect(first != second && first.count == 1)
    #expect(try one.add("a") == first, "a repeated ADD gives the same again")
    func previous(_ addresses: [String]) -> [String: Document] {
      ["prevResult": ["ips": .array(addresses.map { ["address": .string("\($0)/24")] })]]
    }
    #expect(try one.call("CHECK", "a", with: previous(first)).status == 0)
    #expect(try two.call("CHECK", "a", with: previous(second)).status == 0)
    #expect(try one.call("CHECK", "a", with: previous(second)).status == 1)
    #expect(try one.call("DEL", "a").status == 0)
    #expect(try one.database.rows() == [second[0]: "h2/net/a/eth0"])
    #expect(try one.call("DEL", "a").status == 0)
    #expect(try one.call("CHECK", "a", with: previous(first)).status == 1)
    // What is young may be of an ADD that goes on.
    let none: [String: Document] = ["cni.dev/valid-attachments": []]
    #expect(try two.call("GC", "", with: none).status == 0)
    #expect(try two.database.rows().count == 1)
    _ = try two.database.transact(
      #"{"op":"update","table":"Lease","where":[],"row":{"created":1}}"#)
    #expect(try one.call("GC", "", with: none).status == 0)
    #expect(try two.database.rows().count == 1, "GC of another host")
    #expect(try two.call("GC", "").status == 0)
    #expect(
      try two.call(
        "GC", "",
        with: ["cni.dev/valid-attachments": [["containerID": "a", "ifname": "eth0"]]]
      ).status == 0)
    #expect(try two.database.rows().count == 1)
    #expect(try two.call("GC", "", with: none).status == 0)
    #expect(try two.database.rows() == [:])
  }

  @Test("gives each address once, to the last, and says when there is none")
  func exhaustion() throws {
    let pool = Pool(
      database: try AddressDatabase(), ipam: ["ranges": [[["subnet": "10.1.0.0/28"]]]])
    var given: Set<String> = []
    for number in 0..<13 {
      given.formUnion(try pool.on("h\(number % 3)").add("c\(number)"))
    }
    #expect(given.count == 13)
    let full = try pool.call("ADD", "more")
    try Messages.expect(full, code: 999, of: "cluster", on: "ADD, no address is free")
    try Messages.expect(
      pool.call("STATUS", ""), code: 50, of: "cluster", on: "STATUS, no address is free")
    #expect(try pool.on("h1").call("DEL", "c1").status == 0)
    #expect(try pool.call("STATUS", "").status == 0)
    #expect(try pool.add("more").count == 1)
    #expect(try pool.database.rows().count == 13)
  }

  @Test("keeps to requests, exclusions, reservations, and what a name had last")
  func preferences() throws {
    let pool = Pool(
      database: try AddressDatabase(),
      ipam: [
        "ranges": [
          [["subnet": "10.1.0.0/24", "exclude": ["10.1.0.0/28"]]], [["subnet": "fd00::/64"]],
        ],
        "reservations": [["name": "default/web-0", "ip": "10.1.0.20"]], "sticky": "name",
      ])
    #expect(try pool.add("a", args: "IP=10.1.0.77")[0] == "10.1.0.77")
    let taken = try pool.on("h2").call("ADD", "a", args: "IP=10.1.0.77")
    try Messages.expect(
      taken, code: 999, of: "cluster", on: "ADD, a requested address that another host has")
    let web = "K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0"
    #expect(try pool.add("b", args: web)[0] == "10.1.0.20")
    let other = "K8S_POD_NAMESPACE=default;K8S_POD_NAME=db-0"
    let first = try pool.add("c", args: other)
    #expect(try pool.call("DEL", "c").status == 0)
    #expect(try pool.on("h2").add("d", args: other) == first)
    #expect(try pool.add("a", ifname: "eth1").count == 2)
    #expect(try pool.database.rows().count == 8)
  }

  @Test("refuses the name of another machine, and frees what an earlier boot left")
  func identity() throws {
    let pool = Pool(
      database: try AddressDatabase(), ipam: ["ranges": [[["subnet": "10.1.0.0/30"]]]])
    #expect(try pool.add("a") == ["10.1.0.2"])
    _ = try pool.database.transact(
      #"{"op":"update","table":"Lease","where":[],"row":{"boot":"earlier"}}"#)
    #expect(try pool.call("ADD", "b", ipam: ["reclaimAfterReboot": false]).status == 1)
    #expect(try pool.add("b") == ["10.1.0.2"])
    #expect(try pool.database.rows() == ["10.1.0.2": "h1/net/b/eth0"])
    _ = try pool.database.transact(
      #"{"op":"update","table":"Host","where":[],"row":{"machine":"another"}}"#)
    let refused = try pool.call("ADD", "c")
    try Messages.expect(
      refused, code: 7, of: "cluster", on: "ADD, a host of another machine")
    try Messages.expect(
      pool.call("STATUS", ""), code: 50, of: "cluster", on: "STATUS, a host of another machine")
    #expect(try pool.call("DEL", "b").status == 0)
  }

  @Test("says what is wrong with its configuration, and with the database")
  func faults() throws {
    let database = try AddressDatabase()
    let pool = Pool(database: database)
    for (members, what) in [
      (["database": "ssl:192.0.2.1:6650"], "a database by TLS"),
      (["database": ["x"]], "a database that is no endpoint"),
      (["database": 5], "database is a number"), (["host": "a b"], "a host with a space"),
      (["host": .string(String(repeating: "h", count: 256))], "a host of 256 bytes"),
      (["ranges": .absent], "without ranges"),
    ] as [([String: Document], String)] {
      try Messages.expect(
        pool.call("ADD", "a", ipam: members), code: 7, of: "cluster", on: "ADD, \(what)")
    }
    database.kill(1)
    #expect(try pool.call("ADD", "a").code == 11)
    #expect(try pool.call("DEL", "a").code == 11)
    #expect(try pool.call("STATUS", "").code == 50)
    #expect(!database.directory.files().isEmpty)
  }
}
