internal import Addresses
public import Linux
internal import Netlink
internal import Nftables

/// What the host's firewall has for published ports.
///
/// What costs the same however many ports others have published: nothing lists the table as long as
/// nothing is in the way.
public struct PortFirewall: ~Copyable {
  let socket: NetfilterSocket
  let deadline: Deadline

  /// The firewall of this network namespace.
  public init(until deadline: Deadline) throws(PublishedPortsError) {
    self.deadline = deadline
    do { socket = try NetfilterSocket() } catch { throw .netfilter(error) }
  }

  /// How often something is tried again that another program got in the way of.
  static let attempts = 20

  // MARK: - ADD

  /// Publishes the ports of an attachment instead of those that it had.
  ///
  /// A port that another attachment has is refused, and so is a container's address; from an
  /// attachment that is no longer up they are taken over.
  public borrowing func publish(
    _ published: PublishedPorts, _ owner: PortOwner, sandbox path: String?, link: String?
  ) throws(PublishedPortsError) {
    let sandbox = Self.sandbox(path)
    let addition = PortTable.addition(owner, published, sandbox, link: link)
    let attempt = "publish ports of \(owner.comment)"
    let subnets = published.outbound.compactMap { $0.neighbours }
    let holding = try holding(of: owner.chain)
    let former = holding.subnets.filter { !subnets.contains($0) }
    var commands = try isComplete() ? [] : setup()
    commands += PortTable.removal(owner.chain, holding, unused: try chains(former, usedBy: 1))
    commands += PortTable.neighbourChains(try missing(subnets)) + addition
    var attempts = 0
    while true {
      do throws(PublishedPortsError) {
        try run(commands, attempt)
        break
      } catch {
        attempts += 1
        guard error.isConflict, attempts < Self.attempts, !deadline.hasPassed else { throw error }
      }
      commands = try setup()
      if let listing = try list() {
        commands += try takeOver(published, owner, listing)
      }
      commands += PortTable.neighbourChains(subnets) + addition
    }
    try removeUnused(former)
  }

  private static func sandbox(_ path: String?) -> RememberedSandbox? {
    guard let path, let status = try? FileStatus(path: path) else { return nil }
    return RememberedSandbox(path: path, inode: status.inode)
  }

  /// Whether what all attachments share is there, and nothing besides, and in force.
  private borrowing func isComplete() throws(PublishedPortsError) -> Bool {
    let table = PortTable.table.name
    do throws(FilterError) {
      guard try socket.isDormant(table: table, until: deadline) == false else { return false }
      for (chain, rules) in PortTable.shared {
        guard
          try Self.isOwn(
            socket.rules(ofChain: chain, table: table, until: deadline), PortTable.sharedComment,
            count: rules.count)
        else { return false }
      }
      for (chain, hook) in PortTable.hooks {
        guard let place = try socket.place(ofChain: chain, table: table, until: deadline),
          place == hook.reported
        else { return false }
      }
      return true
    } catch { throw .netfilter(error) }
  }

  /// Makes what all attachments share. A chain that is at another place is deleted first, since the
  /// kernel moves none; until the transaction is done, packets meet its old rules.
  private borrowing func setup() throws(PublishedPortsError) -> [FirewallCommand] {
    let table = PortTable.table.name
    var misplaced: [String] = []
    for (chain, hook) in PortTable.hooks {
      let place: ReportedPlace?
      do throws(FilterError) {
        place = try socket.place(ofChain: chain, table: table, until: deadline)
      } catch { throw .netfilter(error) }
      if let place {
        if !place.isSame(as: hook.reported) { misplaced.append(chain) }
      } else if try uses(of: chain) != nil {
        misplaced.append(chain)
      }
    }
    return PortTable.deletion(of: misplaced) + PortTable.setup
  }

  /// Whether the comments of rules are those of as many as were made, and no others.
  private static func isOwn(_ comments: [String?], _ comment: String, count: Int) -> Bool {
    comments.count == count && comments.allSatisfy { $0 == comment }
  }

  /// Whether the table is switched off.
  borrowing func isDormant() throws(PublishedPortsError) -> Bool {
    do throws(FilterError) {
      return try socket.isDormant(table: PortTable.table.name, until: deadline) ?? false
    } catch { throw .netfilter(error) }
  }

  // MARK: - DEL and GC

  /// What errors of the commands that do so begin with.
  static let releasing = "release published ports"

  /// Releases the ports of an attachment; where there are none, that is done. Returns them.
  @discardableResult
  public borrowing func release(_ owner: PortOwner) throws(PublishedPortsError) -> [PublishedPort] {
    // An ADD that was killed may have left nft(8) at work.
    do throws(FilterError) { try socket.waitForTransaction() } catch { throw .netfilter(error) }
    let released = try release(owner.chain)
    try removeTableIfUnused()
    return released
  }

  private borrowing func release(_ chain: String) throws(PublishedPortsError) -> [PublishedPort] {
    var attempts = 0
    while true {
      let holding = try holding(of: chain)
      if holding.comments.isEmpty || holding.isOld && holding.returns.isEmpty {
        // Another program may have emptied the chains.
        for name in [chain, PortOwner.returnChain(beside: chain)]
        where try uses(of: name) != nil { return try releaseListed(chain) }
        return []
      }
      let unused = try chains(holding.subnets, usedBy: 1)
      var isDone = true
      do throws(PublishedPortsError) {
        try run(PortTable.removal(chain, holding, unused: unused), Self.releasing)
      } catch {
        isDone = false
        attempts += 1
        guard error.isConflict, !deadline.hasPassed else { throw error }
      }
      if isDone {
        // Each of two that go at once leaves what they share to the other.
        try removeUnused(holding.subnets)
        return holding.ports
      }
      if attempts >= 2 { return try releaseListed(chain) }
    }
  }

