import JSON
import TestSupport
import Testing

@Suite("Parsing JSON")
struct ParserTests {
  private func parse(_ text: String) throws -> JSONValue {
    try JSONValue(parsing: Array(text.utf8))
  }

  @Test(
    "values",
    arguments: [
      ("null", JSONValue.null), ("true", true), ("false", false), (" 0 ", 0), ("-0", 0),
      ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
      ("1.5", .real(1.5)), ("1.0", .real(1)), ("1e3", .real(1000)), ("-2E-2", .real(-0.02)),
      ("9223372036854775808", .real(0x1p63)), ("-9223372036854775809", .real(-0x1p63)),
      (
        #"["\"",{"9223372036854775808":-18446744073709551616},7]"#,
        ["\"", ["9223372036854775808": .real(-0x1p64)], 7]
      ),
      ("\"\"", ""), ("[]", []), ("{}", [:]), ("[1,[2,{}],\"x\"]", [1, [2, [:]], "x"]),
      ("\t{ \"a\" :\r\n[ null ] } ", ["a": [.null]]),
    ] as [(String, JSONValue)])
  func values(text: String, expected: JSONValue) throws { #expect(try parse(text) == expected) }

  @Test(
    "strings and their escapes",
    arguments: [
      (#""a\"b\\c\/d""#, #"a"b\c/d"#), (#""\b\f\n\r\t""#, "\u{8}\u{c}\n\r\t"),
      (#""\u0041\u00e9\u20ac""#, "Aé€"), (#""\ud83d\ude00""#, "😀"), ("\"Aé€😀\"", "Aé€😀"),
      (#""\u001f\u007f""#, "\u{1f}\u{7f}"), (#""\u2028""#, "\u{2028}"),
    ])
  func strings(text: String, expected: String) throws {
    #expect(try parse(text) == .string(expected))
  }

  @Test("members keep the order they were written in")
  func order() throws {
    let names = (0..<200).map { "m\(($0 * 7919) % 200)" }
    let text = "{" + names.map { "\"\($0)\":1" }.joined(separator: ",") + "}"
    let object = try #require(try parse(text).object)
    #expect(object.members.map(\.name) == names)
  }

  @Test(
    "what is not JSON says where and why",
    arguments: [
      ("{\"a\":1", "line 1, column 6: '}' expected near end of file"),
      ("{\"a\":1,}", "line 1, column 8: string or '}' expected near '}'"),
      ("{\n  \"a\": x}", "line 2, column 8: invalid token near 'x'"),
      ("[1 2]", "line 1, column 4: ']' expected near '2'"),
      ("{} {}", "line 1, column 4: end of file expected near '{'"),
      ("{a:1}", "line 1, column 2: string or '}' expected near 'a'"),
      ("'a'", "line 1, column 1: invalid token near '''"),
      ("nul", "line 1, column 3: invalid token near 'nul'"),
      ("01", "line 1, column 1: invalid token near '0'"),
      ("{\"a\":1,\"a\":2}", "line 1, column 10: duplicate object key near '\"a\"'"),
      ("[99999999999999999999", "line 1, column 23: ']' expected near end of file"),
      ("1e999", "line 1, column 5: real number overflow near '1e999'"),
      (
        #""\u0000""#,
        "line 1, column 8: \\u0000 is not allowed without JSON_ALLOW_NUL near '\"\\u0000\"'"
      ),
      (#""\ud800""#, "line 1, column 8: invalid Unicode '\\uD800' near '\"\\ud800\"'"),
      (#""\x""#, "line 1, column 3: invalid escape near '\"\\x'"),
      ("\"\u{1}\"", "line 1, column 1: control character 0x1 near '\"'"),
      ("", "line 1, column 0: unexpected token near end of file"),
      ("  \n ", "line 2, column 1: unexpected token near end of file"),
    ])
  func errors(text: String, expected: String) {
    let error = #expect(throws: JSONSyntaxError.self) { try parse(text) }
    #expect(error?.description == expected)
  }

  @Test(
    "octets that are not UTF-8 are refused",
    arguments: [[0x80], [0xc0, 0xaf], [0xff], [0xed, 0xa0, 0x80]])
  func notUTF8(octets: [UInt8]) {
    #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: [0x22] + octets + [0x22]) }
    #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: octets) }
  }

  @Test("nesting is bounded, and deep nesting within the bound is no danger")
  func depth() throws {
    func nested(_ depth: Int) -> [UInt8] {
      [UInt8](repeating: 0x5b, count: depth) + [UInt8](repeating: 0x5d, count: depth)
    }
    let value = try JSONValue(parsing: nested(2048))
    #expect(value.encoded() == nested(2048))
    let error = #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: nested(2049)) }
    #expect(error?.text == "maximum parsing depth reached near '['")
    #expect(throws: JSONSyntaxError.self) {
      try JSONValue(parsing: [UInt8](repeating: 0x5b, count: 1_000_000))
    }
  }

  @Test("no octets at all trap the parser")
  func garbage() {
    var generator = SeededGenerator(1)
    let alphabet = Array("{}[]\",:\\u0dE-+.tfn 1\n".utf8) + [0, 0x80, 0xc3, 0xff]
    for _ in 0..<20_000 {
      let count = Int(generator.next() % 24)
      let octets = (0..<count).map { _ in alphabet[Int(generator.next() % UInt64(alphabet.count))] }
      guard let value = try? JSONValue(parsing: octets) else { continue }
      #expect((try? JSONValue(parsing: value.encoded())) == value)
    }
  }

  @Test("a text whose values would fill the memory is refused before any is made")
  func outline() throws {
    let limit = JSONOutline.memoryLimit
    for part in ["{},", "[],", "\"\",", "1,"] {
      let text = Array("[".utf8) + Array(repeatElement(Array(part.utf8), count: 3 << 20).joined())
      let error = #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: text) }
      #expect(error?.text.hasPrefix("too large: ") == true)
      #expect((error?.column ?? 0) < limit / 32)
    }
    let long = "[\"" + String(repeating: "x", count: 4 << 20) + "\"]"
    #expect(try parse(long).array?.count == 1)
  }

  @Test("a member is found in a text that is none from there on")
  func member() {
    func version(_ text: String) -> String? {
      JSONOutline.string("cniVersion", of: Array(text.utf8))
    }
    #expect(version(#"{"a":{"cniVersion":"x"},"CNIVERSION":"1.0.0",,,"#) == "1.0.0")
    #expect(version(#"{"a":"cniVersion","b":["cniVersion","y"],"cniVersion":"2"#) == nil)
    #expect(version(#"{"a":"\",\"cniVersion\":\"z","cniVersion":"3"}"#) == "3")
    #expect(version(#"[{"cniVersion":"1"}]"#) == nil)
    #expect(version(#"{"cniVersion":5}"#) == nil)
    #expect(version("") == nil)
  }
}
