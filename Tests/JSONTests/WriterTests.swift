import Foundation
import JSON
import TestSupport
import Testing

@Suite("Writing JSON")
struct WriterTests {
  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test(
    "values",
    arguments: [
      (JSONValue.null, "null"), (true, "true"), (.integer(.min), "-9223372036854775808"),
      (.real(1), "1.0"), (.real(-0.02), "-0.02"), (.real(1e300), "1e+300"), (.real(.nan), "null"),
      (.real(.infinity), "null"), ([], "[]"), ([:], "{}"),
      (["b": [1, .null], "a": [:]], #"{"b":[1,null],"a":{}}"#),
      (
        "q\"b\\s/\n\t\u{1}\u{1f}é…😀",
        "\"q\\\"b\\\\s/\\n\\t\\u0001\\u001fé…😀\""
      ),
      // What a terminal would act on: DEL, C1, separators of lines, directions of writing.
      (
        "\u{7f}\u{80}\u{9f}\u{a0}\u{200e}\u{2028}\u{202e}\u{2069}\n\"",
        #""\u007f\u0080\u009f\#u{a0}\u200e\u2028\u202e\u2069\n\"""#
      ),
      (["a\"b": 1], #"{"a\"b":1}"#),
    ] as [(JSONValue, String)])
  func compact(value: JSONValue, expected: String) { #expect(text(value.encoded()) == expected) }

  @Test("indented, one member or element a line")
  func indented() {
    let value: JSONValue = ["a": [1, [], [:]], "b": ["c": "d"]]
    #expect(
      text(value.encoded(indentedBy: 2)) == """
        {
          "a": [
            1,
            [],
            {}
          ],
          "b": {
            "c": "d"
          }
        }
        """)
    #expect(text(JSONValue.array([1]).encoded(indentedBy: -1)) == "[\n1\n]")
  }

  @Test("what is written is read as the same value, by us and by others")
  func roundTrip() throws {
    var generator = SeededGenerator(7)
    for _ in 0..<2000 {
      let value = random(depth: 4, &generator)
      for bytes in [value.encoded(), value.encoded(indentedBy: 3)] {
        #expect(try JSONValue(parsing: bytes) == value)
        _ = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
      }
    }
  }

  private func random(depth: Int, _ generator: inout SeededGenerator) -> JSONValue {
    switch Int.random(in: 0...(depth > 0 ? 6 : 4), using: &generator) {
    case 0: return .null
    case 1: return .bool(.random(using: &generator))
    case 2: return .integer(Int64(truncatingIfNeeded: generator.next() >> generator.next() % 64))
    case 3:
      let real = Double(bitPattern: generator.next())
      // Where a real is zero its sign is not kept by ==.
      return .real(real.isFinite ? real : 0.5)
    case 4: return .string(randomText(&generator))
    case 5:
      return .array((0..<generator.next() % 4).map { _ in random(depth: depth - 1, &generator) })
    default:
      return .object(
        (0..<generator.next() % 4).map {
          ("\($0)" + randomText(&generator), random(depth: depth - 1, &generator))
        })
    }
  }

  private func randomText(_ generator: inout SeededGenerator) -> String {
    var text = ""
    for _ in 0..<generator.next() % 8 {
      let ranges: [ClosedRange<UInt32>] = [
        1...0x1f, 0x20...0x7f, 0x22...0x22, 0x5c...0x5c, 0x80...0xd7ff, 0xe000...0x10ffff,
      ]
      let range = ranges[Int(generator.next() % 6)]
      if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &generator)) {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
