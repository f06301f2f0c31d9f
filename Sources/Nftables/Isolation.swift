public import Addresses
internal import JSON
public import Linux

/// What keeps attachments of one gateway apart that do not reach each other in the bridge: their
/// packets could go through the host, which is a router.
///
/// One table for the host. Its hook looks up by which gateway a packet came in and to which address
/// it goes; where that is an isolated attachment of the same gateway, the element sends it to the
/// chain of the attachment, and that to one last chain, which lets pass what answers and what is
/// published. While an attachment is there the kernel refuses to delete the last chain, and so the
/// table goes with the last attachment, and never before.
public struct Isolation: Hashable, Sendable {
  /// The attachment.
  public let owner: RuleOwner
  /// Its network's name, for people.
  public let network: String

  /// The isolation of one attachment.
  public init(_ owner: RuleOwner, network: String) {
    self.owner = owner
    self.network = network
  }

  private static let table = FirewallTable(.inet, "patchbay_isolation")
  private static let hook = "forward"
  private static let last = "apart"
  private static let attempts = 20

  private static func map(_ family: IPAddress.Family) -> String {
    family == .v4 ? "isolated4" : "isolated6"
  }
  private static func lookUp(_ family: IPAddress.Family) -> [FirewallExpression] {
    [.lookUp([.meta("iifname"), .destination(family)], in: map(family))]
  }
  private static var verdicts: [[FirewallExpression]] {
    [
      [.match(.connection("state"), "in", ["established", "related"]), .accept],
      [.match(.connection("status"), "in", "dnat"), .accept], [.drop],
    ]
  }

  /// Makes what all attachments share, and makes it again where it is there.
  private static var setup: [FirewallCommand] {
    // Before the filters of others, which are at 0: what they accept is dropped all the same.
    let hook = FirewallTable.Hook(type: "filter", Self.hook, priority: -1)
    var commands: [FirewallCommand] = [
      .add(table.object), .add(table.map(map(.v4), from: ["ifname", "ipv4_addr"])),
      .add(table.map(map(.v6), from: ["ifname", "ipv6_addr"])),
      .add(table.chain(last)), .flush(table.chain(last)),
      .add(table.chain(Self.hook, at: hook)), .flush(table.chain(Self.hook)),
      .add(table.rule(Self.hook, lookUp(.v4))), .add(table.rule(Self.hook, lookUp(.v6))),
    ]
    commands += verdicts.map { .add(table.rule(last, $0)) }
    return commands
  }

  private static func key(_ link: String, _ address: IPAddress) -> FirewallKey {
    FirewallKey([.string(link), .string(address.description)])
  }

  private func addition(_ link: String, _ addresses: [IPAddress]) -> [FirewallCommand] {
    var commands: [FirewallCommand] = [
      .create(Self.table.chain(owner.chain)),
      .add(
        Self.table.rule(
          owner.chain, [.goto(Self.last)], comment: owner.comment(network: network))),
    ]
    for address in addresses {
      commands.append(
        .create(
          Self.table.elements(
            Self.map(address.family), [Self.key(link, address)], to: owner.chain)))
    }
    return commands
  }

  private var attempt: String { "isolate \(owner.containerID)/\(owner.interfaceName)" }

  // MARK: - ADD

  /// Rules on their way into the kernel. One that is given up may or may not have arrived.
  public struct Addition: ~Copyable {
    private let isolation: Isolation
    private let link: String
    private let addresses: [IPAddress]
    private let process: FirewallProcess

    fileprivate init(_ isolation: Isolation, _ link: String, _ addresses: [IPAddress])
      throws(FirewallError)
    {
      process = try FirewallProcess(
        Isolation.setup + isolation.addition(link, addresses), isolation.attempt)
      self.isolation = isolation
      self.link = link
      self.addresses = addresses
    }

    /// Waits until the rules are there.
    public consuming func finish(until deadline: Deadline) throws(FirewallError) {
      let (isolation, link, addresses) = (isolation, link, addresses)
      do throws(FirewallError) { _ = try process.finish(until: deadline) } catch {
        guard error.isConflict else { throw error }
        try isolation.replace(link, addresses, until: deadline)
      }
    }
  }

  /// Starts to isolate `addresses`, which the attachment has behind the gateway `link`. Rules that
  /// it has, and elements for the same addresses, give way.
  public func begin(_ link: String, _ addresses: [IPAddress]) throws(FirewallError) -> Addition {
    try Addition(self, link, addresses)
  }

