public import Addresses

/// Where the leases of one network are kept, as one attachment sees them: files on this host, or a
/// database that many hosts use at once.
///
/// Whatever it says of a free address may be outdated at once. Only `exchange` decides.
public protocol LeaseStore: ~Copyable {
  /// Why leases could not be read or changed.
  associatedtype Failure: Error

  /// The addresses that the attachment has, from an ADD whose answer was lost.
  mutating func held() throws(Failure) -> [IPAddress]
  /// Whether no attachment seems to have `address`.
  mutating func isFree(_ address: IPAddress) throws(Failure) -> Bool
  /// The first address of `range` that seems to be free; nil if there is none.
  ///
  /// - Parameter leavingRemembered: Addresses that another attachment had last are passed over,
  ///   where the store remembers such.
  mutating func firstFree(in range: IPRange, leavingRemembered: Bool) throws(Failure) -> IPAddress?
  /// The address after which the range set number `set` is searched; nil: from its start.
  mutating func cursor(of set: Int) throws(Failure) -> IPAddress?
  /// The address that `subject` had last; nil where that is not known.
  mutating func remembered(for subject: String) throws(Failure) -> IPAddress?
  /// Who or what holds `address`, for a message.
  mutating func holder(of address: IPAddress) throws(Failure) -> String

  /// Takes all of `exchange.taken` for the attachment and gives `exchange.released` back; false,
  /// with nothing taken, where another attachment was faster. Then the choice is made again.
  mutating func exchange(_ exchange: LeaseExchange) throws(Failure) -> Bool
  /// What to throw after having been overtaken too often.
  func overtaken() -> Failure
  /// How often a choice is made before that.
  var attempts: Int { get }
}

/// What changes hands at once.
public struct LeaseExchange: Hashable, Sendable {
  /// An address that the attachment takes, or has and keeps.
  public struct Lease: Hashable, Sendable {
    /// The address.
    public let address: IPAddress
    /// The number of the range set that it is from.
    public let set: Int
    /// The attachment has it already.
    public let isHeld: Bool
    /// The next search of the range set starts after it.
    public let movesCursor: Bool
    /// Whose address it is from now on, also when it is free again; nil: no one's.
    public let subject: String?

    init(
      address: IPAddress, set: Int, isHeld: Bool, movesCursor: Bool, subject: String?
    ) {
      self.address = address
      self.set = set
      self.isHeld = isHeld
      self.movesCursor = movesCursor
      self.subject = subject
    }

    /// An address that the attachment takes, whatever range it is from.
    public init(_ address: IPAddress) {
      self.init(address: address, set: 0, isHeld: false, movesCursor: false, subject: nil)
    }
  }
  /// One for each range set.
  public let taken: [Lease]
  /// What the attachment has, and does not keep.
  public let released: [IPAddress]

  /// An exchange.
  public init(taken: [Lease], released: [IPAddress]) {
    self.taken = taken
    self.released = released
  }
}

/// Why an attachment gets no addresses, though the leases can be read and changed.
public struct AllocationFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// In the words of the reference plugin, where it has any.
  public let message: String
  /// More of it.
  public let details: String

  /// A failure.
  public init(_ message: String, details: String) {
    self.message = message
    self.details = details
  }

  /// `message: details`
  public var description: String { "\(message): \(details)" }
}
