internal import JSON

/// What is to be monitored of one table.
struct MonitorRequest: Hashable, Sendable {
  let table: String
  let clauses: [Clause]
  /// In the order they were asked for.
  let columns: [SelectedColumn]

  /// A `<monitor-cond-request>`, or, where the server cannot select, a `<monitor-request>` that
  /// also has the columns to select by.
  func json(isConditional: Bool) -> JSONValue {
    var columns = columns.map { $0.name }
    if !isConditional {
      for clause in clauses where clause.column != "_uuid" && !columns.contains(clause.column) {
        columns.append(clause.column)
      }
    }
    return .object([
      ("columns", .array(columns.map { .string($0) })),
      (
        "where",
        isConditional && !clauses.isEmpty ? .array(clauses.map { $0.json }) : nil
      ),
    ])
  }
}
