import Foundation
import Linux
import TestSupport
import Testing

@testable import OVSDB

/// With three real ovsdb-servers and a database that is not Open vSwitch's.
@Suite("Members of a cluster", .privateHost)
struct MemberTests {
  let cluster: Cluster
  let soon = Deadline.after(.seconds(30))

  init() throws { cluster = try Cluster() }

  func connect(
    _ endpoints: [Endpoint]? = nil, _ requirement: MemberRequirement = .connected,
    until deadline: Deadline? = nil
  ) throws -> DatabaseConnection<TestDatabase> {
    try DatabaseConnection(
      toOneOf: endpoints ?? cluster.endpoints, requirement, until: deadline ?? soon)
  }
  /// Waits until every member is part of the cluster; returns the leader's number, from 0.
  func leader() throws -> Int {
    for endpoint in cluster.endpoints { _ = try connect([endpoint]) }
    let leader = try connect(nil, .leading).endpoint
    return try #require(cluster.endpoints.firstIndex(of: leader))
  }
  func insert(_ title: String, _ connection: DatabaseConnection<TestDatabase>) throws {
    var transaction = DatabaseTransaction<TestDatabase>()
    let absent = transaction.requireAbsent(.book, where: [.equal(.title, title)])
    _ = transaction.insert(into: .book, [Cell(.title, title), Cell(.pages, 7)])
    _ = try connection.transact(transaction, until: soon)
    let error = #expect(throws: OVSDBError.self) {
      try connection.transact(transaction, until: soon)
    }
    #expect(try absent.isUnmet(#require(error)))
  }

  @Test("a member that hangs is passed by, and so is one that is gone")
  func hung() throws {
    let leader = try leader()
    let others = cluster.endpoints.indices.filter { $0 != leader }
    cluster.members[others[0]].suspend()
    defer { cluster.members[others[0]].resume() }
    let order = [others[0], leader, others[1]].map { cluster.endpoints[$0] }
    let start = Clock.monotonic
    let connection = try connect(order)
    #expect(connection.endpoint == order[1])
    #expect(Clock.monotonic - start < .seconds(5))
    try insert("Walden", connection)

    cluster.members[others[0]].resume()
    cluster.members[others[0]].stop(SIGKILL)
    #expect(try connect(order).endpoint == order[1])
  }

  @Test("the leader is found, and the next one when it hangs")
  func election() throws {
    let first = try leader()
    let others = cluster.endpoints.indices.filter { $0 != first }
    for other in others {
      let error = #expect(throws: OVSDBError.self) {
        try connect([cluster.endpoints[other]], .leading, until: .after(.seconds(2)))
      }
      #expect(error == .unfit(cluster.endpoints[other], "it is not the leader"))
    }
    cluster.members[first].suspend()
    defer { cluster.members[first].resume() }
    let second = try connect([first, others[0], others[1]].map { cluster.endpoints[$0] }, .leading)
    #expect(second.endpoint != cluster.endpoints[first])
    try insert("Emma", second)
  }

  @Test("without a majority no member is of use, and the error says so of each by the deadline")
  func minority() throws {
    let leader = try leader()
    for member in cluster.members.indices where member != leader {
      cluster.members[member].stop(SIGKILL)
    }
    // The one that is left notices by its election timer.
    try eventually("the loss of the majority", timeout: .seconds(20)) {
      do {
        _ = try connect(nil, until: .after(.milliseconds(500)))
        return false
      } catch let error as OVSDBError {
        guard case .noMember(let reasons) = error else { return false }
        #expect(reasons.count == 3)
        #expect(error.isTransient)
        return reasons[leader] == .unfit(cluster.endpoints[leader], "it is not part of a majority")
      }
    }
  }

  @Test("where no member accepts connections it ends at once")
  func gone() throws {
    for member in cluster.members { member.stop(SIGKILL) }
    let start = Clock.monotonic
    let error = #expect(throws: OVSDBError.self) { try connect() }
    #expect(Clock.monotonic - start < .seconds(5))
    guard case .noMember(let reasons)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reasons.count == 3)
    #expect(error?.description.hasPrefix("no server of the database is of use: connect(") == true)
  }

  @Test("a server without the database says so")
  func missing() throws {
    let server = try OpenVSwitch.start(switching: false)
    let error = #expect(throws: OVSDBError.self) {
      try connect([Endpoint(server.endpoint)], until: .after(.seconds(2)))
    }
    #expect(
      error == .unfit(.unix(server.socket), "it has no database Shelf"))
  }
}
