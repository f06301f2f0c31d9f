extension String {
  /// This text in one line, with control characters as escapes (`\n`, `\u{1b}`), and so what moves
  /// the cursor, ends a line or turns the direction of writing.
  ///
  /// For text from outside that goes to a terminal or a log, where it could pass for another line.
  public var controlCharactersEscaped: String {
    guard unicodeScalars.contains(where: Self.isControl) else { return self }
    var text = ""
    for scalar in unicodeScalars {
      guard Self.isControl(scalar) else {
        text.unicodeScalars.append(scalar)
        continue
      }
      switch scalar {
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      default: text += "\\u{" + String(scalar.value, radix: 16) + "}"
      }
    }
    return text
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    // C0, DEL and C1.
    case 0..<0x20, 0x7f..<0xa0: true
    // Line and paragraph separators; marks, embeddings, overrides and isolates of direction.
    case 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: true
    default: false
    }
  }
}
