import Linux

/// Text in lines of at most 80 columns.
enum Paragraph {
  static func lines(_ text: String, indentation: Int = 0) -> [String] {
    let margin = String(repeating: " ", count: indentation)
    var lines: [String] = []
    var line = margin
    for word in text.controlCharactersEscaped.split(separator: " ") {
      if line.count > margin.count, line.count + 1 + word.count > 80 {
        lines.append(line)
        line = margin
      }
      line += (line.count > margin.count ? " " : "") + word
    }
    return lines + [line]
  }
}
