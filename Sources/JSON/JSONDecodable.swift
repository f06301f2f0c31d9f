/// A type that can be read from a position in a JSON document.
public protocol JSONDecodable {
  /// The value at `json`; an error names the path and what is legal.
  init(_ json: JSONCursor) throws(JSONDecodingError)
}

extension JSONCursor {
  /// The value as a `T`.
  public func decode<T: JSONDecodable>(_: T.Type = T.self) throws(JSONDecodingError) -> T {
    try T(self)
  }

  /// Nil where the value is absent or null.
  public func decodeIfPresent<T: JSONDecodable>(_: T.Type = T.self) throws(JSONDecodingError) -> T?
  { isAbsent ? nil : try T(self) }

  /// The value, an integer in `range`.
  public func decode<I: JSONDecodable & FixedWidthInteger>(in range: ClosedRange<I>)
    throws(JSONDecodingError) -> I
  {
    guard case .integer(let number)? = value else {
      throw expected("an integer in \(range.lowerBound)…\(range.upperBound)")
    }
    guard let value = I(exactly: number), range.contains(value) else {
      throw error("\(number) is not in \(range.lowerBound)…\(range.upperBound)")
    }
    return value
  }

  /// The value, an integer in `range`; nil where it is absent or null.
  public func decodeIfPresent<I: JSONDecodable & FixedWidthInteger>(in range: ClosedRange<I>)
    throws(JSONDecodingError) -> I?
  {
    isAbsent ? nil : try decode(in: range)
  }
}

extension JSONValue: JSONDecodable {
  /// Any value that is there.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    guard let value = json.value else { throw json.expected("a value") }
    self = value
  }
}

extension String: JSONDecodable {
  /// A string.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    guard case .string(let text)? = json.value else { throw json.expected("a string") }
    self = text
  }
}

extension Bool: JSONDecodable {
  /// `true` or `false`.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    guard case .bool(let value)? = json.value else { throw json.expected("true or false") }
    self = value
  }
}

extension JSONDecodable where Self: FixedWidthInteger {
  /// An integer that fits the type.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    guard case .integer(let number)? = json.value else { throw json.expected("an integer") }
    guard let value = Self(exactly: number) else {
      throw json.error("\(number) is not in \(Self.min)…\(Self.max)")
    }
    self = value
  }
}
extension UInt8: JSONDecodable {}
extension UInt16: JSONDecodable {}
extension UInt32: JSONDecodable {}
extension Int32: JSONDecodable {}
extension Int64: JSONDecodable {}
extension Int: JSONDecodable {}

extension JSONDecodable where Self: RawRepresentable & CaseIterable, RawValue == String {
  /// The name of one of the cases.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    let text = try json.decode(String.self)
    guard let value = Self(rawValue: text) else {
      let legal = Self.allCases.map { $0.rawValue }.joined(separator: ", ")
      throw json.error("\"\(text)\" is not one of \(legal)")
    }
    self = value
  }
}

extension Array: JSONDecodable where Element: JSONDecodable {
  /// An array of such elements.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    self = []
    for element in try json.elements { append(try Element(element)) }
  }
}
