internal import Addresses
internal import JSON
internal import Linux
internal import Netlink
internal import Nftables
internal import PluginConfigurations

// What the table has as a whole: for conflicts, and where it is not as it was made.

extension FirewallListing {
  /// The chains of attachments.
  var attachmentChains: [String] {
    chains.keys.filter { $0.hasPrefix(PortOwner.chainPrefix) }.sorted()
  }
  /// The comments of the rules of a chain.
  func comments(in chain: String) -> [String] {
    rules.filter { $0.chain == chain }.compactMap { $0.comment }
  }
  /// The ports that an attachment's chain is for.
  func ports(of chain: String) -> [PublishedPort] {
    comments(in: chain).compactMap { PublishedPort(comment: $0) }
  }
  /// The links of the set of those by which 127.0.0.0/8 leaves.
  var links: [String] {
    elements.filter { $0.map == PortTable.links }.compactMap { $0.key.first?.text }
  }
  /// Where the ports of the host lead that lead somewhere.
  var targetsOfPorts: [PublishedPort.HostSide: String] {
    var targets: [PublishedPort.HostSide: String] = [:]
    for element in elements {
      if let side = element.hostSide { targets[side] = element.target }
    }
    return targets
  }
  /// Where the address of a container leads; nil for nowhere.
  func chain(of address: IPAddress) -> String? {
    elements.first { $0.containerAddress == address }?.target
  }
  /// The outbound addresses of an attachment's chain; nil where it does not say, as those that
  /// executables before made.
  func outbound(of chain: String) -> RememberedOutbound? {
    comments(in: chain).compactMap { RememberedOutbound(comment: $0) }.first
  }
  /// Where the addresses of attachments should lead, of those whose chain is one of these.
  func targets(ofChains isIncluded: (String) -> Bool) -> [IPAddress: String] {
    var targets: [IPAddress: String] = [:]
    for rule in rules where isIncluded(rule.chain) {
      let outbound = rule.comment.flatMap { RememberedOutbound(comment: $0) }
      for address in outbound?.addresses ?? [] { targets[address.address] = address.chain }
    }
    return targets
  }
  /// The chain of the attachment whose address leads on; nil where it does not, or is of none.
  func attachmentChain(of address: IPAddress) -> String? {
    guard let target = chain(of: address) else { return nil }
    if target.hasPrefix(PortOwner.returnPrefix) {
      return PortOwner.chainPrefix + target.dropFirst(PortOwner.returnPrefix.count)
    }
    return rules.first { rule in
      let outbound = rule.comment.flatMap { RememberedOutbound(comment: $0) }
      return outbound?.addresses.contains { $0.address == address } ?? false
    }?.chain
  }
}

extension FirewallListing.Element {
  /// The address of a container, if it is one that leads on.
  var containerAddress: IPAddress? {
    guard let address = key.first?.text.flatMap({ IPAddress($0) }),
      map == PortTable.containers(address.family)
    else { return nil }
    return address
  }

  /// The port of the host, if it is one that leads on. nft(8) lists protocols by name where it can.
  fileprivate var hostSide: PublishedPort.HostSide? {
    let families: [IPAddress.Family] = [.v4, .v6]
    for family in families {
      let isOfAll = map == PortTable.map(family, ofAll: true)
      guard isOfAll || map == PortTable.map(family, ofAll: false) else { continue }
      let values = isOfAll ? key[...] : key.dropFirst()
      let host =
        isOfAll
        ? IPAddress(family, value: 0) : key.first?.text.flatMap { IPAddress($0) }
      guard values.count == 2, let host, let name = values.first,
        let port = values.last?.integer.flatMap({ UInt16(exactly: $0) }),
        let transport = PublishedPort.Transport.allCases.first(where: {
          name.text == $0.rawValue || name.integer == Int64($0.number)
        })
      else { return nil }
      return PublishedPort.HostSide(transport: transport, address: host, port: port)
    }
    return nil
  }
}

extension PublishedPort {
  /// What a port is of the host: one leads to one container.
  struct HostSide: Hashable {
    let transport: Transport
    let address: IPAddress
    let port: UInt16
  }
  var hostSide: HostSide { HostSide(transport: transport, address: host, port: hostPort) }
}

