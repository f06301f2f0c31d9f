/// The octets written in `hex`, where blanks separate and `#` starts a comment.
func octets(_ hex: String) -> [UInt8] {
  let digits = hex.split(separator: "\n").flatMap { line in
    line.prefix { $0 != "#" }.filter { !$0.isWhitespace }
  }
  return stride(from: 0, to: digits.count, by: 2).map {
    UInt8(String(digits[$0..<min($0 + 2, digits.count)]), radix: 16)!
  }
}

/// A generator of numbers that depend on its seed alone.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
