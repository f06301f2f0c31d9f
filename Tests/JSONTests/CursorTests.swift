import JSON
import Testing

@Suite("Decoding JSON")
struct CursorTests {
  private let document: JSONValue = [
    "name": "net", "vlan": 9100, "mtu": "1500", "empty": .null, "flag": 1, "list": [1, "x"],
    "big": .integer(1 << 40), "real": .real(1.5),
    "ipam": ["ranges": [[["subnet": 4]]], "dataDir": "/x"],
  ]
  private var json: JSONCursor { JSONCursor(document) }

  /// The message with which `body` is refused.
  private func message(_ body: () throws(JSONDecodingError) -> Void) -> String? {
    do { try body() } catch { return error.description }
    return nil
  }

  @Test("a value is decoded as what is asked for")
  func values() throws {
    #expect(try json["name"].decode(String.self) == "net")
    #expect(try json["vlan"].decode(Int.self) == 9100)
    #expect(try json["vlan"].decode(UInt16.self) == 9100)
    #expect(try json["vlan"].decode(in: 0...9100) == 9100)
    #expect(try json["real"].decode(JSONValue.self) == .real(1.5))
    #expect(try json["ipam"]["ranges"].elements[0].elements[0]["subnet"].decode(Int.self) == 4)
    #expect(try json["list"].decode([JSONValue].self) == [1, "x"])
    #expect(try json["ipam"].members.map(\.name) == ["ranges", "dataDir"])
  }

  @Test("absent and null are nothing, empty is something")
  func absence() throws {
    #expect(json["no"].isAbsent && json["no"]["such"]["thing"].isAbsent && json["empty"].isAbsent)
    #expect(json["empty"].value == .null && json["no"].value == nil)
    #expect(try json["no"].decodeIfPresent(String.self) == nil)
    #expect(try json["empty"].decodeIfPresent(in: 0...5) == nil)
    #expect(try json["empty"].decodeIfPresent([Int].self) == nil)
    #expect(try JSONCursor([]).decodeIfPresent([Int].self) == [])
  }

  @Test("a wrong type is not absence, however deep the member is that is asked for")
  func wrongTypes() throws {
    let inside = json["name"]["x"]["y"]
    #expect(!inside.isAbsent && inside.value == nil)
    for read: () throws -> Void in [
      { _ = try inside.decodeIfPresent(Int.self) }, { _ = try inside.decode(String.self) },
      { _ = try inside.elements }, { _ = try inside.members }, { try inside.checkObject() },
      { _ = try inside.decodeIfPresent(in: 0...5) },
    ] {
      #expect(
        throws: JSONDecodingError(path: json["name"].path, reason: "\"net\" is not an object")
      ) {
        try read()
      }
    }
    try json["no"].checkObject()
    try json["empty"]["x"].checkObject()
    try json["ipam"].checkObject()
  }

  @Test("a message says where, what is there and what is legal")
  func messages() {
    let cursor = json
    #expect(
      message { () throws(JSONDecodingError) in _ = try cursor["vlan"].decode(in: 0...4094) }
        == "vlan: 9100 is not in 0…4094")
    #expect(
      message { () throws(JSONDecodingError) in _ = try cursor["mtu"].decode(in: 68...65535) }
        == "mtu: \"1500\" is not an integer in 68…65535")
    #expect(
      message { () throws(JSONDecodingError) in _ = try cursor["mtu"].decode(Int.self) }
        == "mtu: \"1500\" is not an integer")
    #expect(
      message { () throws(JSONDecodingError) in _ = try cursor["big"].decode(UInt8.self) }
        == "big: 1099511627776 is not in 0…255")
    #expect(
      message { () throws(JSONDecodingError) in _ = try cursor["big"].decode(in: UInt8(1)...9) }
        == "big: 1099511627776 is not in 1…9")
    #expect(
      message { () throws(JSONDecodingError) in _ = try cursor["flag"].decode(Bool.self) }
        == "flag: 1 is not true or false")
    #expect(
      message { () throws(JSONDecodingError) in _ = try cursor["real"].decode(Int.self) }
        == "real: 1.5 is not an integer")
    #expect(
      message { () throws(JSONDecodingError) in _ = try cursor["bridge"].decode(String.self) }
        == "bridge: missing; a string is required")
    #expect(
      message { () throws(JSONDecodingError) in _ = try cursor["empty"].decode(String.self) }
        == "empty: missing; a string is required")
    #expect(
      message { () throws(JSONDecodingError) in _ = try cursor["list"].decode([Int].self) }
        == "list[1]: \"x\" is not an integer")
    #expect(
      message { () throws(JSONDecodingError) in _ = try cursor["ipam"].elements }
        == "ipam: an object is not an array")
    #expect(
      message { () throws(JSONDecodingError) in _ = try cursor["list"].members }
        == "list: an array is not an object")
    #expect(
      message { () throws(JSONDecodingError) in
        _ = try cursor["ipam"]["ranges"].elements[0].elements[0]["subnet"].decode(String.self)
      } == "ipam.ranges[0][0].subnet: 4 is not a string")
    #expect(
      message { () throws(JSONDecodingError) in _ = try cursor.decode(String.self) }
        == "an object is not a string")
    let long = JSONCursor(.string(String(repeating: "x", count: 65)))
    #expect(
      message { () throws(JSONDecodingError) in _ = try long.decode(Bool.self) }
        == "a string is not true or false")
  }

  @Test("a member is found in whatever case, the exact one first")
  func caseInsensitive() throws {
    #expect(try json["ipam"]["datadir"].decode(String.self) == "/x")
    #expect(try json["IPAM"]["DATADIR"].decode(String.self) == "/x")
    let both: JSONValue = ["DATADIR": 1, "dataDir": 2, "datadir": 3]
    #expect(try JSONCursor(both)["datadir"].decode(Int.self) == 3)
    #expect(try JSONCursor(both)["dataDir"].decode(Int.self) == 2)
    #expect(try JSONCursor(both)["DataDir"].decode(Int.self) == 1)
    // ASCII only: the long s is not an s.
    #expect(JSONCursor(["mſ": 1])["ms"].isAbsent)
    #expect(JSONCursor(["@": 1])["`"].isAbsent)
  }
}

@Suite("Objects")
struct ObjectTests {
  @Test("members are added at the end, changed in place and removed")
  func subscripting() {
    var object = JSONObject([("a", 1), ("b", nil), ("c", .null)])
    #expect(object.members.map(\.name) == ["a", "c"])
    object["d"] = 4
    object["a"] = "x"
    object["c"] = nil
    object["none"] = nil
    #expect(object == JSONObject([("a", "x"), ("d", 4)]))
    #expect(object["d"] == 4 && object["e"] == nil)
    #expect(!object.isEmpty && JSONObject().isEmpty)
  }

  @Test("a value's parts are nil where it is something else")
  func accessors() {
    let value: JSONValue = ["s": "t", "i": 5, "a": [1]]
    #expect(value["s"]?.text == "t" && value["i"]?.integer == 5 && value["a"]?.array == [1])
    #expect(value["s"]?.integer == nil && value["i"]?.text == nil && value["a"]?.object == nil)
    #expect(value["x"] == nil && JSONValue.null["x"] == nil && value.array == nil)
  }
}
