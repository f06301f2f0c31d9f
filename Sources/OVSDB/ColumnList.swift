/// Columns of one table: `.columns(.uuid, .name)`.
///
/// One function for each number of them, because each may have other content, and lists of types
/// are not in the subset of Swift that this is written in.
public struct ColumnList<T: Table>: Hashable, Sendable {
  /// In the order they were asked for.
  private(set) var names: [String] = []
  /// How their changes are told, by their names.
  private(set) var shapes: [String: ColumnShape] = [:]

  /// No column.
  public static var none: Self { Self() }

  private func and<Content>(_ column: Column<T, Content>) -> Self {
    var list = self
    list.names.append(column.name)
    list.shapes[column.name] = Content.shape
    return list
  }
}

extension ColumnList {
  /// One column.
  public static func columns<A>(_ a: Column<T, A>) -> Self { none.and(a) }
  /// Two columns.
  public static func columns<A, B>(_ a: Column<T, A>, _ b: Column<T, B>) -> Self {
    columns(a).and(b)
  }
  /// Three columns.
  public static func columns<A, B, C>(
    _ a: Column<T, A>, _ b: Column<T, B>, _ c: Column<T, C>
  ) -> Self { columns(a, b).and(c) }
  /// Four columns.
  public static func columns<A, B, C, D>(
    _ a: Column<T, A>, _ b: Column<T, B>, _ c: Column<T, C>, _ d: Column<T, D>
  ) -> Self { columns(a, b, c).and(d) }
  /// Five columns.
  public static func columns<A, B, C, D, E>(
    _ a: Column<T, A>, _ b: Column<T, B>, _ c: Column<T, C>, _ d: Column<T, D>,
    _ e: Column<T, E>
  ) -> Self { columns(a, b, c, d).and(e) }
  /// Six columns.
  public static func columns<A, B, C, D, E, F>(
    _ a: Column<T, A>, _ b: Column<T, B>, _ c: Column<T, C>, _ d: Column<T, D>,
    _ e: Column<T, E>, _ f: Column<T, F>
  ) -> Self { columns(a, b, c, d, e).and(f) }
  /// Seven columns.
  public static func columns<A, B, C, D, E, F, G>(
    _ a: Column<T, A>, _ b: Column<T, B>, _ c: Column<T, C>, _ d: Column<T, D>,
    _ e: Column<T, E>, _ f: Column<T, F>, _ g: Column<T, G>
  ) -> Self { columns(a, b, c, d, e, f).and(g) }
  /// Eight columns.
  public static func columns<A, B, C, D, E, F, G, H>(
    _ a: Column<T, A>, _ b: Column<T, B>, _ c: Column<T, C>, _ d: Column<T, D>,
    _ e: Column<T, E>, _ f: Column<T, F>, _ g: Column<T, G>, _ h: Column<T, H>
  ) -> Self { columns(a, b, c, d, e, f, g).and(h) }
  /// Nine columns.
  public static func columns<A, B, C, D, E, F, G, H, I>(
    _ a: Column<T, A>, _ b: Column<T, B>, _ c: Column<T, C>, _ d: Column<T, D>,
    _ e: Column<T, E>, _ f: Column<T, F>, _ g: Column<T, G>, _ h: Column<T, H>,
    _ i: Column<T, I>
  ) -> Self { columns(a, b, c, d, e, f, g, h).and(i) }
}
