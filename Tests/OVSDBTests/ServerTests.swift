import JSON
import Linux
import TestSupport
import Testing

@testable import OVSDB
import OpenVSwitch

/// With a real ovsdb-server that no ovs-vswitchd serves.
@Suite("Against ovsdb-server", .privateHost)
struct ServerTests {
  let server: OpenVSwitch
  let soon = Deadline.after(.seconds(10))

  init() throws { server = try .start(switching: false) }

  func connect() throws -> Connection {
    try Connection(try Endpoint(server.endpoint), until: soon)
  }
  func addBridge(_ connection: Connection, _ name: String = "br0") throws -> Reference {
    var transaction = Transaction()
    let bridge = transaction.addBridge(name, [Cell(.datapathType, "netdev")])
    return try connection.transact(transaction, until: soon)[bridge]
  }
  func refusal(_ operations: [DatabaseOperation<OpenVSwitchDatabase>]) throws -> TransactionRefusal
  {
    let connection = try connect()
    let error = #expect(throws: OVSDBError.self) {
      try connection.transact(operations, until: soon)
    }
    guard case .transactionRefused(let refusal)? = error else {
      throw try #require(error)
    }
    return refusal
  }

  @Test("a transaction's results are read by the handles of its operations")
  func transact() throws {
    let connection = try connect()
    let bridge = try addBridge(connection)
    var transaction = Transaction()
    let added = transaction.addPort(
      "veth1", to: .equal(.name, "br0"),
      port: [Cell(.tag, 5), Cell(.trunks, [7]), Cell(.isProtected, true)],
      interface: [Cell(.externalIDs, ["owner": "test", "q\"uo\\te": "é"])])
    let row = transaction.select(
      from: .port, where: [.equal(.name, "veth1")],
      .columns(.uuid, .tag, .trunks, .vlanMode, .isProtected, .interfaces))
    let none = transaction.update(.port, where: [.equal(.name, "no")], [Cell(.tag, 1)])
    let results = try connection.transact(transaction, until: soon)
    let port = try #require(results[row].first)
    #expect(results[row].count == 1)
    #expect(port[.uuid] == results[added.port])
    #expect(port[.tag] == 5)
    #expect(port[.trunks] == [7], "a set of one comes as an atom")
    #expect(port[.vlanMode] == nil)
    #expect(port[.isProtected])
    #expect(port[.interfaces] == [results[added.interface]])
    #expect(results[none] == 0)

    let seen = try server.row("Port", "veth1")
    #expect(seen["tag"] == 5)
    #expect(try server.row("Interface", "veth1")["external_ids"]["q\"uo\\te"] == "é")

    var removal = Transaction()
    let removed = removal.removePort(port[.uuid])
    let again = removal.removePort(port[.uuid])
    let gone = try connection.transact(removal, until: soon)
    #expect(gone[removed] == 1)
    #expect(gone[again] == 0)
    #expect(try server.row("Interface", "veth1").isAbsent)

    var last = Transaction()
    let bridges = last.removeBridge(bridge)
    #expect(try connection.transact(last, until: soon)[bridges] == 1)
    #expect(try server.rows("Bridge").isEmpty)
  }

  @Test("rows in error are found by one selection on the server")
  func selection() throws {
    let connection = try connect()
    _ = try addBridge(connection)
    for (name, error) in [("good", nil), ("bad", "could not open network device"), ("other", "x")] {
      var transaction = Transaction()
      _ = transaction.addPort(
        name, to: .equal(.name, "br0"),
        interface: [
          Cell(.error, error), Cell(.externalIDs, ["owner": name == "other" ? "else" : "us"]),
        ])
      _ = try connection.transact(transaction, until: soon)
    }
    var transaction = Transaction()
    let found = transaction.select(
      from: .interface, where: [.includes(.externalIDs, ["owner": "us"]), .notEqual(.error, nil)],
      .columns(.name))
    let results = try connection.transact(transaction, until: soon)
    #expect(results[found].map { $0[.name] } == ["bad"])
  }

  @Test("a value out of range is refused at its operation, in the server's words")
  func constraint() throws {
    let refusal = try refusal([
      .comment("first"), .insert(into: .port, [Cell(.name, "p"), Cell(.tag, 5000)]),
      .comment("last"),
    ])
    #expect(refusal.index == 1)
    #expect(refusal.operation?.table == "Port")
    #expect(
      refusal.description
        == "insert into Port: constraint violation: 5000 is not in the valid range 0 to 4095 "
        + "(inclusive)")
    #expect(try server.rows("Port").isEmpty)
  }

  @Test("a name that is taken is refused at the end of the transaction")
  func duplicate() throws {
    let connection = try connect()
    _ = try addBridge(connection)
    var transaction = Transaction()
    _ = transaction.addPort("veth1", to: .equal(.name, "br0"))
    _ = try connection.transact(transaction, until: soon)
    let refusal = try refusal(transaction.operations)
    #expect(refusal.refusal.reason == .constraintViolation)
    #expect(refusal.index == transaction.operations.count)
    #expect(refusal.operation == nil)
    #expect(
      refusal.description.hasPrefix(
        "commit (wait for Bridge, insert into Interface, insert into Port, mutate Bridge): "
          + "constraint violation: Transaction causes multiple rows in \"Interface\" table to "
          + "have identical values (veth1) for index on column \"name\"."))
  }

  @Test("a row that others point at cannot go")
  func references() throws {
    _ = try addBridge(try connect())
    let refusal = try refusal([.delete(from: .port, where: [.equal(.name, "br0")])])
    #expect(refusal.refusal.reason == Refusal.Reason("referential integrity violation"))
    #expect(refusal.description.hasPrefix("commit (delete from Port): "))
    #expect(refusal.description.hasSuffix("because of 1 remaining reference(s)"))
  }

  @Test("a bridge that is required and not there refuses the whole of it, recognisably")
  func requirement() throws {
    let connection = try connect()
    var transaction = Transaction()
    let added = transaction.addPort("veth1", to: .equal(.name, "missing"))
    let error = #expect(throws: OVSDBError.self) {
      try connection.transact(transaction, until: soon)
    }
    #expect(try added.bridge.isUnmet(#require(error)))
    #expect(
      error?.description == "wait for Bridge: timed out: \"where\" clause test failed")
    #expect(try server.rows("Interface").isEmpty)
  }

  @Test("aborted, unknown table, unknown column and range error keep their names")
  func reasons() throws {
    struct Nowhere: OVSDB.Table {
      typealias Schema = OpenVSwitchDatabase
      let name = "Nowhere"
    }
    #expect(try refusal([.comment("x"), .abort]).refusal.reason == .aborted)
    let table = try refusal([.select(from: Nowhere())])
    #expect(table.refusal.reason == Refusal.Reason("syntax error"))
    #expect(
      table.description
        == "select from Nowhere: syntax error: Parsing ovsdb operation 1 of 1 failed: No table "
        + "named Nowhere.")
    let column = try refusal([.insert(into: .port, [Cell(Column<PortTable, String>("no"), "x")])])
    #expect(column.refusal.reason == Refusal.Reason("unknown column"))
    #expect(
      try refusal([
        .mutate(.openVSwitch, where: [], [.add(.max, to: .nextConfiguration)]),
        .mutate(.openVSwitch, where: [], [.add(.max, to: .nextConfiguration)]),
      ]).refusal.reason == Refusal.Reason("range error"))
  }

  @Test("a method the server does not know is refused by name")
  func unknownMethod() throws {
    let connection = try connect()
    let request = connection.session.enqueue("dance", [])
    let error = #expect(throws: OVSDBError.self) {
      try connection.session.answer(to: request, until: soon, "the answer to dance")
    }
    #expect(error?.description == "dance: unknown method")
    #expect(try connection.transact([.comment("still here")], until: soon).count == 1)
  }

  @Test("requests go out before any answer is read, and answers are read in any order")
  func pipelining() throws {
    let connection = try connect()
    let pending = (0..<200).map { number in
      connection.send(
        Transaction([
          .mutate(.openVSwitch, where: [], [.add(1, to: .nextConfiguration)]),
          .comment("\(number)"),
          .select(from: .openVSwitch, .columns(.nextConfiguration)),
        ]))
    }
    connection.flush()
    for (number, pending) in pending.enumerated().reversed() {
      let results = try connection.results(of: pending, until: soon).all
      #expect(results.last?.rows?.first?["next_cfg"]?.integer == Int64(number + 1))
    }
  }

  @Test("an answer of many rows comes whole, and one beyond the limit is refused")
  func size() throws {
    let connection = try connect()
    let text = String(repeating: "x", count: 50_000)
    for number in 0..<40 {
      _ = try connection.transact(
        [
          .mutate(
            .openVSwitch, where: [], [.insert(["key\(number)": text], into: .externalIDs)])
        ], until: soon)
    }
    var transaction = Transaction()
    let row = transaction.select(from: .openVSwitch, .columns(.externalIDs))
    let results = try connection.transact(transaction, until: soon)
    #expect(results[row].first?[.externalIDs].count == 40)
    #expect(results[row].first?[.externalIDs]["key39"] == text)

    connection.session.textLimit = 1 << 20
    let error = #expect(throws: OVSDBError.self) {
      try connection.transact(transaction, until: soon)
    }
    #expect(error == .protocolViolation(connection.endpoint, "a text of more than 1048576 bytes"))
  }

  @Test("no octets of a server trap the connection")
  func properties() throws {
    var numbers = SeededGenerator(6640)
    for _ in 0..<40 {
      let connection = try connect()
      let rows: [MonitoredRows<OpenVSwitchDatabase>] = [
        .rows(of: .interface, .columns(.name, .externalIDs))
      ]
      for _ in 0..<200 {
        _ = connection.monitor(rows)
        let pending = connection.send(Transaction([.comment("x"), .select(from: .bridge)]))
        let message: JSONValue =
          switch numbers.next() % 4 {
          case 0:
            .object([
              ("id", .integer(Int64(numbers.next() % 4) + pending.request.id - 2)),
              ("result", ValueTests.anything(&numbers, depth: 4)),
              ("error", numbers.next() % 3 == 0 ? ValueTests.anything(&numbers, depth: 2) : .null),
            ])
          case 1:
            .object([
              ("method", numbers.next() & 1 == 0 ? "update" : "update2"), ("id", .null),
              ("params", [1, ["Interface": ValueTests.anything(&numbers, depth: 3)]]),
            ])
          default: ValueTests.anything(&numbers, depth: 4)
          }
        var octets = message.encoded()
        if numbers.next() % 4 == 0, let position = octets.indices.randomElement(using: &numbers) {
          octets[position] = UInt8(truncatingIfNeeded: numbers.next())
        }
        try? connection.session.accept(octets)
        _ = try? connection.results(of: pending, until: .after(.zero))
      }
    }
  }
}
