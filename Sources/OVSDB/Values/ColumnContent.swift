/// A Swift type that is the type of a column.
///
/// A column of exactly one atom is a `String`, `Int64`, `Double`, `Bool` or `Reference`; of at most
/// one an optional of these; of more an array; a map is a dictionary.
public protocol ColumnContent: Hashable, Sendable {
  /// The content that `value` is; nil if it is of another type.
  static func decoded(from value: Value) -> Self?
  /// The content as OVSDB has it; the same value for equal contents.
  var columnValue: Value { get }
  /// What a column of this type holds where nothing was written (RFC 7047 §5.2.1).
  static var initial: Self { get }
  /// How changes of such a column are sent.
  static var shape: ColumnShape { get }
}

/// How the changes of a column are sent by `update2` (ovsdb-server(7) §4.1.14).
public enum ColumnShape: Hashable, Sendable {
  /// One atom at most: a change carries the new value.
  case single
  /// A set: a change carries the elements that came or went.
  case set
  /// A map: a change carries pairs that came or went, and the new value of changed ones.
  case map
}

/// A Swift type that is the type of an atom.
public protocol AtomContent: ColumnContent {
  /// The content that `atom` is; nil if it is of another type.
  static func decoded(from atom: Atom) -> Self?
  /// The content as OVSDB has it.
  var atom: Atom { get }
}

extension AtomContent {
  /// The only element of `value`.
  public static func decoded(from value: Value) -> Self? {
    value.atom.flatMap { Self.decoded(from: $0) }
  }
  /// The atom.
  public var columnValue: Value { .atom(atom) }
  /// One atom.
  public static var shape: ColumnShape { .single }
}

/// A row that another row points at.
public enum Reference: Hashable, Sendable, Comparable {
  /// A row that is there, by its UUID.
  case row(String)
  /// A row that the same transaction inserts, by the name it is given there.
  case inserted(String)

  /// The UUID; nil for a row that is yet to be inserted.
  public var uuid: String? { if case .row(let uuid) = self { uuid } else { nil } }
}

extension String: AtomContent {
  /// A string.
  public static func decoded(from atom: Atom) -> String? {
    if case .string(let text) = atom { text } else { nil }
  }
  /// A string.
  public var atom: Atom { .string(self) }
  /// The empty string.
  public static var initial: String { "" }
}

extension Int64: AtomContent {
  /// An integer.
  public static func decoded(from atom: Atom) -> Int64? {
    if case .integer(let number) = atom { number } else { nil }
  }
  /// An integer.
  public var atom: Atom { .integer(self) }
  /// Zero.
  public static var initial: Int64 { 0 }
}

extension Double: AtomContent {
  /// A real number, which may be written as an integer.
  public static func decoded(from atom: Atom) -> Double? {
    switch atom {
    case .real(let number): number
    case .integer(let number): Double(number)
    default: nil
    }
  }
  /// A real number.
  public var atom: Atom { .real(self) }
  /// Zero.
  public static var initial: Double { 0 }
}

extension Bool: AtomContent {
  /// `true` or `false`.
  public static func decoded(from atom: Atom) -> Bool? {
    if case .boolean(let value) = atom { value } else { nil }
  }
  /// `true` or `false`.
  public var atom: Atom { .boolean(self) }
  /// `false`.
  public static var initial: Bool { false }
}

extension Reference: AtomContent {
  /// A UUID, or the name of a row of the same transaction.
  public static func decoded(from atom: Atom) -> Reference? {
    switch atom {
    case .uuid(let uuid): .row(uuid)
    case .namedUUID(let name): .inserted(name)
    default: nil
    }
  }
  /// A UUID, or the name of a row of the same transaction.
  public var atom: Atom {
    switch self {
    case .row(let uuid): .uuid(uuid)
    case .inserted(let name): .namedUUID(name)
    }
  }
  /// The UUID that is all zeros.
  public static var initial: Reference { .row("00000000-0000-0000-0000-000000000000") }
}

extension Optional: ColumnContent where Wrapped: AtomContent {
  /// Nil where there is no element.
  public static func decoded(from value: Value) -> Wrapped?? {
    if case .set(let atoms) = value, atoms.isEmpty { return .some(nil) }
    return Wrapped.decoded(from: value).map { .some($0) }
  }
  /// The empty set for nil.
  public var columnValue: Value { map { .atom($0.atom) } ?? .set([]) }
  /// Nil.
  public static var initial: Wrapped? { nil }
  /// One atom at most.
  public static var shape: ColumnShape { .single }
}

extension Array: ColumnContent where Element: AtomContent {
  /// The elements, in the order in which the server sends them.
  public static func decoded(from value: Value) -> [Element]? {
    if case .map = value { return nil }
    let atoms = value.atoms
    let elements = atoms.compactMap { Element.decoded(from: $0) }
    return elements.count == atoms.count ? elements : nil
  }
  /// A set, in this order.
  public var columnValue: Value { .set(map { $0.atom }) }
  /// No element.
  public static var initial: [Element] { [] }
  /// A set.
  public static var shape: ColumnShape { .set }
}

extension Dictionary: ColumnContent where Key: AtomContent & Comparable, Value: AtomContent {
  /// The pairs.
  public static func decoded(from value: OVSDB::Value) -> [Key: Value]? {
    guard case .map(let pairs) = value else { return nil }
    var map: [Key: Value] = [:]
    for pair in pairs {
      guard let key = Key.decoded(from: pair.key), let value = Value.decoded(from: pair.value)
      else { return nil }
      map[key] = value
    }
    return map
  }
  /// A map, its keys in order.
  public var columnValue: OVSDB::Value {
    .map(sorted { $0.key < $1.key }.map { OVSDB::Value.Pair($0.key.atom, $0.value.atom) })
  }
  /// No pair.
  public static var initial: [Key: Value] { [:] }
  /// A map.
  public static var shape: ColumnShape { .map }
}
