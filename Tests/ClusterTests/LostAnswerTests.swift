import TestSupport
import Testing

/// What a client of a cluster meets at one request, whichever: its connection is cut, its member
/// says nothing or nonsense, or a relay has lost it.
@Suite("cluster and a member that is lost at one request", .privateHost)
struct LostAnswerTests {
  /// Of those that take time, one each for the fault before and after the commit.
  private static let faults: [DatabaseProxy.Fault] = [
    .lostBefore, .lostAfter, .canceledBefore, .canceledAfter, .garbled,
  ]

  /// A pool whose first member is behind a proxy. The second is the same server, as another member
  /// that has all that was committed.
  private func pool(_ pool: Pool, by proxy: DatabaseProxy) -> Document {
    let members: [Document] = [.string("unix:\(proxy.path)"), pool.database.endpoints[0]]
    return ["database": .array(members)]
  }

  @Test(
    "an ADD or DEL takes effect once, whatever was lost", arguments: ["ADD", "DEL"], faults)
  func lost(command: String, fault: DatabaseProxy.Fault) throws {
    let database = try AddressDatabase()
    let place = Pool(database: database)
    // Its first ADD enters the host.
    #expect(try place.add("first").count == 1)
    var requests = 0
    for number in 1... {
      if command == "DEL" { _ = try place.add("a") }
      let proxy = try DatabaseProxy(
        to: database.socket, fault, at: number, in: database.directory)
      defer { proxy.close() }
      let members = pool(place, by: proxy).members
      let result = try place.call(command, "a", with: ["timeout": 30], ipam: members)
      let event = "\(command), \(fault) at request \(number), \(proxy.method ?? "none"): \(result)"
      if fault == .garbled, result.status != 0 {
        // What is no answer may be an error; then it says so, and what it took is found.
        #expect([11, 999].contains(result.code), "\(event)")
        if command == "DEL" { try place.call("DEL", "a").checked() }
      } else {
        #expect(result.status == 0, "\(event)")
      }
      let held = try database.rows().filter { $0.value == "h1/net/a/eth0" }
      if command == "ADD", result.status == 0 {
        let address = result.json["ips"][0]["address"].text?.prefix { $0 != "/" }
        #expect(held.keys.sorted() == [address.map(String.init)], "\(event)")
      } else if command == "DEL" {
        #expect(held == [:], "\(event)")
      }
      try place.call("DEL", "a").checked()
      #expect(try database.rows().count == 1, "\(event)")
      guard proxy.method != nil else { break }
      requests += 1
    }
    #expect(requests > 1)
  }

  @Test("a member that says nothing is passed by, in good time", arguments: ["ADD", "DEL"])
  func silent(command: String) throws {
    let database = try AddressDatabase()
    let place = Pool(database: database)
    _ = try place.add("a")
    // The question whether it is of use, then the transaction.
    for (fault, number) in [(DatabaseProxy.Fault.unanswered, 1), (.silenced, 2)] {
      let proxy = try DatabaseProxy(
        to: database.socket, fault, at: number, in: database.directory)
      defer { proxy.close() }
      let id = command == "ADD" ? "b\(number)" : "a"
      let members = pool(place, by: proxy).members
      try place.call(command, id, with: ["timeout": 30], ipam: members).checked()
      #expect(proxy.method != nil)
    }
    let holders = try database.rows().values.sorted()
    #expect(
      holders == (command == "ADD" ? ["a", "b1", "b2"].map { "h1/net/\($0)/eth0" } : []),
      "\(holders)")
  }

  @Test("what a member that is behind has read decides nothing")
  func stale() throws {
    let database = try AddressDatabase(members: 3)
    let leader = try #require(database.leader)
    let pool = Pool(
      database: database, ipam: ["ranges": [[["subnet": "10.1.0.0/28"]]]])
    let first = try pool.add("a")
    // A follower that was stopped hears of nothing meanwhile: all addresses but one are taken.
    let behind = try #require((1...3).first { $0 != leader })
    database.suspend(behind)
    var given = Set(first)
    for number in 0..<11 { given.formUnion(try pool.on("h2").add("b\(number)")) }
    #expect(given.count == 12)
    database.resume(behind)
    // It is asked at once, and first.
    let others = (1...3).filter { $0 != behind }
    let members = ([behind] + others).map { database.endpoints[$0 - 1] }
    let last = try pool.call(
      "ADD", "c", with: ["timeout": 30], ipam: ["database": .array(members)]
    ).checked()
    let address = String((last["ips"][0]["address"].text ?? "").prefix { $0 != "/" })
    #expect(!given.contains(address), "\(last)")
    #expect(try pool.call("ADD", "d").status == 1, "all are given")
  }
}
