internal import JSON

extension JSONValue {
  /// The compact text of this value, as Go's encoding/json writes it.
  ///
  /// It differs from ours in that `<`, `>`, `&`, U+2028 and U+2029 are escaped, and in the form of
  /// numbers.
  func goEncoded() -> [UInt8] {
    var out: [UInt8] = []
    writeGo(to: &out)
    return out
  }

  /// As a map of Go is written: members sorted by the bytes of their names, here and below, and
  /// numbers that have been doubles.
  var asGoMap: JSONValue {
    switch self {
    case .object(let object):
      let members = object.members.map { ($0.name, Optional($0.value.asGoMap)) }
      return .object(members.sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) })
    case .array(let items): return .array(items.map { $0.asGoMap })
    case .integer(let number) where number.magnitude > 1 << 53: return .real(Double(number))
    default: return self
    }
  }

  private func writeGo(to out: inout [UInt8]) {
    switch self {
    case .null: out += "null".utf8
    case .bool(let value): out += (value ? "true" : "false").utf8
    case .integer(let number): out += String(number).utf8
    case .real(let number): out += Self.goNumber(number).utf8
    case .string(let text): Self.writeGo(text, to: &out)
    case .array(let items):
      out.append(UInt8(ascii: "["))
      for (position, item) in items.enumerated() {
        if position > 0 { out.append(UInt8(ascii: ",")) }
        item.writeGo(to: &out)
      }
      out.append(UInt8(ascii: "]"))
    case .object(let object):
      out.append(UInt8(ascii: "{"))
      for (position, member) in object.members.enumerated() {
        if position > 0 { out.append(UInt8(ascii: ",")) }
        Self.writeGo(member.name, to: &out)
        out.append(UInt8(ascii: ":"))
        member.value.writeGo(to: &out)
      }
      out.append(UInt8(ascii: "}"))
    }
  }

  private static func writeGo(_ text: String, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x22, 0x5c: out += [0x5c, UInt8(truncatingIfNeeded: scalar.value)]
      case 0x08: out += "\\b".utf8
      case 0x09: out += "\\t".utf8
      case 0x0a: out += "\\n".utf8
      case 0x0c: out += "\\f".utf8
      case 0x0d: out += "\\r".utf8
      case 0..<0x20, 0x26, 0x3c, 0x3e, 0x2028, 0x2029:
        let digits = String(scalar.value, radix: 16)
        out += "\\u".utf8
        out += repeatElement(UInt8(ascii: "0"), count: 4 - digits.utf8.count)
        out += digits.utf8
      default: out += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
      }
    }
    out.append(UInt8(ascii: "\""))
  }

  /// The shortest decimal of `number`: without exponent from 1e-6 up to, but not, 1e21.
  private static func goNumber(_ number: Double) -> String {
    guard number.isFinite, number != 0 else { return number.sign == .minus ? "-0" : "0" }
    let words = "\(number.magnitude)".split(separator: "e")
    let mantissa = words.first ?? "0"
    let parts = mantissa.split(separator: ".", omittingEmptySubsequences: false)
    let whole = String(parts.first ?? "0")
    let fraction = parts.count > 1 ? String(parts[1]) : ""
    // The value is 0.DIGITS × 10^point.
    var digits = Array((whole + fraction).utf8)
    var point = whole.utf8.count + (words.count > 1 ? Int(words[1]) ?? 0 : 0)
    while digits.count > 1, digits.first == UInt8(ascii: "0") {
      digits.removeFirst()
      point -= 1
    }
    while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
    let text = String(decoding: digits, as: UTF8.self)
    let sign = number < 0 ? "-" : ""
    if number.magnitude < 1e-6 || number.magnitude >= 1e21 {
      let rest = text.dropFirst()
      let exponent = point - 1
      let plus = exponent < 0 ? "-" : "+"
      return sign + text.prefix(1) + (rest.isEmpty ? "" : "." + rest)
        + "e\(plus)\(exponent.magnitude)"
    }
    if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + text }
    if point >= digits.count {
      return sign + text + String(repeating: "0", count: point - digits.count)
    }
    return sign + text.prefix(point) + "." + text.dropFirst(point)
  }
}
