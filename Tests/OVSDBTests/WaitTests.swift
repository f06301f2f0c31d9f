import CLinux
import Foundation
import JSON
import Linux
import TestSupport
import Testing

@testable import OVSDB
import OpenVSwitch

/// What becomes of a connection when the server is slow, gone or talkative.
@Suite("Waiting for ovsdb-server", .privateHost)
struct WaitTests {
  let server: OpenVSwitch
  let soon = Deadline.after(.seconds(10))
  static let change: [DatabaseOperation<OpenVSwitchDatabase>] = [
    .mutate(.openVSwitch, where: [], [.add(1, to: .nextConfiguration)])
  ]

  init() throws { server = try .start(switching: false) }

  func connect() throws -> Connection {
    try Connection(try Endpoint(server.endpoint), until: soon)
  }

  @Test("a server that does not answer in time is given up, and its late answer still counts")
  func deadline() throws {
    let connection = try connect()
    let daemon = try #require(server.server)
    daemon.suspend()
    let pending = connection.send(Transaction(Self.change))
    let start = Clock.monotonic
    let error = #expect(throws: OVSDBError.self) {
      try connection.results(of: pending, until: .after(.milliseconds(200)))
    }
    let time = Clock.monotonic - start
    #expect(time >= .milliseconds(200) && time < .seconds(2))
    #expect(
      error?.description
        == "ovsdb-server at \(server.endpoint): waiting for the answer to transact (mutate "
        + "Open_vSwitch): the deadline passed; the request may have taken effect")
    #expect(error?.mayHaveTakenEffect == true)

    let reading = #expect(throws: OVSDBError.self) {
      try connection.transact([.select(from: .bridge)], until: .after(.milliseconds(50)))
    }
    #expect(reading?.mayHaveTakenEffect == false, "a selection has no effect")
    daemon.resume()
    #expect(try connection.results(of: pending, until: soon).all.first?.count == 1)
  }

  @Test("what a stopped server did not receive whole has no effect")
  func unsent() throws {
    let connection = try connect()
    try #require(server.server).suspend()
    let text = String(repeating: "x", count: 4 << 20)
    let large = DatabaseOperation<OpenVSwitchDatabase>.mutate(
      .openVSwitch, where: [], [.insert(["large": text], into: .externalIDs)])
    let error = #expect(throws: OVSDBError.self) {
      try connection.transact([large], until: .after(.milliseconds(200)))
    }
    #expect(error?.mayHaveTakenEffect == false)
    try #require(server.server).resume()
    // The rest of it leaves with what follows.
    _ = try connection.transact([.comment("after")], until: soon)
    var transaction = Transaction()
    let row = transaction.select(from: .openVSwitch, .columns(.externalIDs))
    let results = try connection.transact(transaction, until: soon)
    #expect(results[row].first?[.externalIDs]["large"] == text)
  }

  @Test("a server that goes away in the middle of a request is told from one that said no")
  func closed() throws {
    let connection = try connect()
    let idle = try connect()
    for connection in [connection, idle] {
      _ = try connection.transact([.comment("accepted")], until: soon)
    }
    let daemon = try #require(server.server)
    daemon.suspend()
    let pending = connection.send(Transaction(Self.change))
    connection.flush()
    daemon.stop(SIGKILL)
    let error = #expect(throws: OVSDBError.self) {
      try connection.results(of: pending, until: soon)
    }
    guard case .connectionLost(_, _, waitingFor: _, effect: .possible)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    // The end is known before anything is sent: nothing can have happened.
    let unsent = #expect(throws: OVSDBError.self) {
      try idle.transact(Self.change, until: soon)
    }
    #expect(unsent?.mayHaveTakenEffect == false)
    #expect(unsent?.description.contains("EPIPE (Broken pipe)") == true)

    let refused = #expect(throws: OVSDBError.self) { try connect() }
    #expect(
      refused?.description
        == "connect(\(server.socket)): ECONNREFUSED (Connection refused); is ovsdb-server running?")
  }

  @Test("where there is no socket the message asks for the server")
  func missing() throws {
    let error = #expect(throws: OVSDBError.self) {
      try Connection(.unix("/nowhere/db.sock"), until: soon)
    }
    #expect(
      error?.description
        == "connect(/nowhere/db.sock): ENOENT (No such file or directory); is ovsdb-server running?"
    )
    let closed = try Endpoint("tcp:127.0.0.1:1")
    let refused = #expect(throws: OVSDBError.self) { try Connection(closed, until: soon) }
    #expect(
      refused?.description
        == "connect(TCP port 1): ECONNREFUSED (Connection refused) at tcp:127.0.0.1:1; is "
        + "ovsdb-server running?")
  }

  @Test(
    "a connection over TCP is the same, and the server's echo is answered while waiting",
    arguments: ["127.0.0.1", "[::1]"])
  func echo(_ address: String) throws {
    // A manager of the database can have a short inactivity probe: the server asks for an echo
    // after a second of silence, and hangs up after another without one.
    try run(
      "ovs-appctl",
      [
        "-t", "\(server.directory.path)/server.ctl", "ovsdb-server/add-remote",
        "db:Open_vSwitch,Open_vSwitch,manager_options",
      ]
    ).checked()
    try server.vsctl(
      "--no-wait", "set-manager", "ptcp:0:\(address)", "--", "set", "Manager",
      "ptcp:0:\(address)", "inactivity_probe=1000")
    var port = ""
    try eventually("a port") {
      port = try server.rows("Manager").first?["status"]["bound_port"].text ?? ""
      return !port.isEmpty
    }
    let connection = try Connection(try Endpoint("tcp:\(address):\(port)"), until: soon)
    let monitor = connection.monitor([.rows(of: .openVSwitch, .columns(.nextConfiguration))])
    try monitor.begin(until: soon)
    #expect(throws: OVSDBError.self) {
      try monitor.wait(until: .after(.milliseconds(3500)), for: "nothing") { _ in false }
    }
    #expect(try connection.transact(Self.change, until: soon).first?.count == 1)
    let row = try #require(monitor.rows(of: .openVSwitch).first)
    #expect(row[.nextConfiguration] == 1)
  }

  @Test("a server that never stops talking does not outlast the deadline")
  func chatter() throws {
    let connection = try connect()
    let monitor = connection.monitor([.rows(of: .openVSwitch, .columns(.nextConfiguration))])
    try monitor.begin(until: soon)
    // Each own change is told before its answer; there is always something to read.
    for _ in 0..<20_000 { _ = connection.send(Transaction(Self.change)) }
    #expect(throws: OVSDBError.self) {
      try monitor.wait(until: .after(.milliseconds(50)), for: "nothing") { _ in false }
    }
    let row = try #require(monitor.rows(of: .openVSwitch).first)
    #expect(row[.nextConfiguration] < 20_000, "there was more to come")
  }

  @Test("a lock is found held or not, and is never kept")
  func lock() throws {
    let holder = try connect()
    let probe = try connect()
    #expect(try !probe.isLockHeld("test", until: soon))
    #expect(try !probe.isLockHeld("test", until: soon))
    let request = holder.session.enqueue("lock", ["test"])
    let result = try holder.session.answer(to: request, until: soon, "the answer to lock")
    #expect(result["locked"] == true, "the probe has let it go")
    #expect(try probe.isLockHeld("test", until: soon))
    #expect(try probe.isLockHeld("test", until: soon))
    #expect(try !probe.isSwitchConnected(until: soon))
    let unlock = holder.session.enqueue("unlock", ["test"])
    _ = try holder.session.answer(to: unlock, until: soon, "the answer to unlock")
    #expect(try !probe.isLockHeld("test", until: soon), "the probe does not queue for it")
  }

  @Test("without a row in Open_vSwitch a commit says how to make one")
  func uninitialized() throws {
    let connection = try connect()
    _ = try connection.transact([.delete(from: .openVSwitch, where: [])], until: soon)
    let error = #expect(throws: OVSDBError.self) {
      try connection.commit(Transaction(), until: soon)
    }
    #expect(error == .uninitialized(connection.endpoint))
  }

  @Test("a commit that no ovs-vswitchd takes over ends at the deadline, and says what is certain")
  func unserved() throws {
    let connection = try connect()
    let error = #expect(throws: OVSDBError.self) {
      try connection.commit(Transaction(), until: .after(.milliseconds(100)))
    }
    #expect(
      error?.description
        == "ovsdb-server at \(server.endpoint): waiting for configuration 1 to be taken over (it "
        + "has 0; is ovs-vswitchd running?): the deadline passed; the transaction took effect")
    #expect(error?.mayHaveTakenEffect == true)
  }
}
