/// Columns of one table: `.columns(.uuid, .name)`.
///
/// One function for each number of them, because each may have other content, and lists of types
/// are not in the subset of Swift that this is written in.
public struct ColumnList<T: Table>: Hashable, Sendable {
  /// In the order they were asked for.
  let columns: [SelectedColumn]

  private init(_ columns: [SelectedColumn]) { self.columns = columns }

  /// No column.
  public static var none: Self { Self([]) }
}

extension ColumnList {
  /// One column.
  public static func columns<A>(_ a: Column<T, A>) -> Self { Self([.init(a)]) }
  /// Two columns.
  public static func columns<A, B>(_ a: Column<T, A>, _ b: Column<T, B>) -> Self {
    Self([.init(a), .init(b)])
  }
  /// Three columns.
  public static func columns<A, B, C>(
    _ a: Column<T, A>, _ b: Column<T, B>, _ c: Column<T, C>
  ) -> Self { Self([.init(a), .init(b), .init(c)]) }
  /// Four columns.
  public static func columns<A, B, C, D>(
    _ a: Column<T, A>, _ b: Column<T, B>, _ c: Column<T, C>, _ d: Column<T, D>
  ) -> Self { Self([.init(a), .init(b), .init(c), .init(d)]) }
  /// Five columns.
  public static func columns<A, B, C, D, E>(
    _ a: Column<T, A>, _ b: Column<T, B>, _ c: Column<T, C>, _ d: Column<T, D>, _ e: Column<T, E>
  ) -> Self { Self([.init(a), .init(b), .init(c), .init(d), .init(e)]) }
  /// Six columns.
  public static func columns<A, B, C, D, E, F>(
    _ a: Column<T, A>, _ b: Column<T, B>, _ c: Column<T, C>, _ d: Column<T, D>, _ e: Column<T, E>,
    _ f: Column<T, F>
  ) -> Self { Self([.init(a), .init(b), .init(c), .init(d), .init(e), .init(f)]) }
  /// Seven columns.
  public static func columns<A, B, C, D, E, F, G>(
    _ a: Column<T, A>, _ b: Column<T, B>, _ c: Column<T, C>, _ d: Column<T, D>, _ e: Column<T, E>,
    _ f: Column<T, F>, _ g: Column<T, G>
  ) -> Self { Self([.init(a), .init(b), .init(c), .init(d), .init(e), .init(f), .init(g)]) }
  /// Eight columns.
  public static func columns<A, B, C, D, E, F, G, H>(
    _ a: Column<T, A>, _ b: Column<T, B>, _ c: Column<T, C>, _ d: Column<T, D>, _ e: Column<T, E>,
    _ f: Column<T, F>, _ g: Column<T, G>, _ h: Column<T, H>
  ) -> Self {
    Self([.init(a), .init(b), .init(c), .init(d), .init(e), .init(f), .init(g), .init(h)])
  }
  /// Nine columns.
  public static func columns<A, B, C, D, E, F, G, H, I>(
    _ a: Column<T, A>, _ b: Column<T, B>, _ c: Column<T, C>, _ d: Column<T, D>, _ e: Column<T, E>,
    _ f: Column<T, F>, _ g: Column<T, G>, _ h: Column<T, H>, _ i: Column<T, I>
  ) -> Self {
    Self([
      .init(a), .init(b), .init(c), .init(d), .init(e), .init(f), .init(g), .init(h), .init(i),
    ])
  }
  /// Ten columns.
  public static func columns<A, B, C, D, E, F, G, H, I, J>(
    _ a: Column<T, A>, _ b: Column<T, B>, _ c: Column<T, C>, _ d: Column<T, D>, _ e: Column<T, E>,
    _ f: Column<T, F>, _ g: Column<T, G>, _ h: Column<T, H>, _ i: Column<T, I>, _ j: Column<T, J>
  ) -> Self {
    Self([
      .init(a), .init(b), .init(c), .init(d), .init(e), .init(f), .init(g), .init(h), .init(i),
      .init(j),
    ])
  }
}

/// A column of whatever table that is asked for.
struct SelectedColumn: Sendable {
  let name: String
  /// How its changes are sent.
  let shape: ColumnShape
  /// What a monitor leaves out.
  let initial: Value
  private let isOfType: @Sendable (Value) -> Bool

  init<T, Content>(_ column: Column<T, Content>) {
    name = column.name
    shape = Content.shape
    initial = Content.initial.columnValue
    isOfType = { Content.decoded(from: $0) != nil }
  }

  /// Whether `value` is of the column's type.
  func accepts(_ value: Value) -> Bool { isOfType(value) }
}

extension SelectedColumn: Hashable {
  static func == (left: Self, right: Self) -> Bool {
    left.name == right.name && left.initial == right.initial
  }
  func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension [SelectedColumn] {
  /// What keeps `row` from having all of these columns, each of its type; nil where it has.
  func mismatch(_ row: [String: Value]) -> String? {
    for column in self {
      guard let value = row[column.name] else { return "a row without column \(column.name)" }
      if !column.accepts(value) { return "another type of column \(column.name)" }
    }
    return nil
  }
}
