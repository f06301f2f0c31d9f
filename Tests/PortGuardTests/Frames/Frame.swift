import Addresses

/// A frame on the wire.
struct Frame {
  var destination = Frame.bytes("33:33:00:00:00:01")
  var source: [UInt8]
  var tags: [UInt16] = []
  var type: UInt16
  var payload: [UInt8]

  /// `0a:0b` or `0a0b`
  static func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.filter { $0.isHexDigit }
    return stride(from: 0, to: digits.count, by: 2).map { position in
      let start = digits.index(digits.startIndex, offsetBy: position)
      return UInt8(digits[start...].prefix(2), radix: 16) ?? 0
    }
  }
  static func two(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }
  static func address(_ text: String) -> [UInt8] { IPAddress(text)?.bytes ?? [] }

  init(_ source: String, tags: [UInt16] = [], type: UInt16, _ payload: [UInt8]) {
    self.source = Self.bytes(source)
    self.tags = tags
    self.type = type
    self.payload = payload
  }

  var bytes: [UInt8] {
    destination + source + tags.flatMap { Self.two(0x8100) + Self.two($0) } + Self.two(type)
      + payload
  }

  // MARK: - Payloads

  static func arp(
    _ hardware: String, _ sender: String, asks target: String, operation: UInt8 = 1
  ) -> [UInt8] {
    bytes("000108000604") + [0, operation] + bytes(hardware) + address(sender)
      + bytes("000000000000") + address(target)
  }

  static func ipv4(
    _ source: String, _ destination: String = "10.1.0.9", next: UInt8 = 1, options: Int = 0,
    fragment: UInt16 = 0, _ content: [UInt8] = [8, 0, 0, 0, 0, 0, 0, 0]
  ) -> [UInt8] {
    let length = UInt16(20 + options * 4 + content.count)
    return [0x45 + UInt8(options), 0] + two(length) + [0, 1] + two(fragment) + [64, next, 0, 0]
      + address(source) + address(destination) + [UInt8](repeating: 1, count: options * 4)
      + content
  }

  static func udp(_ source: UInt16, _ destination: UInt16) -> [UInt8] {
    two(source) + two(destination) + two(16) + [0, 0] + [UInt8](repeating: 0x55, count: 8)
  }

  static func ipv6(
    _ source: String, _ destination: String = "ff02::1", next: UInt8, _ content: [UInt8]
  ) -> [UInt8] {
    [0x60, 0, 0, 0] + two(UInt16(content.count)) + [next, 255] + address(source)
      + address(destination) + content
  }

  /// An extension header of eight bytes that `next` follows.
  static func header(_ next: UInt8) -> [UInt8] { [next, 0, 1, 4, 0, 0, 0, 0] }
  /// A fragment header; `offset` in units of eight bytes.
  static func fragment(_ next: UInt8, offset: UInt16, more: Bool) -> [UInt8] {
    [next, 0] + two(offset << 3 | (more ? 1 : 0)) + [0, 0, 0, 7]
  }

  static func icmpv6(_ type: UInt8, _ content: [UInt8] = []) -> [UInt8] {
    [type, 0, 0, 0, 0, 0, 0, 0] + content
  }
  static func neighbour(_ type: UInt8, _ target: String, option: [UInt8] = []) -> [UInt8] {
    icmpv6(type, address(target) + option)
  }
}

/// A frame, and whether it passes.
struct Case: CustomStringConvertible {
  let description: String
  let bytes: [UInt8]
  let passes: Bool
  /// Whether a bridge hands it on to its other ports.
  let isForwarded: Bool

  init(_ passes: Bool, _ description: String, _ frame: Frame, isForwarded: Bool = true) {
    self.description = description
    self.passes = passes
    self.isForwarded = isForwarded
    bytes = frame.bytes
  }
}

extension Case {
  private init(_ passes: Bool, _ description: String, _ bytes: [UInt8], isForwarded: Bool) {
    self.description = description
    self.passes = passes
    self.bytes = bytes
    self.isForwarded = isForwarded
  }

  /// The same frame with this tag around it; one that had a tag has two then, and does not pass.
  func tagged(_ vlan: UInt16) -> Case {
    Case(
      passes && bytes[12..<14] != [0x81, 0x00], "\(description), in VLAN \(vlan)",
      bytes[..<12] + Frame.two(0x8100) + Frame.two(vlan) + bytes[12...], isForwarded: isForwarded)
  }
}
