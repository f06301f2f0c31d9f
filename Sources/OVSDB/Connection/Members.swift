internal import JSON
public import Linux

/// What a member of a cluster has to be.
public enum MemberRequirement: Hashable, Sendable {
  /// It responds.
  case responding
  /// It is part of a majority, so that what it says is recent and what it is told can take effect.
  case connected
  /// It leads: what it says is the latest.
  case leading
}

extension DatabaseConnection {
  /// Connects to the first of `remotes` that is as `requirement` says: the members of a cluster, or
  /// one server.
  ///
  /// They are tried in turn, again and again until the deadline: a member that is elected, or
  /// restarts, is of use a second later. One that accepts the connection and does not respond is
  /// passed by. Where none can be connected to at all it ends at once, as with one server.
  /// `noMember` says of each why not.
  ///
  /// - Parameter checksSchema: `Schema` says whether that of the server serves.
  public init(
    toOneOf remotes: [Endpoint], _ requirement: MemberRequirement = .connected,
    checksSchema: Bool = false, until deadline: Deadline
  ) throws(OVSDBError) {
    var patience = Self.firstPatience
    var earlier: [OVSDBError] = []
    while true {
      var refusals: [OVSDBError] = []
      for (position, remote) in remotes.enumerated() {
        let limit = remotes.count == 1 ? deadline : min(deadline, .after(patience))
        do throws(OVSDBError) {
          let connection = try Self(remote, until: limit)
          try connection.require(requirement, checksSchema: checksSchema, until: limit)
          self = connection
          return
        } catch {
          // In the last round there may be no time left to hear what was heard before.
          let before = earlier.dropFirst(position).first
          refusals.append(error.isSilence ? before ?? error : error)
        }
      }
      guard refusals.contains(where: { $0.mayPass }), !deadline.hasPassed else {
        if refusals.count == 1, let refusal = refusals.first { throw refusal }
        throw .noMember(refusals)
      }
      earlier = refusals
      patience = min(patience * 2, .seconds(60))
      Clock.sleep(min(Self.pause, deadline.remaining))
    }
  }

  /// How long the first time a member may take to respond.
  private static var firstPatience: Duration { .milliseconds(500) }
  /// Between two rounds.
  private static var pause: Duration { .milliseconds(50) }

  /// Throws if the server is not as `requirement` says, or does not respond.
  func require(
    _ requirement: MemberRequirement, checksSchema: Bool = false, until deadline: Deadline
  ) throws(OVSDBError) {
    var question = DatabaseTransaction<ServerDatabase>()
    let rows = question.select(
      from: .database, where: [.equal(.name, Schema.name)], .columns(.isConnected, .isLeader))
    let schemas =
      checksSchema
      ? question.select(from: .database, where: [.equal(.name, Schema.name)], .columns(.schema))
      : nil
    let results: TransactionResults
    do throws(OVSDBError) {
      results = try DatabaseConnection<ServerDatabase>(sharing: session).transact(
        question, until: deadline)
    } catch {
      // A server older than 2.9 is part of no cluster.
      if error.isRefusal(.unknownDatabase) { return }
      throw error
    }
    guard let row = results[rows].first else {
      throw .unfit(endpoint, "it has no database \(Schema.name)")
    }
    switch requirement {
    case .responding: break
    case .connected:
      if !row[.isConnected] { throw .unfit(endpoint, "it is not part of a majority") }
    case .leading:
      if !row[.isLeader] { throw .unfit(endpoint, "it is not the leader") }
    }
    guard let text = schemas.flatMap({ results[$0].first?[.schema] }) else { return }
    guard let schema = try? JSONValue(parsing: Array(text.utf8)) else {
      throw session.violation("the schema of \(Schema.name) is not JSON")
    }
    if let mismatch = Schema.mismatch(schema) { throw .unsuitableSchema(endpoint, mismatch) }
  }
}

extension OVSDBError {
  /// Whether a member may be of use a moment later.
  fileprivate var mayPass: Bool {
    switch self {
    case .unfit, .deadlinePassed, .connectionLost: true
    case .cannotConnect(_, let error): error.errno == .timedOut
    default: false
    }
  }

  /// Whether it says no more than that there was no answer in time.
  fileprivate var isSilence: Bool { if case .deadlinePassed = self { true } else { false } }
}
