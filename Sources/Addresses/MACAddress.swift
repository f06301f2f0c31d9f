/// A 48-bit Ethernet address (IEEE 802, EUI-48).
public struct MACAddress: Hashable, Sendable {
  /// Six of them, in the order of transmission.
  public let bytes: [UInt8]

  /// `ff:ff:ff:ff:ff:ff`
  public static let broadcast = MACAddress(six: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff])

  private init(six bytes: [UInt8]) { self.bytes = bytes }

  /// Nil unless there are six.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 6 else { return nil }
    self.bytes = bytes
  }

  /// The address for one receiver (the bit I/G is clear) that is administered locally (U/L is set),
  /// with the other 46 of the lower 48 bits of `number`; see IEEE 802, 8.2.
  public init(administeredLocally number: UInt64) {
    var bytes = (0..<6).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    bytes[0] = bytes[0] & 0xfe | 0x02
    self.init(six: bytes)
  }

  /// Parses six groups of two hexadecimal digits, with `:` or `-` between them.
  public init?(_ text: some StringProtocol) {
    let octets = Array(text.utf8)
    guard octets.count == 17, octets[2] == UInt8(ascii: ":") || octets[2] == UInt8(ascii: "-")
    else { return nil }
    var bytes: [UInt8] = []
    for (position, part) in octets.split(separator: octets[2], omittingEmptySubsequences: false)
      .enumerated()
    {
      // The parser of integers takes a sign.
      guard part.count == 2, position < 6, part.allSatisfy({ $0 >= UInt8(ascii: "0") }),
        let byte = UInt8(String(decoding: part, as: UTF8.self), radix: 16)
      else { return nil }
      bytes.append(byte)
    }
    self.init(bytes: bytes)
  }

  /// Whether it is an address for one receiver (the I/G bit is clear) and not all zeros.
  public var isUnicast: Bool {
    bytes.first.map { $0 & 1 == 0 } == true && bytes.contains { $0 != 0 }
  }
}

extension MACAddress: CustomStringConvertible {
  /// `0a:58:0a:01:00:02`
  public var description: String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
  }
}
