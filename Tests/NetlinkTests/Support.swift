import Addresses
import Foundation

/// The octets written in `hex`, where blanks separate and `#` starts a comment.
func octets(_ hex: String) -> [UInt8] {
  let digits = hex.split(separator: "\n").flatMap { line in
    line.prefix { $0 != "#" }.filter { !$0.isWhitespace }
  }
  return stride(from: 0, to: digits.count, by: 2).map { place in
    let text = String(digits[place...].prefix(2))
    guard let octet = UInt8(text, radix: 16) else { preconditionFailure("not hex: \(text)") }
    return octet
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

/// The prefix that a test writes out.
func prefix(_ text: String) -> IPPrefix {
  do { return try IPPrefix(text) } catch { preconditionFailure("\(text): \(error)") }
}

/// What the kernel sent, as the file `Golden/NAME.hex` has it.
func captured(_ name: String, file: String = #filePath) throws -> [UInt8] {
  let golden = URL(fileURLWithPath: file).deletingLastPathComponent()
    .appendingPathComponent("Golden/\(name).hex")
  return octets(try String(contentsOf: golden, encoding: .utf8))
}

/// The names of all captures.
let captures = ["link", "addresses", "routes4", "routes6", "refusal", "policy"]
