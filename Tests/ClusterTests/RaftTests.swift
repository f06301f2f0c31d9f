import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("cluster on three members", .privateHost, .serialized) struct RaftTests {
  /// What the clients of a run have been told.
  private final class Ledger: Sendable {
    struct Entries {
      var held: [String: String] = [:]
      var twice = 0
      var faults: [String] = []
      var operations = 0
      var last = ContinuousClock.now
      var gap = Duration.zero
    }
    let entries = Mutex(Entries())

    func end(_ change: (inout Entries) -> Void) {
      entries.withLock {
        change(&$0)
        let now = ContinuousClock.now
        $0.gap = max($0.gap, now - $0.last)
        $0.last = now
        $0.operations += 1
      }
    }
  }

  private static func client(_ number: Int, _ steps: Int, _ pool: Pool, _ ledger: Ledger) {
    var random = SeededGenerator(UInt64(number))
    let pool = pool.on("h\(number % 3)")
    var mine: [(id: String, address: String)] = []
    for step in 0..<steps {
      if !mine.isEmpty, Int.random(in: 0..<100, using: &random) < 45 {
        let (id, address) = mine.remove(at: Int.random(in: 0..<mine.count, using: &random))
        ledger.entries.withLock { _ = $0.held.removeValue(forKey: address) }
        let result = try? pool.call("DEL", id)
        ledger.end { if result?.status != 0 { $0.faults.append("\(id): \(result as Any)") } }
      } else {
        let id = "c\(number)-\(step)"
        let result = try? pool.add(id)
        ledger.end { entries in
          guard let address = result?.first else {
            entries.faults.append(id)
            return
          }
          if entries.held.updateValue("h\(number % 3)/net/\(id)/eth0", forKey: address) != nil {
            entries.twice += 1
          }
        }
        if let address = result?.first { mine.append((id, address)) }
      }
    }
  }

  @Test(
    "six clients on three hosts lose nothing while leaders are killed and hang, and without a majority"
  )
  func faults() throws {
    let database = try AddressDatabase(members: 3)
    let pool = Pool(database: database, ipam: ["ranges": [[["subnet": "10.1.0.0/22"]]]])
    let ledger = Ledger()
    let steps = isSoak ? 340 : 40
    let threads = DispatchGroup()
    for number in 0..<6 {
      let thread = Thread {
        Self.client(number, steps, pool, ledger)
        threads.leave()
      }
      threads.enter()
      thread.start()
    }
    Thread.sleep(forTimeInterval: 1)
    if let leader = database.leader {
      database.kill(leader)
      Thread.sleep(forTimeInterval: 2)
      try database.start(leader)
    }
    try eventually("another leader") { database.leader != nil }
    if let leader = database.leader {
      database.suspend(leader)
      Thread.sleep(forTimeInterval: 3)
      database.resume(leader)
    }
    let gap = ledger.entries.withLock { $0.gap }
    // No majority for a while, shorter than a command may take.
    try eventually("a leader again") { database.leader != nil }
    if let leader = database.leader {
      let others = (1...3).filter { $0 != leader }
      for member in others { database.kill(member) }
      Thread.sleep(forTimeInterval: 2)
      for member in others { try database.start(member) }
    }
    threads.wait()
    let entries = ledger.entries.withLock { $0 }
    #expect(entries.twice == 0)
    #expect(entries.faults.isEmpty, "\(entries.faults)")
    // What was sent to the leader that hung may commit when its holder has gone: GC is for that.
    try eventually("leases that are old", timeout: .seconds(60)) {
      guard let leader = database.leader else { return false }
      _ = try database.transact(
        #"{"op":"update","table":"Lease","where":[],"row":{"created":1}}"#, member: leader)
      return true
    }
    for host in ["h0", "h1", "h2"] {
      let valid = entries.held.values.compactMap { holder -> Document? in
        let parts = holder.split(separator: "/").map(String.init)
        guard parts.count == 4, parts[0] == host else { return nil }
        return ["containerID": .string(parts[2]), "ifname": .string(parts[3])]
      }
      try pool.on(host).call("GC", "", with: ["cni.dev/valid-attachments": .array(valid)]).checked()
    }
    for member in 1...3 {
      try eventually(
        "member \(member) has what was acknowledged, and nothing else", timeout: .seconds(60)
      ) {
        (try? database.rows(member)) == entries.held
      }
    }
    figures(
      "cluster, leader killed and hung, then no majority: \(entries.operations) operations, "
        + "\(entries.twice) addresses twice, longest gap \(gap), with no majority \(entries.gap)")
  }

  @Test("without a majority an ADD ends at its deadline, and what commits late is adopted")
  func majority() throws {
    let database = try AddressDatabase(members: 3)
    let pool = Pool(database: database)
    let first = try pool.add("a")
    guard let leader = database.leader else {
      Issue.record("no leader")
      return
    }
    let others = (1...3).filter { $0 != leader }
    for member in others { database.kill(member) }
    let late = try pool.call("ADD", "b", with: ["timeout": 2])
    #expect(late.code == 11, "\(late)")
    for member in others { try database.start(member) }
    try eventually("a leader again") { database.leader != nil }
    let second = try pool.add("b")
    #expect(second != first)
    #expect(try pool.add("b") == second)
    try eventually("two leases") {
      (try? database.rows(leader)) == [first[0]: "h1/net/a/eth0", second[0]: "h1/net/b/eth0"]
    }
  }
}
