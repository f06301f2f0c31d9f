/// An IPv4 or IPv6 address.
public struct IPAddress: Hashable, Sendable {
  /// The version of the Internet Protocol that an address belongs to.
  public enum Family: Hashable, Sendable, Comparable {
    /// IPv4, 32 bits.
    case v4
    /// IPv6, 128 bits.
    case v6

    /// The number of bits in an address.
    public var bits: UInt8 { self == .v4 ? 32 : 128 }
  }
  /// What it belongs to.
  public let family: Family
  /// The address as an unsigned number, its first byte the most significant of the family's bits.
  public let value: UInt128

  /// The address of `family` with this number; nil if it does not fit.
  public init?(_ family: Family, value: UInt128) {
    guard family == .v6 || value <= UInt128(UInt32.max) else { return nil }
    self.family = family
    self.value = value
  }

  /// The address of 4 or 16 bytes in network byte order; nil for any other number of them.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 4 || bytes.count == 16 else { return nil }
    family = bytes.count == 4 ? .v4 : .v6
    value = bytes.reduce(0) { $0 << 8 | UInt128($1) }
  }

  /// In network byte order.
  public var bytes: [UInt8] {
    let count = family == .v4 ? 4 : 16
    return (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * (count - 1 - $0))) }
  }

  /// Whether this is an IPv6 address.
  public var isIPv6: Bool { family == .v6 }

  /// Whether the kernel lets a link have it that is not `lo`: the unspecified address none, of IPv6
  /// neither the loopback address nor one of a group.
  public var isAssignable: Bool {
    value > (isIPv6 ? 1 : 0) && (!isIPv6 || value >> 120 != 0xff)
  }

  /// The IPv4 address that an IPv6 address of `::ffff:0:0/96` stands for (RFC 4291 §2.5.5.2); any
  /// other as it is.
  public var unmapped: IPAddress {
    guard isIPv6, value >> 32 == 0xffff else { return self }
    return IPAddress(.v4, value: value & UInt128(UInt32.max)) ?? self
  }

  /// The next address; nil after the last.
  public var successor: IPAddress? {
    let (sum, overflow) = value.addingReportingOverflow(1)
    return overflow ? nil : IPAddress(family, value: sum)
  }

  /// The one before; nil before the first.
  public var predecessor: IPAddress? {
    value == 0 ? nil : IPAddress(family, value: value - 1)
  }

  /// Parses dotted decimal (no leading zeros, RFC 6943 §3.1.1) or RFC 4291 §2.2; nil for all else.
  ///
  /// An IPv6 address that maps an IPv4 one (`::ffff:a.b.c.d`) stays IPv6. A zone is refused.
  public init?(_ text: some StringProtocol) {
    let octets = Array(text.utf8)
    if octets.contains(UInt8(ascii: ":")) {
      guard let value = Self.parseIPv6(octets[...]) else { return nil }
      self.init(.v6, value: value)
    } else {
      guard let value = Self.parseIPv4(octets[...]) else { return nil }
      self.init(.v4, value: UInt128(value))
    }
  }

  private static func parseIPv4(_ text: ArraySlice<UInt8>) -> UInt32? {
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0") else {
        return nil
      }
      var number: UInt32 = 0
      for octet in part {
        guard (0x30...0x39).contains(octet) else { return nil }
        number = number * 10 + UInt32(octet - 0x30)
      }
      guard number <= 255 else { return nil }
      value = value << 8 | number
    }
    return value
  }

  private static func parseIPv6(_ text: ArraySlice<UInt8>) -> UInt128? {
    let colon = UInt8(ascii: ":")
    // What stands before and after "::"; there may be one, for one group or more.
    var head = text
    var tail: ArraySlice<UInt8>?
    if let gap = text.indices.dropLast().first(where: { text[$0] == colon && text[$0 + 1] == colon }
    ) {
      head = text[..<gap]
      tail = text[(gap + 2)...]
    }
    guard var left = groups(head, mayEndInIPv4: tail == nil) else { return nil }
    if let tail {
      guard let right = groups(tail, mayEndInIPv4: true), left.count + right.count <= 7 else {
        return nil
      }
      left += repeatElement(0, count: 8 - left.count - right.count) + right
    }
    guard left.count == 8 else { return nil }
    return left.reduce(0) { $0 << 16 | UInt128($1) }
  }

  private static func groups(_ text: ArraySlice<UInt8>, mayEndInIPv4: Bool) -> [UInt16]? {
    if text.isEmpty { return [] }
    let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count <= 8 else { return nil }
    var groups: [UInt16] = []
    for (position, part) in parts.enumerated() {
      if mayEndInIPv4, position == parts.count - 1, part.contains(UInt8(ascii: ".")) {
        guard let value = parseIPv4(part) else { return nil }
        groups += [UInt16(value >> 16), UInt16(value & 0xffff)]
        continue
      }
      guard (1...4).contains(part.count), !part.contains(where: { $0 == 0x2b || $0 == 0x2d }),
        let group = UInt16(String(decoding: part, as: UTF8.self), radix: 16)
      else { return nil }
      groups.append(group)
    }
    return groups
  }
}

extension IPAddress: Comparable {
  /// IPv4 before IPv6, then by number.
  public static func < (left: IPAddress, right: IPAddress) -> Bool {
    left.family == right.family ? left.value < right.value : left.family < right.family
  }
}

extension IPAddress: CustomStringConvertible {
  /// Dotted decimal, or the form of RFC 5952.
  public var description: String {
    let bytes = bytes
    if family == .v4 { return bytes.map { String($0) }.joined(separator: ".") }
    // RFC 5952 §5: an IPv4-mapped address ends in dotted decimal.
    if value >> 32 == 0xffff {
      return "::ffff:" + bytes.suffix(4).map { String($0) }.joined(separator: ".")
    }
    let groups = (0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
    // RFC 5952 §4.2: the longest run of two or more zero groups, the first of equals.
    var gap = 0..<0
    var position = 0
    while position < 8 {
      let end = groups[position...].firstIndex { $0 != 0 } ?? 8
      if end - position > max(1, gap.count) { gap = position..<end }
      position = max(end, position + 1)
    }
    func text(_ groups: ArraySlice<UInt16>) -> String {
      groups.map { String($0, radix: 16) }.joined(separator: ":")
    }
    if gap.isEmpty { return text(groups[...]) }
    return text(groups[..<gap.lowerBound]) + "::" + text(groups[gap.upperBound...])
  }
}
