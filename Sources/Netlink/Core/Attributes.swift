/// The attributes of one space, as received. Those that are not asked for are passed over.
struct Attributes<Space> {
  private let bytes: ArraySlice<UInt8>
  private var all: [AttributeCursor.Element] = []

  /// Goes through them once: what is read later lies within, and is found without another walk.
  init(_ bytes: ArraySlice<UInt8>) throws(NetlinkError) {
    self.bytes = bytes
    // Those of a link take 26 octets each.
    all.reserveCapacity(bytes.count / 24 + 1)
    var cursor = AttributeCursor(bytes)
    while let attribute = try cursor.next() { all.append(attribute) }
  }

  /// The value of `key`; nil if it was not sent. Throws if what was sent is not of that type.
  subscript<Value: AttributeValue>(key: Attribute<Space, Value>) -> Value? {
    get throws(NetlinkError) {
      guard let payload = payload(key.type) else { return nil }
      guard let value = Value(decoding: payload.span) else {
        throw .badValue(attribute: key.type, size: payload.count)
      }
      return value
    }
  }

  /// What the attribute `key` holds; nil if it was not sent.
  subscript<Inner>(key: Attribute<Space, Nested<Inner>>) -> Attributes<Inner>? {
    get throws(NetlinkError) {
      guard let payload = payload(key.type) else { return nil }
      return try Attributes<Inner>(payload)
    }
  }

  /// The octets of the attribute numbered `type`; nil if it was not sent.
  func payload(_ type: UInt16) -> ArraySlice<UInt8>? {
    all.first { $0.type == type }.map { bytes[$0.payload] }
  }
}

/// Goes from one attribute to the next.
struct AttributeCursor {
  typealias Element = (type: UInt16, isNested: Bool, payload: Range<Int>)

  private let bytes: ArraySlice<UInt8>
  /// Where the next one begins.
  private var position: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  /// Nil at the end. Less than a header (four octets) at the end is padding.
  mutating func next() throws(NetlinkError) -> Element? {
    let offset = position - bytes.startIndex
    guard let length: UInt16 = bytes.integer(at: offset),
      let type: UInt16 = bytes.integer(at: offset + 2)
    else { return nil }
    guard length >= 4, Int(length) <= bytes.count - offset else {
      throw .badLength(Int(length), at: position)
    }
    let payload = position + 4..<position + Int(length)
    position += (Int(length) + 3) & ~3
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
