/// An address with its prefix length, in CIDR notation (RFC 4632 §3.1).
public struct IPPrefix: Hashable, Sendable {
  /// The address as written; bits beyond the prefix may be set.
  public let address: IPAddress
  /// In bits: 0…32 for IPv4, 0…128 for IPv6.
  public let length: UInt8

  /// Why a text is not in CIDR notation.
  public enum ParseError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no `/`.
    case missingLength
    /// What stands before the `/` is not an address.
    case badAddress(String)
    /// What stands after the `/` is not a length of this family.
    case badLength(String, maximum: UInt8)

    /// What it is, and what is legal.
    public var description: String {
      switch self {
      case .missingLength: "no prefix length; write it as ADDRESS/LENGTH"
      case .badAddress(let text): "\"\(text)\" is not an IP address"
      case .badLength(let text, let maximum): "prefix length \"\(text)\" is not in 0…\(maximum)"
      }
    }
  }

  /// The prefix; nil if `length` is more than the family has bits.
  public init?(_ address: IPAddress, length: UInt8) {
    guard length <= address.family.bits else { return nil }
    self.address = address
    self.length = length
  }

  /// Parses `ADDRESS/LENGTH`; the length may have zeros before it, as with the reference plugins.
  public init(_ text: String) throws(ParseError) {
    let octets = Array(text.utf8)
    guard let slash = octets.firstIndex(of: UInt8(ascii: "/")) else { throw .missingLength }
    let head = String(decoding: octets[..<slash], as: UTF8.self)
    let digits = octets[(slash + 1)...]
    guard let address = IPAddress(head) else { throw .badAddress(head) }
    let tail = String(decoding: digits, as: UTF8.self)
    let maximum = address.family.bits
    guard digits.allSatisfy({ (0x30...0x39).contains($0) }), let length = UInt8(tail),
      length <= maximum
    else { throw .badLength(tail, maximum: maximum) }
    self.address = address
    self.length = length
  }

  /// Ones where the host part is.
  private var hostMask: UInt128 {
    let hostBits = address.family.bits - length
    return hostBits == 128 ? .max : (1 << hostBits) - 1
  }

  /// The first address, with all bits beyond the prefix zero.
  public var network: IPAddress {
    IPAddress(address.family, value: address.value & ~hostMask) ?? address
  }
  /// The last address, with all bits beyond the prefix one; of an IPv4 subnet, the broadcast.
  public var last: IPAddress {
    IPAddress(address.family, value: address.value | hostMask) ?? address
  }
  /// The prefix without the bits beyond it.
  public var masked: IPPrefix { IPPrefix(network, length: length) ?? self }

  /// The IPv4 prefix that an IPv6 one in `::ffff:0:0/96` stands for (RFC 4291 §2.5.5.2); any other
  /// as it is.
  public var unmapped: IPPrefix {
    guard length >= 96, address.unmapped != address else { return self }
    return IPPrefix(address.unmapped, length: length - 96) ?? self
  }

  /// Whether `other` lies in it.
  public func contains(_ other: IPAddress) -> Bool {
    other.family == address.family && (other.value ^ address.value) & ~hostMask == 0
  }
  /// Whether both share an address.
  public func overlaps(_ other: IPPrefix) -> Bool {
    contains(other.network) || other.contains(network)
  }

  /// The netmask of IPv4, as `255.255.255.0`; of IPv6 likewise, as an address.
  public var mask: IPAddress {
    let all: UInt128 = address.family == .v4 ? UInt128(UInt32.max) : .max
    return IPAddress(address.family, value: all & ~hostMask) ?? address
  }
}

extension IPPrefix: CustomStringConvertible {
  /// `192.168.0.1/24`
  public var description: String { "\(address)/\(length)" }
}
