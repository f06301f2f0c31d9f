import Foundation

/// A JSON text as tests look at it: every step into it that leads nowhere is `.absent`, so that an
/// expectation is one line.
///
/// Parsed by Foundation, not by the parser that the programs use.
public enum Document: Hashable, Sendable {
  /// There is no such member or element.
  case absent
  case null
  case bool(Bool)
  case integer(Int)
  case real(Double)
  case string(String)
  case array([Document])
  case object([String: Document])

  /// Parses one JSON text.
  public init(parsing bytes: some Sequence<UInt8>) throws {
    let data = Data(bytes)
    guard let value = try? JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
    else {
      throw RunError(description: "not JSON: \"\(String(decoding: data, as: UTF8.self))\"")
    }
    self.init(value)
  }

  /// What Foundation has parsed. Not by `Decodable`, which tries one type after the other: each
  /// error that is thrown costs a test a backtrace.
  private init(_ value: Any) {
    switch value {
    case let text as String: self = .string(text)
    case let items as [Any]: self = .array(items.map(Document.init))
    case let members as [String: Any]: self = .object(members.mapValues(Document.init))
    case let number as NSNumber:
      // The encoding of a Boolean is that of an octet.
      if unsafe number.objCType.pointee == CChar(UInt8(ascii: "c")) {
        self = .bool(number.boolValue)
      } else if let whole = Int(exactly: number) {
        self = .integer(whole)
      } else {
        self = .real(number.doubleValue)
      }
    default: self = .null
    }
  }

  /// The member; `.absent` if there is none.
  public subscript(name: String) -> Document {
    if case .object(let members) = self { members[name] ?? .absent } else { .absent }
  }
  /// The element; `.absent` if there is none.
  public subscript(position: Int) -> Document {
    array.indices.contains(position) ? array[position] : .absent
  }
  /// Empty if this is no array.
  public var array: [Document] { if case .array(let items) = self { items } else { [] } }
  /// Empty if this is no object.
  public var members: [String: Document] {
    if case .object(let members) = self { members } else { [:] }
  }
  /// Nil if this is no string.
  public var text: String? { if case .string(let text) = self { text } else { nil } }
  /// Nil if this is no whole number.
  public var integer: Int? { if case .integer(let number) = self { number } else { nil } }
  /// Nil if this is neither `true` nor `false`.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// Whether nothing stands here.
  public var isAbsent: Bool { self == .absent }

  /// The first element of this array whose member `name` is `value`.
  public func first(where name: String, is value: Document) -> Document {
    array.first { $0[name] == value } ?? .absent
  }

  /// The text, with the members in the order of their names.
  public var encoded: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(self)).map { Array($0) } ?? []
  }
}

extension Document: Encodable {
  /// Any JSON value; one that is absent as `null`.
  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    switch self {
    case .absent, .null: try value.encodeNil()
    case .bool(let bool): try value.encode(bool)
    case .integer(let number): try value.encode(number)
    case .real(let number): try value.encode(number)
    case .string(let text): try value.encode(text)
    case .array(let items): try value.encode(items)
    case .object(let members): try value.encode(members)
    }
  }
}

extension Document: CustomStringConvertible {
  /// Its text.
  public var description: String {
    self == .absent ? "absent" : String(decoding: encoded, as: UTF8.self)
  }
}

extension Document: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
  ExpressibleByNilLiteral, ExpressibleByStringInterpolation
{
  /// A string.
  public init(stringLiteral text: String) { self = .string(text) }
  /// A whole number.
  public init(integerLiteral number: Int) { self = .integer(number) }
  /// `true` or `false`.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// An array.
  public init(arrayLiteral elements: Document...) { self = .array(elements) }
  /// `null`
  public init(nilLiteral: ()) { self = .null }
  /// An object; of two members of one name the last.
  public init(dictionaryLiteral elements: (String, Document)...) {
    self = .object(Dictionary(elements) { $1 })
  }

  /// This object with these members in it as well; one that is `.absent` is taken out.
  public func with(_ changes: [String: Document]) -> Document {
    .object(members.merging(changes) { $1 }.filter { $0.value != .absent })
  }
}
