import Linux
import Testing

@Suite("Control characters") struct ControlCharactersTests {
  @Test(
    "are escaped, and nothing else is",
    arguments: [
      ("", ""), ("web_1.a-b", "web_1.a-b"), ("Grüße 🐟 \\n", "Grüße 🐟 \\n"),
      ("a\nb", "a\\nb"), ("a\r\nb\tc", "a\\r\\nb\\tc"), ("\u{1b}[31mred", "\\u{1b}[31mred"),
      ("\0\u{7f}\u{85}\u{9b}", "\\u{0}\\u{7f}\\u{85}\\u{9b}"),
      ("a\u{2028}b\u{202e}c\u{2066}", "a\\u{2028}b\\u{202e}c\\u{2066}"),
    ])
  func escapes(text: String, escaped: String) {
    #expect(text.controlCharactersEscaped == escaped)
  }
}
