internal import JSON

/// The rows of a monitor, and what is known of its request.
struct MonitorState {
  enum Phase: Hashable {
    /// No answer yet.
    case requested
    /// The rows are as the server has them.
    case begun
    /// There is no such monitor.
    case refused(Refusal)
  }
  let database: String
  let monitored: [MonitorRequest]
  /// Whether the server selects rows and sends changes as `update2`; if not, as `update`.
  var isConditional: Bool
  var request: SessionRequest
  var phase = Phase.requested
  /// By table and UUID; each has its `_uuid` as a column, too.
  var rows: [String: [String: [String: Value]]] = [:]

  init(
    database: String, monitored: [MonitorRequest], isConditional: Bool, request: SessionRequest
  ) {
    self.database = database
    self.monitored = monitored
    self.isConditional = isConditional
    self.request = request
  }

  /// Takes in `<table-updates2>` or `<table-updates>`; false if it is malformed.
  mutating func apply(_ updates: JSONValue) -> Bool {
    guard case .object(let tables) = updates else { return false }
    for table in tables.members {
      guard let monitored = monitored.first(where: { $0.table == table.name }),
        case .object(let changes) = table.value
      else { return false }
      for change in changes.members {
        let isWellFormed =
          isConditional
          ? apply(change.value, to: change.name, of: monitored)
          : replace(change.name, of: monitored, with: change.value)
        guard isWellFormed else { return false }
      }
    }
    return true
  }

  /// Takes in a `<row-update2>` (ovsdb-server(7) §4.1.14).
  private mutating func apply(_ change: JSONValue, to uuid: String, of monitored: MonitorRequest)
    -> Bool
  {
    guard let member = change.object?.members.first else { return false }
    switch member.name {
    case "initial", "insert":
      guard let row = OVSDB::values(ofRow: member.value) else { return false }
      return set(row, uuid, monitored)
    case "modify":
      guard var row = rows[monitored.table]?[uuid],
        let differences = OVSDB::values(ofRow: member.value)
      else { return false }
      for (column, difference) in differences {
        let shape = monitored.columns.first { $0.name == column }?.shape
        row[column] = Self.value(row[column], changedBy: difference, shape ?? .single)
      }
      return set(row, uuid, monitored)
    case "delete": rows[monitored.table]?[uuid] = nil
    default: return false
    }
    return true
  }

  /// Takes in a `<row-update>` (RFC 7047 §4.1.6): the new row is whole, or absent.
  private mutating func replace(
    _ uuid: String, of monitored: MonitorRequest, with change: JSONValue
  ) -> Bool {
    guard case .object(let versions) = change else { return false }
    rows[monitored.table]?[uuid] = nil
    guard let new = versions["new"] else { return true }
    guard let row = OVSDB::values(ofRow: new) else { return false }
    if monitored.clauses.allSatisfy({ $0.isTrue(of: row, uuid: uuid) }) {
      return set(row, uuid, monitored)
    }
    return true
  }

  /// Keeps a row, and with it what the server left out because it is the default of its type; false
  /// if a column is of another type.
  private mutating func set(_ row: [String: Value], _ uuid: String, _ monitored: MonitorRequest)
    -> Bool
  {
    var row = row
    row["_uuid"] = .atom(.uuid(uuid))
    for column in monitored.columns where row[column.name] == nil {
      row[column.name] = column.initial
    }
    guard monitored.columns.mismatch(row) == nil else { return false }
    rows[monitored.table, default: [:]][uuid] = row
    return true
  }

  /// What `old` becomes by a difference, of which sets and maps tell only what is other than
  /// before.
  static func value(_ old: Value?, changedBy difference: Value, _ shape: ColumnShape) -> Value {
    switch shape {
    case .single: return difference
    case .set:
      let atoms = old?.atoms ?? []
      let changed = difference.atoms
      return .set(atoms.filter { !changed.contains($0) } + changed.filter { !atoms.contains($0) })
    case .map:
      // A pair that is there already goes; one with a known key and another value replaces it.
      let pairs = old?.pairs ?? []
      let changed = difference.pairs
      let kept = pairs.filter { pair in !changed.contains { $0.key == pair.key } }
      return .map(kept + changed.filter { !pairs.contains($0) })
    }
  }
}

extension Clause {
  /// Whether the condition is true of a row (RFC 7047 §5.1, ovsdb-server(7) §5.1).
  func isTrue(of row: [String: Value], uuid: String) -> Bool {
    let found = column == "_uuid" ? .atom(.uuid(uuid)) : row[column] ?? .set([])
    switch function {
    case .equal: return Self.contains(found, value) && Self.contains(value, found)
    case .notEqual: return !(Self.contains(found, value) && Self.contains(value, found))
    case .includes: return Self.contains(found, value)
    case .excludes:
      return !found.atoms.contains { value.atoms.contains($0) }
        && !found.pairs.contains { value.pairs.contains($0) }
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      guard let left = found.atom.flatMap({ Double.decoded(from: $0) }),
        let right = value.atom.flatMap({ Double.decoded(from: $0) })
      else { return false }
      return switch function {
      case .less: left < right
      case .lessOrEqual: left <= right
      case .greater: left > right
      default: left >= right
      }
    }
  }

  /// Whether everything in `part` is in `whole`.
  private static func contains(_ whole: Value, _ part: Value) -> Bool {
    part.atoms.allSatisfy { whole.atoms.contains($0) }
      && part.pairs.allSatisfy { whole.pairs.contains($0) }
  }
}
