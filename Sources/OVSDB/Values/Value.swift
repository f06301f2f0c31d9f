public import JSON

/// One scalar (RFC 7047 §5.1 `<atom>`).
public enum Atom: Hashable, Sendable {
  /// A string.
  case string(String)
  /// A signed integer of 64 bits.
  case integer(Int64)
  /// A real number. The server writes one without fraction as an integer.
  case real(Double)
  /// `true` or `false`.
  case boolean(Bool)
  /// The UUID of a row, as `36bef046-7da7-43a5-905a-c17899216fcb`.
  case uuid(String)
  /// The name that an insert of the same transaction gave to its row; never comes from the server.
  case namedUUID(String)
}

/// What stands in a column (RFC 7047 §5.1 `<value>`).
///
/// A set of one element comes from the server as the bare atom, and an optional column without a
/// value as the empty set. The accessors make no difference between `.atom(a)` and `.set([a])`.
public enum Value: Hashable, Sendable {
  /// An atom; also a set of one.
  case atom(Atom)
  /// A set; its order means nothing.
  case set([Atom])
  /// A map; its order means nothing.
  case map([Pair])

  /// A key of a map and what stands under it.
  public struct Pair: Hashable, Sendable {
    /// Unique in its map.
    public let key: Atom
    /// What stands under the key.
    public let value: Atom
    /// The pair of these two.
    public init(_ key: Atom, _ value: Atom) {
      self.key = key
      self.value = value
    }
  }
}

extension Value {
  /// The elements: one for an atom, none for a map.
  public var atoms: [Atom] {
    switch self {
    case .atom(let atom): [atom]
    case .set(let atoms): atoms
    case .map: []
    }
  }
  /// The only element; nil if there are none or several.
  public var atom: Atom? {
    let atoms = atoms
    return atoms.count == 1 ? atoms.first : nil
  }
  /// The only element, an integer; nil if it is not one.
  public var integer: Int64? { atom.flatMap { Int64.decoded(from: $0) } }
  /// The only element, a string; nil if it is not one.
  public var string: String? { atom.flatMap { String.decoded(from: $0) } }
  /// The only element, `true` or `false`; nil if it is not one.
  public var boolean: Bool? { atom.flatMap { Bool.decoded(from: $0) } }
  /// The only element, the UUID of a row; nil if it is not one.
  public var uuid: String? { if case .uuid(let uuid)? = atom { uuid } else { nil } }
  /// Those elements that are strings.
  public var strings: [String] { atoms.compactMap { String.decoded(from: $0) } }
  /// The pairs of a map; none for everything else.
  public var pairs: [Pair] { if case .map(let pairs) = self { pairs } else { [] } }
  /// Those pairs of a map that have a string as key and as value.
  public var map: [String: String] {
    var map: [String: String] = [:]
    for pair in pairs {
      if case (.string(let key), .string(let value)) = (pair.key, pair.value) { map[key] = value }
    }
    return map
  }
}

// MARK: - JSON

extension Atom {
  /// Reads an atom; nil if `json` is not one.
  public init?(_ json: JSONValue) {
    switch json {
    case .string(let text): self = .string(text)
    case .integer(let number): self = .integer(number)
    case .real(let number): self = .real(number)
    case .bool(let value): self = .boolean(value)
    case .array(let parts):
      guard parts.count == 2, let tag = parts.first?.text, let text = parts.last?.text else {
        return nil
      }
      switch tag {
      case "uuid": self = .uuid(text)
      case "named-uuid": self = .namedUUID(text)
      default: return nil
      }
    case .null, .object: return nil
    }
  }

  /// The atom as RFC 7047 §5.1 writes it.
  public var json: JSONValue {
    switch self {
    case .string(let text): .string(text)
    case .integer(let number): .integer(number)
    case .real(let number): .real(number)
    case .boolean(let value): .bool(value)
    case .uuid(let uuid): ["uuid", .string(uuid)]
    case .namedUUID(let name): ["named-uuid", .string(name)]
    }
  }
}

extension Value {
  /// Reads a value; nil if `json` is not one.
  public init?(_ json: JSONValue) {
    guard case .array(let parts) = json, let tag = parts.first?.text, tag == "set" || tag == "map"
    else {
      guard let atom = Atom(json) else { return nil }
      self = .atom(atom)
      return
    }
    guard parts.count == 2, let elements = parts.last?.array else { return nil }
    if tag == "set" {
      let atoms = elements.compactMap { Atom($0) }
      guard atoms.count == elements.count else { return nil }
      self = .set(atoms)
    } else {
      let pairs = elements.compactMap { Pair($0) }
      guard pairs.count == elements.count else { return nil }
      self = .map(pairs)
    }
  }

  /// The value as RFC 7047 §5.1 writes it.
  public var json: JSONValue {
    switch self {
    case .atom(let atom): atom.json
    case .set(let atoms): ["set", .array(atoms.map { $0.json })]
    case .map(let pairs): ["map", .array(pairs.map { [$0.key.json, $0.value.json] })]
    }
  }
}

extension Value.Pair {
  /// Reads `[key, value]`; nil if `json` is not one.
  init?(_ json: JSONValue) {
    guard let parts = json.array, parts.count == 2, let key = parts.first.flatMap({ Atom($0) }),
      let value = parts.last.flatMap({ Atom($0) })
    else { return nil }
    self.init(key, value)
  }
}