extension PortTable {
  /// Deletes what attachments have in a listing: elements, rules and chains, by what they are
  /// there. So it does what no attachment has at all: elements for addresses, and chains of subnets
  /// but for those of `kept`.
  static func removal(
    _ listing: FirewallListing, of chains: [String], keeping kept: [IPPrefix] = []
  ) -> [FirewallCommand] {
    let own = Set(chains + chains.map { PortOwner.returnChain(beside: $0) })
    let others = listing.targets { !own.contains($0) }
    var commands: [FirewallCommand] = []
    var used = Set(kept.map { neighbourChain(of: $0) })
    for element in listing.elements {
      guard let target = element.target else { continue }
      let isOrphan =
        element.containerAddress.map {
          !target.hasPrefix(PortOwner.returnPrefix) && others[$0] != target
        } ?? false
      if own.contains(target) || isOrphan {
        commands.append(.delete(table.elements(element.map, [FirewallKey(element.key)])))
      } else {
        used.insert(target)
      }
    }
    let unused = listing.chains.keys.filter {
      $0.hasPrefix(neighbourPrefix) && !used.contains($0)
    }
    return commands
      + deletion(of: own.filter { listing.chains[$0] != nil }.sorted() + unused.sorted())
  }
}

extension PortFirewall {
  /// Deletes what is in the way of an attachment's ports: what it had itself, and what attachments
  /// that are no longer up have. Throws where one that is up is in the way.
  borrowing func takeOver(
    _ published: PublishedPorts, _ owner: PortOwner, _ listing: FirewallListing
  ) throws(PublishedPortsError) -> [FirewallCommand] {
    var chains: Set<String> = [owner.chain]
    let targets = listing.targetsOfPorts
    for port in published.ports {
      guard let chain = targets[port.hostSide], !chains.contains(chain) else { continue }
      if let holder = isUp(chain, listing) { throw .taken(port, holder: holder) }
      chains.insert(chain)
    }
    for address in published.addresses.map({ $0.address }) {
      guard let chain = listing.attachmentChain(of: address), !chains.contains(chain) else {
        continue
      }
      if let holder = isUp(chain, listing) { throw .addressTaken(address, holder: holder) }
      chains.insert(chain)
    }
    return PortTable.removal(
      listing, of: chains.sorted(), keeping: published.outbound.compactMap { $0.neighbours })
  }

  /// The name of the attachment of `chain` if it is up: its interface has its address in the very
  /// namespace that it was made in. Where the path of that does not lead there any more, it is up
  /// as long as its host end is there. One whose sandbox is not known counts as up.
  private borrowing func isUp(_ chain: String, _ listing: FirewallListing) -> String? {
    let comments = listing.comments(in: chain)
    guard let name = comments.first, PublishedPort(comment: name) == nil else { return nil }
    guard let sandbox = comments.compactMap({ RememberedSandbox(comment: $0) }).first,
      !sandbox.path.isEmpty
    else { return name }
    guard let status = try? FileStatus(path: sandbox.path), status.inode == sandbox.inode,
      let inside = try? NetworkNamespace(path: sandbox.path)
    else { return HostEnd.isThere(name, until: deadline) ? name : nil }
    let interface = name.split(separator: "/").last.map { String($0) } ?? ""
    let found: [LinkAddress]
    do throws(RouteError) {
      let socket = try RouteSocket(in: inside)
      let link = try socket.link(.named(interface), until: deadline)
      found = try socket.addresses(of: link.index, until: deadline)
    } catch { return error.errno == .noSuchDevice ? nil : name }
    let addresses = Set(listing.ports(of: chain).map { $0.container })
    return found.contains { addresses.contains($0.prefix.address) } ? name : nil
  }
}

/// The host ends of attachments to bridges. By them a sandbox is known that lives on without its
/// path: the kernel deletes a veth pair with its namespace.
private enum HostEnd {
  /// Whether the host has a link of the attachment `name`, as comments name it; waits as long for
  /// the kernel to delete that of a sandbox which has just ended. Where the links cannot be read
  /// there is one.
  static func isThere(_ name: String, until deadline: Deadline) -> Bool {
    let patience = min(deadline, .after(.seconds(3)))
    while true {
      do throws(RouteError) {
        let links = try RouteSocket().links(until: deadline)
        let isThere = links.contains { $0.kind == "veth" && isAlias($0.alias, of: name) }
        if !isThere { return false }
      } catch { return true }
      if patience.hasPassed { return true }
      Clock.sleep(.milliseconds(50))
    }
  }

  /// Whether a link with this alias is that of the attachment `name`. Each has its own form for
  /// names that are too long; two that are both short of their names count as the same.
  private static func isAlias(_ alias: String?, of name: String) -> Bool {
    guard let alias, alias.hasPrefix(HostEndAlias.prefix) else { return false }
    let written = alias.dropFirst(HostEndAlias.prefix.count).split(separator: "/")
    let wanted = name.split(separator: "/")
    guard written.count == wanted.count else { return false }
    return zip(written, wanted).allSatisfy { written, wanted in
      if written == wanted { return true }
      if written.hasPrefix("#") {
        return wanted.hasPrefix("#") || wanted.utf8.count > HostEndAlias.longestName
      }
      return wanted == RuleOwner.abbreviation(of: String(written))
    }
  }
}
