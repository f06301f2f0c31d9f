internal import JSON
public import Linux

/// Why ovsdb-server could not be asked, or what it refused.
public enum OVSDBError: Error, Hashable, Sendable {
  /// The text names no endpoint; why, and what is legal.
  case unusableEndpoint(String, String)
  /// There is no connection to the endpoint.
  case cannotConnect(Endpoint, SystemError)
  /// The connection ended while something was waited for: closed by the server where there is no
  /// system error.
  case connectionLost(Endpoint, SystemError?, waitingFor: String, effect: Effect)
  /// Something did not happen in time.
  case deadlinePassed(Endpoint, waitingFor: String, effect: Effect)
  /// The server sent what RFC 7047 does not allow.
  case protocolViolation(Endpoint, String)
  /// The server refused the request of this method as a whole.
  case requestRefused(method: String, Refusal)
  /// The server refused a transaction; nothing of it took effect.
  case transactionRefused(TransactionRefusal)
  /// The member of a cluster is of no use now; why.
  case unfit(Endpoint, String)
  /// The database has another schema than is needed; in what.
  case unsuitableSchema(Endpoint, String)
  /// None of several servers is of use; why not, each.
  case noMember([OVSDBError])
  /// A table has no row and must have one; what makes it.
  case missingRow(Endpoint, table: String, advice: String)

  /// What is known of the effect of a request that has no answer.
  public enum Effect: Hashable, Sendable {
    /// The server did not receive it.
    case none
    /// The server may have carried it out.
    case possible
    /// The transaction took effect; only what should follow from it did not come.
    case certain
  }

  /// Whether the database may be other than before.
  public var mayHaveTakenEffect: Bool {
    switch self {
    case .connectionLost(_, _, _, let effect), .deadlinePassed(_, _, let effect): effect != .none
    case .protocolViolation: true
    case .unusableEndpoint, .cannotConnect, .requestRefused, .transactionRefused,
      .unfit, .unsuitableSchema, .noMember, .missingRow:
      false
    }
  }

  /// Whether to ask again may help: a server that is not there may be restarting.
  public var isTransient: Bool {
    switch self {
    case .deadlinePassed, .cannotConnect, .unfit, .noMember: true
    default: false
    }
  }

  /// Whether the server refused a request or a transaction for this reason.
  public func isRefusal(_ reason: Refusal.Reason) -> Bool {
    switch self {
    case .requestRefused(_, let refusal): refusal.reason == reason
    case .transactionRefused(let refusal): refusal.refusal.reason == reason
    default: false
    }
  }
}

/// An error object of the server (RFC 7047 §3.1 `<error>`).
public struct Refusal: Hashable, Sendable {
  /// The server's short words, by which errors are told apart.
  public struct Reason: Hashable, Sendable, CustomStringConvertible {
    /// The short words.
    public let description: String
    /// These words.
    public init(_ description: String) { self.description = description }

    /// A value is not allowed, or two rows have the same value where they must not.
    public static let constraintViolation = Reason("constraint violation")
    /// A row that is deleted has references, or a reference has no row.
    public static let referentialIntegrityViolation = Reason("referential integrity violation")
    /// A row of that UUID is there, or was deleted by the same transaction.
    public static let duplicateUUID = Reason("duplicate uuid")
    /// A relay lost its server while it had the request, which may have taken effect.
    public static let canceled = Reason("canceled")
    /// The condition of a `wait` was not met.
    public static let timedOut = Reason("timed out")
    /// An `abort` was reached.
    public static let aborted = Reason("aborted")
    /// The server does not know the method.
    public static let unknownMethod = Reason("unknown method")
    /// The server does not have the database.
    public static let unknownDatabase = Reason("unknown database")
  }
  /// The server's short words.
  public let reason: Reason
  /// The server's long words; nil if it had none.
  public let details: String?

  /// Reads an error object, or the bare string that old methods use; nil if `json` is neither.
  init?(_ json: JSONValue) {
    guard let reason = json.text ?? json["error"]?.text else { return nil }
    self.reason = Reason(reason)
    details = json["details"]?.text
  }
}

extension Refusal: CustomStringConvertible {
  /// `constraint violation: 5000 is not in the valid range 0 to 4095 (inclusive)`
  public var description: String {
    details.map { $0.isEmpty ? reason.description : "\(reason): \($0)" } ?? reason.description
  }
}

/// A transaction that the server refused, and where in it.
public struct TransactionRefusal: Hashable, Sendable, CustomStringConvertible {
  /// The position of the operation at fault; the number of operations where all of them succeeded
  /// one by one and the transaction was refused at its end (RFC 7047 §4.1.3).
  public let index: Int
  /// The operation at fault; nil at the end of the transaction.
  public let operation: OperationName?
  /// What the transaction was to do.
  public let summary: String
  /// The server's words.
  public let refusal: Refusal

  /// `insert into Port: constraint violation: 5000 is not in the valid range 0 to 4095 (inclusive)`
  public var description: String {
    "\(operation?.description ?? "commit (\(summary))"): \(refusal)"
  }
}

extension OVSDBError: CustomStringConvertible {
  /// What was attempted, why it did not happen, and where it helps what to do.
  public var description: String {
    switch self {
    case .unusableEndpoint(let text, let reason):
      return "\"\(text)\" is not an OVSDB endpoint: \(reason)"
    case .cannotConnect(let endpoint, let error):
      return "\(error)\(Self.hint(endpoint, error.errno))"
    case .connectionLost(let endpoint, let error, let what, let effect):
      let cause = error?.description ?? "the server closed the connection"
      return "ovsdb-server at \(endpoint): waiting for \(what): \(cause)\(Self.words(effect))"
    case .deadlinePassed(let endpoint, let what, let effect):
      return
        "ovsdb-server at \(endpoint): waiting for \(what): the deadline passed\(Self.words(effect))"
    case .protocolViolation(let endpoint, let what):
      return "ovsdb-server at \(endpoint): not as RFC 7047 has it: \(what)"
    case .requestRefused(let method, let refusal): return "\(method): \(refusal)"
    case .transactionRefused(let refusal): return refusal.description
    case .unfit(let endpoint, let reason), .unsuitableSchema(let endpoint, let reason):
      return "ovsdb-server at \(endpoint): \(reason)"
    case .noMember(let reasons):
      return "no server of the database is of use: "
        + reasons.map { $0.description }.joined(separator: "; ")
    case .missingRow(let endpoint, let table, let advice):
      return "ovsdb-server at \(endpoint): table \(table) has no row; \(advice)"
    }
  }

  private static func words(_ effect: Effect) -> String {
    switch effect {
    case .none: ""
    case .possible: "; the request may have taken effect"
    case .certain: "; the transaction took effect"
    }
  }

  private static func hint(_ endpoint: Endpoint, _ errno: Errno) -> String {
    switch errno {
    case .connectionRefused, .noSuchFileOrDirectory:
      if case .tcp = endpoint {
        " at \(endpoint); is ovsdb-server running?"
      } else {
        "; is ovsdb-server running?"
      }
    case .timedOut: "; ovsdb-server at \(endpoint) does not accept connections"
    default: ""
    }
  }
}
