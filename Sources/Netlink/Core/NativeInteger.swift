// Integers in the byte order of this machine, which netlink(7) uses.

extension Array where Element == UInt8 {
  mutating func append(native value: some FixedWidthInteger) {
    let ordered = value.littleEndian
    for octet in 0..<(ordered.bitWidth / 8) {
      append(UInt8(truncatingIfNeeded: ordered >> (8 * octet)))
    }
  }

  /// Writes `value` over the octets at `offset`, which must be there.
  mutating func overwrite(native value: some FixedWidthInteger, at offset: Int) {
    let ordered = value.littleEndian
    for octet in 0..<(ordered.bitWidth / 8) {
      self[offset + octet] = UInt8(truncatingIfNeeded: ordered >> (8 * octet))
    }
  }

  /// Appends zeros until the number of octets is a multiple of four (`NLMSG_ALIGNTO`).
  mutating func align() { while count % 4 != 0 { append(0) } }
}

extension Span where Element == UInt8 {
  /// The integer at `offset`; nil if it does not fit.
  func integer<Number: FixedWidthInteger>(at offset: Int) -> Number? {
    let size = Number.bitWidth / 8
    guard offset >= 0, offset <= count - size else { return nil }
    var value: Number = 0
    for octet in 0..<size {
      value |= Number(truncatingIfNeeded: self[offset + octet]) << (8 * octet)
    }
    return Number(littleEndian: value)
  }

  /// A copy.
  var octets: [UInt8] { indices.map { self[$0] } }
}

extension ArraySlice where Element == UInt8 {
  /// The integer at `offset` from the start; nil if it does not fit.
  func integer<Number: FixedWidthInteger>(at offset: Int) -> Number? { span.integer(at: offset) }
}
