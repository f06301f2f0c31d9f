internal import Addresses
internal import CLinux

/// The key of an attribute: its number, the space the number belongs to, and the type of its value.
///
/// One declaration serves both directions, `put(.name, "eth0")` and `attributes[.name]`, and the
/// names that people read.
struct Attribute<Space, Value>: Sendable {
  /// `nla_type`, without its flags.
  let type: UInt16
  /// As the kernel's header calls it.
  let name: String

  init(_ type: some BinaryInteger, _ name: String) {
    self.type = UInt16(truncatingIfNeeded: type)
    self.name = name
  }
}

/// The value type of an attribute that holds attributes of the space `Inner`.
enum Nested<Inner> {}

/// A type that can be the payload of an attribute.
protocol AttributeValue {
  /// Appends the payload.
  func encode(into bytes: inout [UInt8])
  /// Nil if `payload` is not a value of this type.
  init?(decoding payload: Span<UInt8>)
}

extension FixedWidthInteger {
  func encode(into bytes: inout [UInt8]) { bytes.append(native: self) }

  init?(decoding payload: Span<UInt8>) {
    guard payload.count == Self.bitWidth / 8, let value: Self = payload.integer(at: 0) else {
      return nil
    }
    self = value
  }
}
extension UInt8: AttributeValue {}
extension UInt16: AttributeValue {}
extension UInt32: AttributeValue {}
extension Int32: AttributeValue {}

extension String: AttributeValue {
  func encode(into bytes: inout [UInt8]) {
    bytes += utf8
    bytes.append(0)
  }

  /// The kernel ends a text with a zero or with the attribute.
  init?(decoding payload: Span<UInt8>) {
    self.init(decoding: payload.octets.prefix { $0 != 0 }, as: UTF8.self)
  }
}

extension IPAddress: AttributeValue {
  func encode(into bytes: inout [UInt8]) { bytes += self.bytes }
  init?(decoding payload: Span<UInt8>) { self.init(bytes: payload.octets) }
}

extension MACAddress: AttributeValue {
  func encode(into bytes: inout [UInt8]) { bytes += self.bytes }
  init?(decoding payload: Span<UInt8>) { self.init(bytes: payload.octets) }
}

extension IPAddress.Family {
  /// `AF_INET` or `AF_INET6`.
  var number: UInt8 { self == .v4 ? UInt8(AF_INET) : UInt8(AF_INET6) }

  /// Nil for any other family.
  init?(number: UInt8) {
    switch CInt(number) {
    case AF_INET: self = .v4
    case AF_INET6: self = .v6
    default: return nil
    }
  }

  /// All zeros.
  var unspecified: IPAddress? { IPAddress(self, value: 0) }
}

/// A text that ends with its attribute and not with a zero.
struct Unterminated: AttributeValue {
  let text: String

  init(_ text: String) { self.text = text }
  func encode(into bytes: inout [UInt8]) { bytes += text.utf8 }
  init?(decoding payload: Span<UInt8>) {
    guard let text = String(decoding: payload) else { return nil }
    self.text = text
  }
}
