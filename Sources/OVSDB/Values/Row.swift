internal import JSON

/// A row, with those columns of it that were asked for.
public struct Row<T: Table>: Hashable, Sendable {
  /// By the names of the columns.
  public let values: [String: Value]

  /// The row with these columns.
  public init(values: [String: Value]) { self.values = values }

  /// What stands in `column`, which must be one of those that were asked for.
  ///
  /// Another one is a fault in this repository, not an empty column: debug builds, which the tests
  /// run, trap. That each is there and of its type was checked when the row came.
  public subscript<Content>(column: Column<T, Content>) -> Content {
    guard let value = values[column.name] else {
      assertionFailure("a column that was not selected")
      return Content.initial
    }
    return Content.decoded(from: value) ?? Content.initial
  }
}

/// The columns of a `<row>` (RFC 7047 §5.1); nil if `json` is not one.
func values(ofRow json: JSONValue) -> [String: Value]? {
  guard case .object(let object) = json else { return nil }
  var values: [String: Value] = [:]
  values.reserveCapacity(object.members.count)
  for member in object.members {
    guard let value = Value(member.value) else { return nil }
    values[member.name] = value
  }
  return values
}
