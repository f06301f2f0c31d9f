import Linux
import TestSupport
import Testing

@testable import OVSDB
import OpenVSwitch

@Suite("Monitors of ovsdb-server", .privateHost)
struct MonitorTests {
  let server: OpenVSwitch
  let soon = Deadline.after(.seconds(10))

  init() throws {
    server = try .start(switching: false)
    let connection = try connect()
    var transaction = Transaction()
    _ = transaction.addBridge("br0")
    _ = try connection.transact(transaction, until: soon)
  }

  func connect() throws -> Connection {
    try Connection(try Endpoint(server.endpoint), until: soon)
  }

  /// As a server older than 2.6 is spoken to, too.
  @Test("rows follow what others write", arguments: [true, false])
  func follow(_ isConditional: Bool) throws {
    let connection = try connect()
    connection.session.hasConditionalMonitors = isConditional
    let writer = try connect()
    let monitor = connection.monitor([
      .rows(
        of: .port, where: [.equal(.name, "veth1")],
        .columns(.tag, .trunks, .vlanMode, .externalIDs, .isProtected)),
      .rows(of: .bridge, .columns(.name, .ports)),
    ])
    #expect(monitor.rows(of: .bridge).isEmpty, "nothing before the answer")
    try monitor.begin(until: soon)
    #expect(monitor.rows(of: .port).isEmpty)
    #expect(monitor.rows(of: .bridge).first?[.ports].count == 1)

    var transaction = Transaction()
    let other = transaction.addPort("veth0", to: .equal(.name, "br0"))
    let added = transaction.addPort("veth1", to: .equal(.name, "br0"))
    let results = try writer.transact(transaction, until: soon)
    try monitor.wait(until: soon, for: "the port") { !$0.rows(of: .port).isEmpty }
    #expect(monitor.rows(of: .port).map { $0[.uuid] } == [results[added.port]])
    #expect(monitor.rows(of: .bridge).first?[.ports].count == 3)
    #expect(monitor.rows(of: .bridge).first?[.ports].contains(results[other.port]) == true)

    var numbers = SeededGenerator(2)
    for round in 0..<100 {
      let tag = numbers.next() & 1 == 0 ? nil : Int64(numbers.next() % 4096)
      let trunks = (0..<Int64(8)).filter { _ in numbers.next() & 1 == 0 }
      let mode = ["trunk", "access", nil].randomElement(using: &numbers) ?? nil
      var map = ["round": "\(round)"]
      for key in ["a", "b", "c"] where numbers.next() & 1 == 0 {
        map[key] = "\(numbers.next() % 3)"
      }
      let isProtected = numbers.next() & 1 == 0
      _ = try writer.transact(
        [
          .update(
            .port, where: [.equal(.name, "veth1")],
            [
              Cell(.tag, tag), Cell(.trunks, trunks), Cell(.vlanMode, mode),
              Cell(.externalIDs, map), Cell(.isProtected, isProtected),
            ])
        ], until: soon)
      try monitor.wait(until: soon, for: "round \(round)") {
        $0.rows(of: .port).first?[.externalIDs]["round"] == "\(round)"
      }
      let row = try #require(monitor.rows(of: .port).first)
      #expect(row[.tag] == tag)
      #expect(row[.trunks].sorted() == trunks)
      #expect(row[.vlanMode] == mode)
      #expect(row[.externalIDs] == map)
      #expect(row[.isProtected] == isProtected)
    }

    var removal = Transaction()
    removal.removePort(results[added.port])
    _ = try writer.transact(removal, until: soon)
    try monitor.wait(until: soon, for: "the end of the port") { $0.rows(of: .port).isEmpty }
    #expect(monitor.rows(of: .bridge).first?[.ports].count == 2)
  }

  @Test("a monitor has a client's own changes before the answer to its transaction")
  func order() throws {
    let connection = try connect()
    let monitor = connection.monitor([.rows(of: .port, .columns(.name))])
    var transaction = Transaction()
    _ = transaction.addPort("veth1", to: .equal(.name, "br0"))
    _ = try connection.transact(transaction, until: soon)
    #expect(Set(monitor.rows(of: .port).map { $0[.name] }) == ["br0", "veth1"])
  }

  @Test("a monitor that ended is told nothing more, and others go on")
  func cancel() throws {
    let connection = try connect()
    let first = connection.monitor([.rows(of: .port, .columns(.name))])
    let second = connection.monitor([.rows(of: .port, .columns(.name))])
    try first.begin(until: soon)
    first.cancel()
    first.cancel()
    var transaction = Transaction()
    _ = transaction.addPort("veth1", to: .equal(.name, "br0"))
    _ = try connection.transact(transaction, until: soon)
    #expect(first.rows(of: .port).isEmpty)
    #expect(second.rows(of: .port).count == 2)
    try first.begin(until: soon)
  }

  @Test("what cannot be monitored is refused, in the server's words", arguments: [true, false])
  func refused(_ isConditional: Bool) throws {
    let connection = try connect()
    connection.session.hasConditionalMonitors = isConditional
    let monitor = connection.monitor([
      .rows(of: .port, .columns(Column<PortTable, String>("colour")))
    ])
    let error = #expect(throws: OVSDBError.self) { try monitor.begin(until: soon) }
    #expect(
      error?.description == "monitor: syntax error: colour is not a valid column name")
    #expect(error?.isRefusal(Refusal.Reason("syntax error")) == true)
    #expect(throws: OVSDBError.self) { try monitor.begin(until: soon) }
    #expect(try connection.transact([.comment("x")], until: soon).count == 1)
  }

  @Test("a server that does not know conditions is asked for plain updates, in the same wait")
  func fallback() throws {
    let connection = try connect()
    // Every ovsdb-server at hand knows monitor_cond; none knows this.
    connection.session.conditionalMonitorMethod = "monitor_unheard_of"
    let monitor = connection.monitor([
      .rows(of: .bridge, where: [.equal(.name, "br0")], .columns(.ports))
    ])
    let other = connection.monitor([
      .rows(of: .bridge, where: [.equal(.name, "br1")], .columns(.name))
    ])
    try monitor.begin(until: soon)
    #expect(!connection.session.hasConditionalMonitors)
    #expect(monitor.rows(of: .bridge).first?[.ports].count == 1)
    var transaction = Transaction()
    _ = transaction.addPort("veth1", to: .equal(.name, "br0"))
    _ = try connection.transact(transaction, until: soon)
    #expect(monitor.rows(of: .bridge).first?[.ports].count == 2)
    try other.begin(until: soon)
    #expect(other.rows(of: .bridge).isEmpty)
  }
}
