public import Linux

/// One database that several members keep, or one server: each transaction goes to a member that is
/// of use, and after a doubt the next goes to another.
///
/// A transaction whose answer was lost may have been carried out: the caller must read what it
/// wrote.
public struct ClusterClient<Schema: DatabaseSchema> {
  /// The members, in the order in which they are tried.
  public let remotes: [Endpoint]
  /// When everything must have ended.
  public let deadline: Deadline
  private let checksSchema: Bool
  private var connection: DatabaseConnection<Schema>?

  /// Connects when there is something to say.
  ///
  /// - Parameter checksSchema: Servers whose schema does not serve are not used.
  public init(_ remotes: [Endpoint], checksSchema: Bool = false, until deadline: Deadline) {
    self.remotes = remotes
    self.checksSchema = checksSchema
    self.deadline = deadline
  }

  /// How long a member may take for one transaction: an election takes a second, and one that hangs
  /// must leave time for others.
  private var patience: Deadline {
    remotes.count == 1 ? deadline : min(deadline, .after(.seconds(2)))
  }

  private mutating func connected() throws(OVSDBError) -> DatabaseConnection<Schema> {
    if let connection { return connection }
    let made = try DatabaseConnection<Schema>(
      toOneOf: remotes, checksSchema: checksSchema, until: deadline)
    connection = made
    return made
  }

  /// Runs `transaction`, once. What was refused, or what is unknown of its effect, is the failure;
  /// what no member can help is thrown.
  public mutating func run(_ transaction: DatabaseTransaction<Schema>) throws(OVSDBError)
    -> Result<TransactionResults, OVSDBError>
  {
    let connection = try connected()
    do throws(OVSDBError) {
      return .success(try connection.transact(transaction, until: patience))
    } catch {
      if error.isVerdict { return .failure(error) }
      // The next one goes to a member that responds.
      self.connection = nil
      guard Self.isPassing(error), !deadline.hasPassed else { throw error }
      return .failure(error)
    }
  }

  /// Runs `transaction`, which does the same however often it is run, until it took effect.
  public mutating func insist(_ transaction: DatabaseTransaction<Schema>) throws(OVSDBError)
    -> TransactionResults
  {
    while true {
      switch try run(transaction) {
      case .success(let results): return results
      case .failure(let error): if error.isVerdict { throw error }
      }
    }
  }

  /// Whether the same may be said to another member, or once more.
  private static func isPassing(_ error: OVSDBError) -> Bool {
    switch error {
    case .connectionLost, .deadlinePassed, .unfit, .noMember, .cannotConnect: true
    case .requestRefused, .transactionRefused: error.isRefusal(.canceled)
    case .unusableEndpoint, .protocolViolation, .unsuitableSchema, .missingRow: false
    }
  }
}

extension OVSDBError {
  /// Whether the database itself has refused a transaction: nothing of it took effect.
  public var isVerdict: Bool {
    if case .transactionRefused = self { !isRefusal(.canceled) } else { false }
  }
}
