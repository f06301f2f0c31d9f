import JSON
import OVSDB
import OpenVSwitch
import TestSupport
import Testing

func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

@Suite("Values")
struct ValueTests {
  static let uuid = "36bef046-7da7-43a5-905a-c17899216fcb"

  @Test(
    "a value is read and written as RFC 7047 §5.1 has it",
    arguments: [
      (#""veth1""#, .atom(.string("veth1"))),
      (#""""#, .atom(.string(""))),
      ("-1", .atom(.integer(-1))),
      ("9223372036854775807", .atom(.integer(.max))),
      ("0.5", .atom(.real(0.5))),
      ("true", .atom(.boolean(true))),
      (#"["uuid","\#(uuid)"]"#, .atom(.uuid(uuid))),
      (#"["named-uuid","row0"]"#, .atom(.namedUUID("row0"))),
      (#"["set",[]]"#, .set([])),
      (#"["set",[1,2]]"#, .set([.integer(1), .integer(2)])),
      (#"["set",[["uuid","\#(uuid)"],["named-uuid","a"]]]"#, .set([.uuid(uuid), .namedUUID("a")])),
      (#"["map",[]]"#, .map([])),
      (
        #"["map",[["k","v"],["l",""]]]"#,
        .map([.init(.string("k"), .string("v")), .init(.string("l"), .string(""))])
      ),
      (
        #"["map",[[0,["uuid","\#(uuid)"]]]]"#,
        .map([.init(.integer(0), .uuid(uuid))])
      ),
    ] as [(String, Value)])
  func bothDirections(_ text: String, _ value: Value) throws {
    #expect(Value(try json(text)) == value)
    #expect(String(decoding: value.json.encoded(), as: UTF8.self) == text)
  }

  @Test(
    "what is no value is none",
    arguments: [
      "null", "{}", "[]", #"["set"]"#, #"["set",1]"#, #"["set",[[]]]"#, #"["set",[["set",[]]]]"#,
      #"["set",[],1]"#, #"["map",[1]]"#, #"["map",[["k"]]]"#, #"["map",[["k","v","w"]]]"#,
      #"["map",[["k",null]]]"#, #"["uuid"]"#, #"["uuid",1]"#, #"["other","x"]"#, "[1,2]",
      #"["uuid","x","y"]"#,
    ])
  func malformed(_ text: String) throws { #expect(Value(try json(text)) == nil) }

  @Test("a set of one is the same as its element, and an empty set is nothing")
  func accessors() throws {
    for value in [Value.atom(.integer(5)), .set([.integer(5)])] {
      #expect(value.integer == 5)
      #expect(value.atoms == [.integer(5)])
      #expect(value.string == nil)
      #expect(value.strings.isEmpty)
    }
    for value in [Value.set([]), .map([])] {
      #expect(value.atom == nil)
      #expect(value.integer == nil)
      #expect(value.string == nil)
      #expect(value.boolean == nil)
      #expect(value.uuid == nil)
      #expect(value.atoms.isEmpty)
    }
    #expect(Value.set([.integer(5), .integer(6)]).integer == nil)
    #expect(Value.set([.uuid(Self.uuid)]).uuid == Self.uuid)
    #expect(Value.atom(.boolean(true)).boolean == true)
    let map = Value.map([
      .init(.string("k"), .string("v")), .init(.integer(0), .string("w")),
    ])
    #expect(map.map == ["k": "v"])
    #expect(map.pairs.count == 2)
    #expect(Value.atom(.string("k")).map.isEmpty)
  }

  @Test("a column's content is read from what the server writes for its type")
  func contents() {
    #expect(Int64?.decoded(from: .set([])) == .some(nil))
    #expect(Int64?.decoded(from: .atom(.integer(7))) == 7)
    #expect(Int64?.decoded(from: .set([.integer(7)])) == 7)
    #expect(Int64?.decoded(from: .set([.integer(7), .integer(8)])) == nil)
    #expect(Int64?.decoded(from: .atom(.string("7"))) == nil)
    #expect([Int64].decoded(from: .atom(.integer(42))) == [42])
    #expect([Int64].decoded(from: .set([])) == [])
    #expect([Int64].decoded(from: .set([.integer(1), .string("x")])) == nil)
    #expect([Int64].decoded(from: .map([])) == nil)
    #expect(Double.decoded(from: .atom(.integer(1))) == 1)
    #expect([Reference].decoded(from: .atom(.uuid("a"))) == [.row("a")])
    #expect(
      [Int64: Reference].decoded(from: .map([.init(.integer(0), .uuid("a"))])) == [0: .row("a")])
    #expect([String: String].decoded(from: .map([.init(.integer(0), .uuid("a"))])) == nil)
    #expect([String: String].decoded(from: .set([])) == nil)
  }

  @Test("equal contents are written as equal values")
  func encoding() {
    #expect(Int64?.none.columnValue == .set([]))
    #expect(Int64?.some(7).columnValue == .atom(.integer(7)))
    #expect([Int64(3), 1].columnValue == .set([.integer(3), .integer(1)]))
    #expect(Reference.inserted("a").columnValue == .atom(.namedUUID("a")))
    let keys = (0..<50).map { "key\($0)" }
    let forwards = Dictionary(uniqueKeysWithValues: keys.map { ($0, "v") })
    let backwards = Dictionary(uniqueKeysWithValues: keys.reversed().map { ($0, "v") })
    #expect(forwards.columnValue == backwards.columnValue)
    #expect(forwards.columnValue.pairs.map(\.key) == keys.sorted().map { .string($0) })
  }

  @Test("a row gives the columns that were selected, and traps at another")
  func rows() async {
    let row = Row<InterfaceTable>(values: [
      "name": .atom(.string("veth1")), "ofport": .set([]), "mtu": .atom(.integer(1500)),
    ])
    #expect(row[.name] == "veth1")
    #expect(row[.ofport] == nil)
    #expect(row[.mtu] == 1500)
    await #expect(processExitsWith: .failure) {
      _ = Row<InterfaceTable>(values: ["name": .atom(.string("veth1"))])[.ofport]
    }
  }

  @Test("a value that is written is read again, and no JSON traps the reader")
  func properties() throws {
    var numbers = SeededGenerator(7047)
    for _ in 0..<20_000 {
      let value = Self.value(&numbers)
      #expect(Value(value.json) == value)
      let wild = Self.anything(&numbers, depth: 4)
      if let value = Value(wild) {
        _ = (value.atom, value.map, value.strings, value.boolean)
        _ = [String: String].decoded(from: value)
        _ = [Reference].decoded(from: value)
        _ = Double?.decoded(from: value)
        #expect(Value(value.json) == value)
      }
    }
  }

  static func atom(_ numbers: inout SeededGenerator) -> Atom {
    switch Int.random(in: 0..<6, using: &numbers) {
    case 0:
      .string(["", "uuid", "set", "é\u{0}\n\"", "veth1"].randomElement(using: &numbers) ?? "")
    case 1: .integer(Int64(bitPattern: numbers.next()))
    case 2: .real(Double.random(in: -1e9...1e9, using: &numbers))
    case 3: .boolean(numbers.next() & 1 == 0)
    case 4: .uuid(uuid)
    default: .namedUUID("row\(numbers.next() % 9)")
    }
  }
  static func value(_ numbers: inout SeededGenerator) -> Value {
    let count = Int.random(in: 0..<4, using: &numbers)
    switch Int.random(in: 0..<3, using: &numbers) {
    case 0: return .atom(atom(&numbers))
    case 1: return .set((0..<count).map { _ in atom(&numbers) })
    default: return .map((0..<count).map { _ in .init(atom(&numbers), atom(&numbers)) })
    }
  }
  /// Any JSON value, more often than not one that looks like the protocol's.
  static func anything(_ numbers: inout SeededGenerator, depth: Int) -> JSONValue {
    let words = [
      "uuid", "set", "map", "named-uuid", "id", "result", "error", "method", "params", "update2",
      "update", "echo", "initial", "insert", "modify", "delete", "new", "old", "rows", "count",
      "Interface", "Open_vSwitch", "cur_cfg", "ofport", "name", "external_ids", uuid, "details", "",
    ]
    func word(_ numbers: inout SeededGenerator) -> String {
      words.randomElement(using: &numbers) ?? ""
    }
    let count = Int.random(in: 0..<4, using: &numbers)
    switch Int.random(in: 0..<(depth > 0 ? 9 : 5), using: &numbers) {
    case 0: return .null
    case 1: return .bool(numbers.next() & 1 == 0)
    case 2: return .integer(Int64.random(in: -2...9, using: &numbers))
    case 3: return .real(0.5)
    case 4: return .string(word(&numbers))
    case 5:
      let tag = ["set", "map", "uuid"].randomElement(using: &numbers) ?? ""
      return [.string(tag), anything(&numbers, depth: depth - 1)]
    case 6: return .array((0..<count).map { _ in anything(&numbers, depth: depth - 1) })
    default:
      var object = JSONObject()
      for _ in 0..<count { object[word(&numbers)] = anything(&numbers, depth: depth - 1) }
      return .object(object)
    }
  }
}
