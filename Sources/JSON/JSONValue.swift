/// A JSON value (RFC 8259) that owns all its parts.
public indirect enum JSONValue: Hashable, Sendable {
  /// `null`
  case null
  /// `true` or `false`
  case bool(Bool)
  /// A number without fraction or exponent that 64 bits can hold.
  case integer(Int64)
  /// Any other number.
  case real(Double)
  /// A string.
  case string(String)
  /// An array.
  case array([JSONValue])
  /// An object.
  case object(JSONObject)
}

/// Members in the order they were written, so that the same input gives the same output.
public struct JSONObject: Hashable, Sendable {
  /// A name and its value.
  public struct Member: Hashable, Sendable {
    /// Unique in its object.
    public let name: String
    /// May be `.null`.
    public var value: JSONValue
  }
  /// In the order they were added.
  public private(set) var members: [Member] = []

  /// An object without members.
  public init() {}

  /// An object with these members; those that are nil are left out.
  public init(_ members: [(String, JSONValue?)]) {
    self.members.reserveCapacity(members.count)
    for (name, value) in members {
      if let value { self.members.append(Member(name: name, value: value)) }
    }
  }

  /// An object with these members, whose names the parser found to differ.
  init(unique members: [Member]) { self.members = members }

  /// Whether there are no members.
  public var isEmpty: Bool { members.isEmpty }

  /// The value of the member `name`; nil if there is none. Setting nil removes the member.
  public subscript(name: String) -> JSONValue? {
    get { members.first { $0.name == name }?.value }
    set {
      let position = members.firstIndex { $0.name == name }
      switch (position, newValue) {
      case (let position?, let value?): members[position].value = value
      case (let position?, nil): members.remove(at: position)
      case (nil, let value?): members.append(Member(name: name, value: value))
      case (nil, nil): break
      }
    }
  }

  /// The member `name`, or else the first that differs from it in ASCII case only.
  ///
  /// Programs written with Go's encoding/json, which reads names so, accept `"dataDir"` as
  /// `"datadir"`, and configurations that rely on it exist.
  func member(matching name: String) -> Member? {
    members.first { $0.name == name }
      ?? members.first { $0.name.differsInCaseOnly(from: name) }
  }

  /// The members that are none of `known`, in whatever ASCII case these are written.
  public func others(than known: [String]) -> JSONObject {
    JSONObject(
      members.filter { member in
        !known.contains { $0.differsInCaseOnly(from: member.name) }
      }.map { ($0.name, $0.value) })
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// A string.
  public init(stringLiteral text: String) { self = .string(text) }
  /// An integer.
  public init(integerLiteral number: Int64) { self = .integer(number) }
  /// `true` or `false`.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// An array.
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  /// An object, its members in the order written.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(JSONObject(elements.map { ($0.0, $0.1) }))
  }
}

extension JSONValue {
  /// An object with these members; those that are nil are left out.
  public static func object(_ members: [(String, JSONValue?)]) -> JSONValue {
    .object(JSONObject(members))
  }
  /// The text; nil if this is not a string.
  public var text: String? { if case .string(let text) = self { text } else { nil } }
  /// The number; nil if this is not an integer.
  public var integer: Int64? { if case .integer(let number) = self { number } else { nil } }
  /// The elements; nil if this is not an array.
  public var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
  /// The members; nil if this is not an object.
  public var object: JSONObject? { if case .object(let object) = self { object } else { nil } }

  /// The member `name`; nil if there is none, or if this is not an object.
  public subscript(name: String) -> JSONValue? { object?[name] }
}
