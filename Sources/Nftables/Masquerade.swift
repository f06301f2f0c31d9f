public import Addresses
public import Linux

/// What hides the addresses of a network's attachments from others: what leaves the subnet has the
/// address of the link that it leaves by.
///
/// Each network has a table of its own, so that networks with the same addresses do not get into
/// each other's way. It comes with the first attachment and goes with the last. Nothing else of the
/// firewall is ever touched, or read.
public struct Masquerade: Hashable, Sendable {
  /// The network's name.
  public let network: String

  /// The masquerading of `network`.
  public init(network: String) { self.network = network }

  private var commands: MasqueradeCommands { MasqueradeCommands(network: network) }

  /// How often something is tried again that another program got in the way of. Each time, that
  /// other has got on.
  private static let attempts = 20

  // MARK: - ADD

  /// Rules on their way into the kernel. One that is given up may or may not have arrived.
  public struct Addition: ~Copyable {
    private let masquerade: Masquerade
    private let owner: RuleOwner
    private let addresses: [IPPrefix]
    private let process: FirewallProcess

    fileprivate init(_ masquerade: Masquerade, _ owner: RuleOwner, _ addresses: [IPPrefix])
      throws(FirewallError)
    {
      process = try FirewallProcess(
        masquerade.commands.setup + masquerade.commands.addition(owner, addresses),
        masquerade.attempt(owner))
      self.masquerade = masquerade
      self.owner = owner
      self.addresses = addresses
    }

    /// Waits until the rules are there.
    public consuming func finish(until deadline: Deadline) throws(FirewallError) {
      let (masquerade, owner, addresses) = (masquerade, owner, addresses)
      do throws(FirewallError) { _ = try process.finish(until: deadline) } catch {
        guard error.isConflict else { throw error }
        try masquerade.replace(owner, addresses, until: deadline)
      }
    }
  }

  /// Starts to masquerade what comes from `addresses`, each with the length of its subnet, which
  /// packets to the same subnet are not concerned by, nor those to groups.
  ///
  /// Rules that the same attachment has, and those of another attachment of the network for the
  /// same addresses, which can only be one that is gone, give way.
  public func begin(adding owner: RuleOwner, _ addresses: [IPPrefix]) throws(FirewallError)
    -> Addition
  {
    try Addition(self, owner, addresses)
  }

  /// Masquerades what comes from `addresses`; see `begin(adding:_:)`.
  public func add(_ owner: RuleOwner, _ addresses: [IPPrefix], until deadline: Deadline)
    throws(FirewallError)
  {
    try begin(adding: owner, addresses).finish(until: deadline)
  }

  /// Adds the rules where something is in the way.
  private func replace(_ owner: RuleOwner, _ addresses: [IPPrefix], until deadline: Deadline)
    throws(FirewallError)
  {
    var attempts = 0
    while true {
      var transaction: [FirewallCommand] = []
      if let listing = try list(commands.place.object, until: deadline) {
        transaction = commands.removal(listing, of: [owner.chain])
        let others = listing.without(owner.chain)
        transaction += commands.release(addresses.map { $0.address }, others)
      }
      transaction += commands.setup + commands.addition(owner, addresses)
      do { return try Firewall.run(transaction, attempt(owner), until: deadline) } catch {
        attempts += 1
        guard error.isConflict, attempts < Self.attempts, !deadline.hasPassed else { throw error }
      }
    }
  }

  // MARK: - DEL and GC

  /// Removes the rules of an attachment; where there are none, that is done.
  public func remove(_ owner: RuleOwner, until deadline: Deadline) throws(FirewallError) {
    // Its chain tells all in the first place, whatever else the table has.
    let chain = commands.place.chain(owner.chain)
    var found = try list(chain, until: deadline)
    if found == nil {
      // The table may be left of a removal that was interrupted. And a transaction waits for the
      // one that the kernel is at: it may be that of an ADD that was killed.
      try removeTable(until: deadline)
      found = try list(chain, until: deadline)
    }
    guard let listing = found else { return }
    if try remove([owner.chain], listing, until: deadline) { return }
    _ = try removeAll(until: deadline) { $0 == owner.chain }
  }

  /// Removes the rules of all attachments of the network but `valid`; returns the comments of those
  /// removed.
  public func removeAll(except valid: [RuleOwner], until deadline: Deadline)
    throws(FirewallError) -> [String]
  {
    let kept = Set(valid.map { $0.chain })
    return try removeAll(until: deadline) { !kept.contains($0) }
  }

  private func removeAll(until deadline: Deadline, where isStale: (String) -> Bool)
    throws(FirewallError) -> [String]
  {
    var attempts = 0
    while let listing = try list(commands.place.object, until: deadline) {
      let stale = listing.attachmentChains.filter(isStale)
      if stale.isEmpty {
        if listing.attachmentChains.isEmpty { try removeTable(until: deadline) }
        return []
      }
      if try remove(stale, listing, until: deadline) {
        let removed = listing.rules.filter { stale.contains($0.chain) }
        return Set(removed.compactMap { $0.comment }).sorted()
      }
      attempts += 1
      if attempts >= Self.attempts || deadline.hasPassed {
        throw .refused(
          attempt: "remove rules from table \(commands.table)",
          words: "others changed the table each of \(attempts) times that it was tried")
      }
    }
    return []
  }

  /// Removes chains of attachments, and with the last of them the table; false if what was listed
  /// is not so any more.
  private func remove(_ chains: [String], _ listing: MasqueradeListing, until deadline: Deadline)
    throws(FirewallError) -> Bool
  {
    let removal = commands.removal(listing, of: chains)
    do throws(FirewallError) { try run(removal, until: deadline) } catch {
      guard error.isConflict else { throw error }
      return false
    }
    try removeTable(until: deadline)
    return true
  }

  /// Removes the table unless it has attachments. Each removal ends with this, in a transaction of
  /// its own: of two removals at once neither could see that the other leaves nothing.
  private func removeTable(until deadline: Deadline) throws(FirewallError) {
    do throws(FirewallError) { try run(commands.teardown, until: deadline) } catch {
      guard error.isConflict else { throw error }
    }
  }

  private func run(_ commands: [FirewallCommand], until deadline: Deadline) throws(FirewallError) {
    let attempt = "remove rules from table \(self.commands.table)"
    try Firewall.run(commands, attempt, until: deadline)
  }

  // MARK: - CHECK and STATUS

  /// What is not as `add` made it, and what should be; nil if all is.
  public func deviation(_ owner: RuleOwner, _ addresses: [IPPrefix], until deadline: Deadline)
    throws(FirewallError) -> String?
  {
    guard let listing = try list(commands.place.object, until: deadline) else {
      return "there is no table \(commands.place) in the firewall"
    }
    return commands.deviation(owner, addresses, listing)
  }

  /// Throws where the firewall could not masquerade; changes nothing.
  public func test(until deadline: Deadline) throws(FirewallError) {
    try Firewall.test(
      commands.setup, "masquerade network \"\(network)\"", until: deadline)
  }

  // MARK: -

  private func list(_ object: FirewallObject, until deadline: Deadline) throws(FirewallError)
    -> MasqueradeListing?
  {
    try Firewall.list(object, "list table \(commands.table)", until: deadline).map {
      MasqueradeListing($0)
    }
  }

  private func attempt(_ owner: RuleOwner) -> String {
    "masquerade \(owner.containerID)/\(owner.interfaceName)"
  }
}
