import JSON
import Testing

@Suite("Letters and white space")
struct LetterTests {
  @Test("white space is what has that property in Unicode")
  func space() {
    let scalars = (UInt32(0)...0x10ffff).lazy.compactMap { Unicode.Scalar($0) }
    #expect(scalars.filter { $0.isSpace != $0.properties.isWhitespace }.map { $0.value } == [])
  }

  @Test("letters of ASCII become small, and nothing else changes")
  func letters() {
    let ascii = String(String.UnicodeScalarView((UInt8(0)...127).map { Unicode.Scalar($0) }))
    #expect(ascii.asciiLowercased == ascii.lowercased())
    #expect("ÄÉ\u{212a}".asciiLowercased == "ÄÉ\u{212a}")
  }
}
