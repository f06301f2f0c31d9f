/// A request and what is at stake with it.
struct SessionRequest: Hashable, Sendable {
  let id: Int64
  let method: String
  /// Whether the server may change the database when it has all of the request.
  let changes: Bool
  /// The last byte of the request, counted from the start of the connection.
  let end: Int
}
