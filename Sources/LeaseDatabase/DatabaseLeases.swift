public import Addresses
public import IPAM
public import Linux
public import OVSDB
public import PluginConfigurations

/// Why leases in the database could not be read or changed.
public enum ClusterError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The database, or the way to it.
  case database(OVSDBError)
  /// Another machine has this host's name.
  case nameTaken(host: String, machine: String)
  /// One attachment would have more than the database has slots for.
  case tooManyAddresses
  /// Others were faster, up to the deadline.
  case overtaken(attempts: Int)

  /// What was attempted, and why not.
  public var description: String {
    switch self {
    case .database(let error): error.description
    case .nameTaken(let host, let machine):
      "the host name \"\(host)\" belongs to the machine \(machine); say \"host\" in \"ipam\" here "
        + "or there, or delete its row of table Host if that machine is gone"
    case .tooManyAddresses:
      "an attachment has at most \(ClusterHolder.slotCount) addresses in the database"
    case .overtaken(let attempts): "other hosts were faster \(attempts) times; try again"
    }
  }

  /// Whether the same may succeed later.
  public var isTransient: Bool {
    switch self {
    case .database(let error): error.isTransient || error.mayHaveTakenEffect
    case .nameTaken, .tooManyAddresses: false
    case .overtaken: true
    }
  }
}

/// This host, as the database knows it.
public struct ClusterHost: Hashable, Sendable {
  /// Its name.
  public let name: String
  /// Its machine ID.
  public let machine: String
  /// The ID of its present boot.
  public let boot: String

  /// A host.
  public init(name: String, machine: String, boot: String) {
    self.name = name
    self.machine = machine
    self.boot = boot
  }
}

/// The leases of all hosts in the database `CNI_IPAM`, as one attachment sees them.
///
/// Nothing is decided by reading: another host may have written meanwhile, and a member of a
/// cluster may be behind. A transaction inserts rows that its indexes allow once, and after any
/// doubt the holder's rows are looked for and adopted. They have UUIDs of its making, by which they
/// are found at once; in a database that was restored from a snapshot they have others, and are
/// found by what they say.
public struct DatabaseLeases: LeaseStore {
  /// This host.
  public let host: ClusterHost
  let holder: ClusterHolder
  let sets: [RangeSet]
  /// Leases of an earlier boot of this host are free.
  let reclaims: Bool
  private var client: ClusterClient<LeaseSchema>

  /// What is known of addresses that others have.
  var taken: [IPAddress: String] = [:]
  /// Rows of an earlier boot of this host, by their addresses.
  var stale: [IPAddress: String] = [:]
  /// Whether `taken` has all that the pool had when it was read.
  var isComplete = false
  /// The holder's rows, by their slots.
  var own: [Int: OwnLease] = [:]
  /// The holder may have rows that `own` does not have.
  var isInDoubt = false
  /// Rows of the holder have other UUIDs than it gives them.
  var hasStrays = false
  /// The rows of the memory that have other UUIDs than their subjects give them.
  var strayMemories: [String: String] = [:]
  var conflicts = 0

  /// The leases of `holder`.
  ///
  /// - Parameter takesAddresses: The database must be one that gives no address twice.
  public init(
    _ remotes: [Endpoint], _ host: ClusterHost, _ holder: ClusterHolder, sets: [RangeSet],
    reclaims: Bool, takesAddresses: Bool, until deadline: Deadline
  ) {
    client = ClusterClient(remotes, checksSchema: takesAddresses, until: deadline)
    self.host = host
    self.holder = holder
    self.sets = sets
    self.reclaims = reclaims
  }

  /// Every attempt learns something, and the deadline ends them all.
  public let attempts = 1000
  /// What to throw after as many.
  public func overtaken() -> ClusterError { .overtaken(attempts: attempts) }

  // MARK: - What is guessed

  /// The holder's addresses; none, unless there is a reason to look.
  public mutating func held() throws(ClusterError) -> [IPAddress] {
    if isInDoubt { try readOwn() }
    return own.sorted { $0.key < $1.key }.compactMap { $0.value.address }
  }

  /// Whether nothing is known against it.
  public mutating func isFree(_ address: IPAddress) throws(ClusterError) -> Bool {
    taken[address] == nil
  }

  /// The first address of `range` of which nothing is known; what others had last is not told
  /// apart.
  public mutating func firstFree(in range: IPRange, leavingRemembered: Bool) throws(ClusterError)
    -> IPAddress?
  {
    var address = range.first
    while taken[address] != nil {
      guard address < range.last, let next = address.successor else { return nil }
      address = next
    }
    return address
  }

  /// Another place for every holder, and after every conflict: the lowest free address is what
  /// everyone would try first.
  public mutating func cursor(of set: Int) throws(ClusterError) -> IPAddress? {
    let parts = sets[set].ranges.flatMap { $0.open }
    let sizes = parts.map { $0.last.value - $0.first.value }
    let total = sizes.reduce(UInt128(0)) { min($0 + min($1, 1 << 100) + 1, 1 << 120) }
    guard total > 0 else { return nil }
    var offset = UInt128(RowKey.number([holder.text, "\(set)", "\(conflicts)"])) % total
    for (part, size) in zip(parts, sizes) {
      if offset <= size { return IPAddress(part.first.family, value: part.first.value + offset) }
      offset -= size + 1
    }
    return nil
  }

  /// Who has `address`, as far as it is known.
  public mutating func holder(of address: IPAddress) throws(ClusterError) -> String {
    "it is leased to \(taken[address] ?? "another")"
  }

  // MARK: - The connection

  /// Runs `transaction`, once. What is unknown of its effect afterwards is said by the error.
  mutating func run(_ transaction: DatabaseTransaction<LeaseSchema>) throws(ClusterError)
    -> Result<TransactionResults, OVSDBError>
  {
    do throws(OVSDBError) { return try client.run(transaction) } catch { throw .database(error) }
  }

  /// Runs `transaction`, which does the same however often it is run, until it took effect.
  mutating func insist(_ transaction: DatabaseTransaction<LeaseSchema>) throws(ClusterError)
    -> TransactionResults
  {
    do throws(OVSDBError) { return try client.insist(transaction) } catch {
      throw .database(error)
    }
  }
}
