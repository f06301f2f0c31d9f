import JSON
import TestSupport
import Testing

@testable import OVSDB
import OpenVSwitch

/// What ovsdb-server 3.1.0 sent, text by text.
@Suite("Updates of a monitor")
struct MonitorStateTests {
  static let uuid = "99da7256-e05c-45bc-8310-051d32716a6c"

  func state(_ rows: MonitoredRows<OpenVSwitchDatabase>, isConditional: Bool = true) -> MonitorState
  {
    MonitorState(
      database: "Open_vSwitch", monitored: [rows.request], isConditional: isConditional,
      request: .init(id: 1, method: "monitor_cond", changes: false, end: 0))
  }
  func row<T>(_ state: MonitorState, of table: T) -> Row<T>? where T: Table {
    state.rows[table.name]?.first.map { Row(values: $0.value) }
  }

  @Test("an optional column's change is its new value, a set's and a map's is the difference")
  func differences() throws {
    var state = state(.rows(of: .port, .columns(.name, .tag, .trunks, .vlanMode, .externalIDs)))
    func update(_ kind: String, _ row: String) throws {
      let text = #"{"Port":{"\#(Self.uuid)":{"\#(kind)":\#(row)}}}"#
      #expect(state.apply(try json(text)))
    }
    try update("initial", #"{"name":"v0"}"#)
    #expect(row(state, of: .port)?[.uuid] == .row(Self.uuid))
    #expect(row(state, of: .port)?[.name] == "v0")
    #expect(row(state, of: .port)?[.tag] == nil)

    let tags: [(String, Int64?)] = [("5", 5), ("6", 6), (#"["set",[]]"#, nil)]
    for (difference, tag) in tags {
      try update("modify", #"{"tag":\#(difference)}"#)
      #expect(row(state, of: .port)?[.tag] == tag)
    }
    // Written as 1, 2, 3; then 2, 3, 4; then 4; then nothing.
    let trunks: [(String, Set<Int64>)] = [
      (#"["set",[1,2,3]]"#, [1, 2, 3]), (#"["set",[1,4]]"#, [2, 3, 4]),
      (#"["set",[2,3]]"#, [4]), ("4", []),
    ]
    for (difference, vlans) in trunks {
      try update("modify", #"{"trunks":\#(difference)}"#)
      #expect(row(state, of: .port).map { Set($0[.trunks]) } == vlans)
    }
    let maps = [
      (#"["map",[["a","1"],["b","2"]]]"#, ["a": "1", "b": "2"]),
      (#"["map",[["b","3"],["c","4"]]]"#, ["a": "1", "b": "3", "c": "4"]),
      (#"["map",[["a","1"],["c","4"]]]"#, ["b": "3"]),
    ]
    for (difference, map) in maps {
      try update("modify", #"{"external_ids":\#(difference)}"#)
      #expect(row(state, of: .port)?[.externalIDs] == map)
    }
    for (difference, mode) in [(#""trunk""#, "trunk"), (#"["set",[]]"#, nil)] {
      try update("modify", #"{"vlan_mode":\#(difference)}"#)
      #expect(row(state, of: .port)?[.vlanMode] == mode)
    }
    try update("delete", "null")
    #expect(row(state, of: .port) == nil)
  }

  @Test("what ovs-vswitchd tells of a port comes in one update")
  func capture() throws {
    var state = state(
      .rows(of: .interface, where: [.equal(.name, "v0")], .columns(.name, .ofport, .error)))
    #expect(state.apply(try json("{}")))
    #expect(state.apply(try json(#"{"Interface":{"a":{"insert":{"name":"nosuch"}}}}"#)))
    #expect(
      state.apply(
        try json(
          #"{"Interface":{"a":{"modify":{"ofport":-1,"#
            + #""error":"could not open network device nosuch (No such device)"}}}}"#)))
    #expect(row(state, of: .interface)?[.ofport] == -1)
    #expect(
      row(state, of: .interface)?[.error]
        == "could not open network device nosuch (No such device)")
  }

  @Test("RFC 7047's updates carry whole rows, of which those are kept that the conditions hold for")
  func plainUpdates() throws {
    var state = state(
      .rows(of: .interface, where: [.equal(.name, "v0")], .columns(.ofport)), isConditional: false)
    #expect(
      state.apply(
        try json(
          #"{"Interface":{"a":{"new":{"name":"v0","ofport":["set",[]]}},"#
            + #""b":{"new":{"name":"v1","ofport":2}}}}"#)))
    #expect(state.rows["Interface"]?.keys.sorted() == ["a"])
    #expect(
      state.apply(
        try json(
          #"{"Interface":{"a":{"old":{"ofport":["set",[]]},"new":{"name":"v0","ofport":3}}}}"#)))
    #expect(row(state, of: .interface)?[.ofport] == 3)
    #expect(state.apply(try json(#"{"Interface":{"a":{"old":{"name":"v0","ofport":3}}}}"#)))
    #expect(row(state, of: .interface) == nil)
  }

  @Test(
    "a condition holds as it does on the server",
    arguments: [
      (.equal(.tag, 5), true), (.equal(.tag, 6), false), (.equal(.tag, nil), false),
      (.notEqual(.tag, nil), true), (.equal(.trunks, [2, 1]), true), (.equal(.trunks, [1]), false),
      (.notEqual(.trunks, [1]), true), (.includes(.trunks, [1]), true),
      (.includes(.trunks, [1, 3]), false), (.includes(.trunks, []), true),
      (.excludes(.trunks, [3]), true), (.excludes(.trunks, [1, 3]), false),
      (.includes(.externalIDs, ["a": "1"]), true), (.includes(.externalIDs, ["a": "2"]), false),
      (.excludes(.externalIDs, ["a": "2"]), true), (.excludes(.externalIDs, ["a": "1"]), false),
      (.equal(.vlanMode, nil), true), (.less(.tag, 6), true), (.less(.tag, 5), false),
      (.lessOrEqual(.tag, 5), true), (.greater(.tag, 4), true), (.greaterOrEqual(.tag, 6), false),
      (.equal(.uuid, .row(uuid)), true), (.equal(.uuid, .row("other")), false),
    ] as [(Condition<PortTable>, Bool)])
  func conditions(_ condition: Condition<PortTable>, _ isTrue: Bool) {
    let row: [String: Value] = [
      "tag": .atom(.integer(5)), "trunks": .set([.integer(1), .integer(2)]),
      "vlan_mode": .set([]),
      "external_ids": .map([
        .init(.string("a"), .string("1")), .init(.string("b"), .string("2")),
      ]),
    ]
    #expect(condition.clause.isTrue(of: row, uuid: Self.uuid) == isTrue)
  }

  @Test(
    "a malformed update is refused",
    arguments: [
      "null", "[]", #"{"Other":{}}"#, #"{"Port":[]}"#, #"{"Port":{"u":1}}"#, #"{"Port":{"u":{}}}"#,
      #"{"Port":{"u":{"initial":null}}}"#, #"{"Port":{"u":{"initial":{"tag":null}}}}"#,
      #"{"Port":{"u":{"modify":{"tag":1}}}}"#, #"{"Port":{"u":{"other":{}}}}"#,
    ])
  func malformed(_ text: String) throws {
    var state = state(.rows(of: .port, .columns(.tag)))
    #expect(!state.apply(try json(text)))
  }

  @Test("no update traps")
  func properties() {
    var numbers = SeededGenerator(4114)
    for round in 0..<20_000 {
      var state = state(
        .rows(of: .interface, where: [.equal(.name, "")], .columns(.name, .externalIDs, .ofport)),
        isConditional: round & 1 == 0)
      for _ in 0..<3 {
        let change = ValueTests.anything(&numbers, depth: 4)
        let kind = ["initial", "insert", "modify", "delete", "new", "old"]
          .randomElement(using: &numbers)
        _ = state.apply(["Interface": ["u": .object([(kind ?? "", change)])]])
        _ = state.apply(ValueTests.anything(&numbers, depth: 5))
        for (uuid, row) in state.rows["Interface"] ?? [:] {
          let clause = Condition<InterfaceTable>.includes(.externalIDs, ["name": ""]).clause
          _ = clause.isTrue(of: row, uuid: uuid)
        }
      }
    }
  }
}
