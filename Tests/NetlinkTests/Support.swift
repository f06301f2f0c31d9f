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