  private func replace(_ link: String, _ addresses: [IPAddress], until deadline: Deadline)
    throws(FirewallError)
  {
    var attempts = 0
    while true {
      var commands: [FirewallCommand] = []
      if let listing = try Self.list(until: deadline) {
        let wanted = addresses.map { [JSONValue.string(link), .string($0.description)] }
        commands = Self.removal(of: [owner.chain], listing) { wanted.contains($0.key) }
      }
      commands += Self.setup + addition(link, addresses)
      do { return try Firewall.run(commands, attempt, until: deadline) } catch {
        attempts += 1
        guard error.isConflict, attempts < Self.attempts, !deadline.hasPassed else { throw error }
      }
    }
  }

  // MARK: - DEL and GC

  /// Removes the rules of the attachment; where there are none, that is done.
  public func remove(until deadline: Deadline) throws(FirewallError) {
    _ = try Self.removeAll(until: deadline) { chain, _ in chain == owner.chain }
  }

  /// Removes the rules of all attachments to `network` but `valid`; returns their comments.
  public static func removeAll(
    of network: String, except valid: [RuleOwner], until deadline: Deadline
  ) throws(FirewallError) -> [String] {
    let kept = Set(valid.map { $0.chain })
    let prefixes = ["\(network)/", "#\(digest(network))/"]
    return try removeAll(until: deadline) { chain, comment in
      !kept.contains(chain) && prefixes.contains { comment.hasPrefix($0) }
    }
  }

  private static func removeAll(
    until deadline: Deadline, where isStale: (_ chain: String, _ comment: String) -> Bool
  ) throws(FirewallError) -> [String] {
    var attempts = 0
    while let listing = try list(until: deadline) {
      let rules = listing.rules.filter { $0.chain.hasPrefix(RuleOwner.chainPrefix) }
      let stale = rules.filter { isStale($0.chain, $0.comment ?? "") }
      let chains = Set(stale.map { $0.chain }).sorted()
      var commands = removal(of: chains, listing) { _ in false }
      let isLast = rules.count == stale.count
      if chains.isEmpty, !isLast { return [] }
      // Refused as a whole where another attachment came since.
      if isLast {
        commands += [
          .flush(table.chain(last)), .delete(table.chain(last)), .delete(table.object),
        ]
      }
      do throws(FirewallError) {
        try Firewall.run(commands, "remove rules from table \(table)", until: deadline)
        return stale.compactMap { $0.comment }.sorted()
      } catch {
        attempts += 1
        guard error.isConflict, attempts < Self.attempts, !deadline.hasPassed else { throw error }
      }
    }
    return []
  }

  /// Deletes chains with what leads to them, and elements.
  private static func removal(
    of chains: [String], _ listing: FirewallListing,
    _ isInTheWay: (FirewallListing.Element) -> Bool
  ) -> [FirewallCommand] {
    let elements = listing.elements.filter {
      chains.contains($0.target ?? "") || isInTheWay($0)
    }
    let rules = listing.rules.filter { chains.contains($0.chain) }
    return elements.map { .delete(table.elements($0.map, [FirewallKey($0.key)])) }
      + rules.map { .delete(table.rule($0.chain, handle: $0.handle)) }
      + chains.filter { listing.chains[$0] != nil }.map { .delete(table.chain($0)) }
  }

  // MARK: - CHECK and STATUS

  /// What is not as `begin` made it; nil if all is.
  public func deviation(_ link: String, _ addresses: [IPAddress], until deadline: Deadline)
    throws(FirewallError) -> String?
  {
    guard let listing = try Self.list(until: deadline) else {
      return "there is no table \(Self.table) in the firewall"
    }
    guard listing.chains[Self.hook]?["hook"]?.text == Self.hook,
      listing.expressions(in: Self.hook)
        == FirewallListing.ordered([Self.lookUp(.v4), Self.lookUp(.v6)])
    else { return "chain \(Self.hook) of table \(Self.table) is not as it was made" }
    let verdicts = listing.expressions(in: Self.last)
    guard verdicts.count == Self.verdicts.count,
      verdicts.last == FirewallListing.ordered([[.drop]])[0]
    else { return "chain \(Self.last) of table \(Self.table) does not drop any more" }
    for address in addresses {
      let key: [JSONValue] = [.string(link), .string(address.description)]
      let found = listing.elements.first { $0.key == key }
      guard found?.target == owner.chain,
        listing.expressions(in: owner.chain)
          == FirewallListing.ordered([[.goto(Self.last)]])
      else {
        return "map \(Self.map(address.family)) of table \(Self.table) does not lead from \(link) "
          + "and \(address) to chain \(owner.chain), and should"
      }
    }
    return nil
  }

  /// Throws where the firewall could not isolate; changes nothing.
  public static func test(until deadline: Deadline) throws(FirewallError) {
    try Firewall.test(setup, "isolate attachments of a gateway", until: deadline)
  }

  private static func list(until deadline: Deadline) throws(FirewallError) -> FirewallListing? {
    try Firewall.list(table.object, "list table \(table)", until: deadline)
  }
}
