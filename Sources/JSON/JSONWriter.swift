extension JSONValue {
  /// The compact text of this value, in UTF-8.
  public func encoded() -> [UInt8] {
    var out: [UInt8] = []
    // What most texts take: the array need not grow, and be copied, many times.
    out.reserveCapacity(1024)
    write(to: &out, indentation: nil)
    return out
  }

  /// The text of this value, one member or element a line, `spaces` deeper on each level, in UTF-8.
  public func encoded(indentedBy spaces: Int) -> [UInt8] {
    var out: [UInt8] = []
    write(to: &out, indentation: Indentation(step: max(0, spaces), depth: 0))
    return out
  }

  private struct Indentation {
    let step: Int
    let depth: Int
    var deeper: Indentation { Indentation(step: step, depth: depth + 1) }
    func newLine(in out: inout [UInt8]) {
      out.append(0x0a)
      out += repeatElement(0x20, count: step * depth)
    }
  }

  private func write(to out: inout [UInt8], indentation: Indentation?) {
    switch self {
    case .null: out += "null".utf8
    case .bool(let value): out += (value ? "true" : "false").utf8
    case .integer(let number): out += String(number).utf8
    case .real(let number): out += (number.isFinite ? "\(number)" : "null").utf8
    case .string(let text): Self.write(text, to: &out)
    case .array(let items):
      out.append(UInt8(ascii: "["))
      for (position, item) in items.enumerated() {
        if position > 0 { out.append(UInt8(ascii: ",")) }
        indentation?.deeper.newLine(in: &out)
        item.write(to: &out, indentation: indentation?.deeper)
      }
      if !items.isEmpty { indentation?.newLine(in: &out) }
      out.append(UInt8(ascii: "]"))
    case .object(let object):
      out.append(UInt8(ascii: "{"))
      for (position, member) in object.members.enumerated() {
        if position > 0 { out.append(UInt8(ascii: ",")) }
        indentation?.deeper.newLine(in: &out)
        Self.write(member.name, to: &out)
        out.append(UInt8(ascii: ":"))
        if indentation != nil { out.append(0x20) }
        member.value.write(to: &out, indentation: indentation?.deeper)
      }
      if !object.members.isEmpty { indentation?.newLine(in: &out) }
      out.append(UInt8(ascii: "}"))
    }
  }

  /// Besides what RFC 8259 requires, other control characters are escaped, and so is what turns the
  /// direction of writing: the text may come to a terminal.
  private static func write(_ text: String, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    defer { out.append(UInt8(ascii: "\"")) }
    guard !isPlain(text.utf8.span) else {
      out += text.utf8
      return
    }
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x22, 0x5c: out += [UInt8(ascii: "\\"), UInt8(truncatingIfNeeded: scalar.value)]
      case 0x0a: out += "\\n".utf8
      case 0x09: out += "\\t".utf8
      case 0..<0x20, 0x7f..<0xa0, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069:
        let digits = String(scalar.value, radix: 16)
        out += ("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits).utf8
      default: out += scalar.utf8
      }
    }
  }

  /// Whether these are printable characters of ASCII of which none is escaped, as nearly always.
  private static func isPlain(_ octets: Span<UInt8>) -> Bool {
    for position in octets.indices {
      switch octets[position] {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0..<0x20, 0x7f...: return false
      default: break
      }
    }
    return true
  }
}
