/// Bytes as text, with the standard alphabet and padding (RFC 4648 §4).
enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let padding = UInt8(ascii: "=")

  static func encode(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var bits: UInt32 = 0
      for octet in group { bits = bits << 8 | UInt32(octet) }
      bits <<= 8 * UInt32(3 - group.count)
      for position in 0..<4 {
        let index = Int(bits >> UInt32(18 - 6 * position) & 63)
        out.append(position <= group.count ? alphabet[index] : padding)
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// Nil where `text` is not Base64.
  static func decode(_ text: String) -> [UInt8]? {
    let symbols = Array(text.utf8.filter { $0 != 0x0a && $0 != 0x0d })
    guard symbols.count % 4 == 0 else { return nil }
    let data = symbols.reversed().drop { $0 == padding }.reversed()
    guard symbols.count - data.count <= 2 else { return nil }
    var out: [UInt8] = []
    out.reserveCapacity(symbols.count / 4 * 3)
    var bits: UInt32 = 0
    var held: UInt32 = 0
    for symbol in data {
      guard let value = alphabet.firstIndex(of: symbol) else { return nil }
      bits = bits << 6 | UInt32(value)
      held += 6
      if held >= 8 {
        held -= 8
        out.append(UInt8(truncatingIfNeeded: bits >> held))
      }
    }
    return out
  }
}