  /// Releases what a listing has, which need not be what the comments say: other programs change
  /// tables, too.
  private borrowing func releaseListed(_ chain: String) throws(PublishedPortsError)
    -> [PublishedPort]
  {
    var attempts = 0
    while let listing = try list() {
      let commands = PortTable.removal(listing, of: [chain])
      if commands.isEmpty { return [] }
      do throws(PublishedPortsError) {
        try run(commands, Self.releasing)
        return listing.ports(of: chain)
      } catch {
        attempts += 1
        guard error.isConflict, attempts < Self.attempts, !deadline.hasPassed else { throw error }
      }
    }
    return []
  }

  private borrowing func holding(of chain: String) throws(PublishedPortsError) -> Holding {
    let table = PortTable.table.name
    do throws(FilterError) {
      let comments = try socket.comments(ofRulesIn: chain, table: table, until: deadline)
      var holding = Holding(comments: comments)
      if holding.isOld {
        holding.returns = try socket.comments(
          ofRulesIn: PortOwner.returnChain(beside: chain), table: table, until: deadline)
      }
      return holding
    } catch { throw .netfilter(error) }
  }

  // MARK: - What attachments of one subnet share

  private borrowing func uses(of chain: String) throws(PublishedPortsError) -> UInt32? {
    do throws(FilterError) {
      return try socket.uses(ofChain: chain, table: PortTable.table.name, until: deadline)
    } catch { throw .netfilter(error) }
  }

  /// Those of the subnets whose chain is not there, or not whole.
  private borrowing func missing(_ subnets: [IPPrefix]) throws(PublishedPortsError) -> [IPPrefix] {
    var missing: [IPPrefix] = []
    do throws(FilterError) {
      for subnet in subnets {
        let rules = try socket.rules(
          ofChain: PortTable.neighbourChain(of: subnet), table: PortTable.table.name,
          until: deadline)
        let count = PortTable.neighbourRules(of: subnet).count
        if !Self.isOwn(rules, subnet.description, count: count) { missing.append(subnet) }
      }
    } catch { throw .netfilter(error) }
    return missing
  }

  /// The chains of the subnets to which no more than `count` addresses lead.
  borrowing func chains(_ subnets: [IPPrefix], usedBy count: Int)
    throws(PublishedPortsError) -> [String]
  {
    var found: [String] = []
    for subnet in subnets {
      let chain = PortTable.neighbourChain(of: subnet)
      let own = PortTable.neighbourRules(of: subnet).count
      if let uses = try uses(of: chain), Int(uses) <= own + count { found.append(chain) }
    }
    return found
  }

  borrowing func removeUnused(_ subnets: [IPPrefix]) throws(PublishedPortsError) {
    let unused = try chains(subnets, usedBy: 0)
    if !unused.isEmpty { try remove(PortTable.deletion(of: unused)) }
  }

  /// Deletes what attachments shared and none has any more.
  public borrowing func removeUnusedChains() throws(PublishedPortsError) {
    guard let listing = try list() else { return }
    let commands = PortTable.removal(listing, of: [])
    if !commands.isEmpty { try remove(commands) }
  }

  private borrowing func remove(_ unused: [FirewallCommand]) throws(PublishedPortsError) {
    do throws(PublishedPortsError) { try run(unused, "remove unused chains") } catch {
      // Another attachment came meanwhile, or deleted them itself.
      guard error.isConflict else { throw error }
    }
  }

  // MARK: - The table

  /// Deletes the table unless an attachment has published ports, and with it what it was that let
  /// 127.0.0.1 leave the host.
  public borrowing func removeTableIfUnused() throws(PublishedPortsError) {
    guard try uses(of: PortTable.marker) == 0 else { return }
    let links = try list()?.links ?? []
    // The settings go first: without the table, what they open would be open. While one stays, so
    // do its rule, and the name of its link.
    var failure: SystemError?
    for link in links {
      do throws(SystemError) { try LoopbackRoute.close(link) } catch { failure = error }
    }
    if let failure { throw .system(failure) }
    do throws(FirewallError) {
      try Firewall.run(PortTable.teardown, "remove table \(PortTable.table)", until: deadline)
    } catch {
      guard error.isConflict else { throw .firewall(error) }
      // Another attachment came meanwhile.
      for link in links { try? LoopbackRoute.open(link) }
    }
  }

  /// All that the table has, but the parts of the rules of attachments' chains, other than `own`.
  borrowing func list(partsOf own: String? = nil) throws(PublishedPortsError) -> FirewallListing? {
    do throws(FirewallError) {
      return try Firewall.list(
        PortTable.table.object, "list table \(PortTable.table)", until: deadline
      ) { $0 == own || !$0.hasPrefix(PortOwner.chainPrefix) }
    } catch { throw .firewall(error) }
  }

  // MARK: - STATUS

  /// Throws where the firewall could not publish ports; changes nothing.
  public borrowing func test() throws(PublishedPortsError) {
    do throws(FirewallError) {
      try Firewall.test(PortTable.setup, "publish ports", until: deadline)
    } catch { throw .firewall(error) }
  }
}
