/// The attributes of one space, as received. Those that are not asked for are passed over.
struct Attributes<Space> {
  private let bytes: ArraySlice<UInt8>

  /// Checks every length once, so that what is read later lies within.
  init(_ bytes: ArraySlice<UInt8>) throws(NetlinkError) {
    self.bytes = bytes
    var cursor = AttributeCursor(bytes)
    while try cursor.next() != nil {}
  }

  /// The value of `key`; nil if it was not sent. Throws if what was sent is not of that type.
  subscript<Value: AttributeValue>(key: Attribute<Space, Value>) -> Value? {
    get throws(NetlinkError) {
      guard let payload = try payload(key.type) else { return nil }
      guard let value = Value(decoding: payload.span) else {
        throw .badValue(attribute: key.type, size: payload.count)
      }
      return value
    }
  }

  /// What the attribute `key` holds; nil if it was not sent.
  subscript<Inner>(key: Attribute<Space, Nested<Inner>>) -> Attributes<Inner>? {
    get throws(NetlinkError) {
      guard let payload = try payload(key.type) else { return nil }
      return try Attributes<Inner>(payload)
    }
  }

  /// The octets of the attribute numbered `type`; nil if it was not sent.
  func payload(_ type: UInt16) throws(NetlinkError) -> ArraySlice<UInt8>? {
    var cursor = AttributeCursor(bytes)
    while let attribute = try cursor.next() {
      if attribute.type == type { return attribute.payload }
    }
    return nil
  }
}

/// Goes from one attribute to the next.
struct AttributeCursor {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  /// Nil at the end. Less than a header (four octets) at the end is padding.
  mutating func next() throws(NetlinkError) -> (
    type: UInt16, isNested: Bool, payload: ArraySlice<UInt8>
  )? {
    guard let length: UInt16 = rest.integer(at: 0), let type: UInt16 = rest.integer(at: 2) else {
      return nil
    }
    guard length >= 4, Int(length) <= rest.count else {
      throw .badLength(Int(length), at: rest.startIndex)
    }
    let payload = rest.prefix(Int(length)).dropFirst(4)
    rest = rest.dropFirst((Int(length) + 3) & ~3)
    // NLA_F_NESTED is the highest bit, NLA_F_NET_BYTEORDER the one below.
    return (type & 0x3fff, type & 0x8000 != 0, payload)
  }
}

/// A message of the kernel that is not as it should be.
public enum NetlinkError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A length that is less than its header or more than there is; both in octets.
  case badLength(Int, at: Int)
  /// The payload of an attribute is not of its type. `size` in octets.
  case badValue(attribute: UInt16, size: Int)

  /// What is wrong, and where.
  public var description: String {
    switch self {
    case .badLength(let length, let offset):
      "a length of \(length) octets at octet \(offset) does not fit the message"
    case .badValue(let attribute, let size):
      "attribute number \(attribute): \(size) octets are not a value of its type"
    }
  }
}
