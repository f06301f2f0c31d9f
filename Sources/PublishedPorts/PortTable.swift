internal import Addresses
internal import JSON
internal import Nftables
internal import PluginConfigurations

/// The table that all published ports of the host share, and the commands that put what an
/// attachment has there and take it away again.
///
/// Maps lead from (address, protocol, port) to one chain per attachment; a port that has a holder
/// cannot be taken by another, as the kernel refuses a second element of the same key. At the other
/// end of the way, maps lead from the container's address to the chain of its subnet that says what
/// is masqueraded. So a packet's way does not grow with the attachments. The chain of each
/// attachment begins with jumps to an empty chain, whose comments say whose it is: while there is
/// one, the kernel refuses to delete that chain, and so the table goes with the last attachment.
enum PortTable {
  static let table = FirewallTable(.inet, "patchbay-ports")
  /// What all attachments lead to.
  static let marker = "attachment"
  static let outbound = "outbound"
  static let ports = "ports"
  /// The links that 127.0.0.0/8 leaves by, and must not come in by.
  static let links = "links"
  /// The chain that drops what comes in by them for 127.0.0.0/8.
  static let localnet = "localnet"
  static let loopback = IPPrefix.ofLoopback

  static let hooks: [(chain: String, hook: FirewallTable.Hook)] = [
    // -100 is `dstnat` of nft(8), 100 `srcnat`, -300 `raw`.
    ("prerouting", .init(type: "nat", "prerouting", priority: -100)),
    ("output", .init(type: "nat", "output", priority: -100)),
    ("postrouting", .init(type: "nat", "postrouting", priority: 100)),
    (localnet, .init(type: "filter", "prerouting", priority: -300)),
  ]

  /// The map of ports of one address, and that of ports of all addresses.
  static func map(_ family: IPAddress.Family, ofAll: Bool) -> String {
    (ofAll ? "ports" : "addresses") + (family == .v4 ? "4" : "6")
  }
  /// The map of containers' addresses.
  static func containers(_ family: IPAddress.Family) -> String {
    family == .v4 ? "containers4" : "containers6"
  }
  private static func type(_ family: IPAddress.Family) -> String {
    family == .v4 ? "ipv4_addr" : "ipv6_addr"
  }
  private static let families: [IPAddress.Family] = [.v4, .v6]

  /// The chains that all attachments share, with their rules.
  static var shared: [(chain: String, rules: [[FirewallExpression]])] {
    let port: [FirewallField] = [.meta("l4proto"), .header("th", "dport")]
    let local: [FirewallExpression] = [
      .match(.destinationType, "==", "local"), .jump(ports),
    ]
    let translated = FirewallExpression.match(.connection("status"), "in", "dnat")
    let arriving = FirewallExpression.match(.meta("iifname"), "==", .string("@\(links)"))
    return [
      (marker, []), (outbound, [[.masquerade]]),
      (
        ports,
        families.map { [.lookUp([.destination($0)] + port, in: map($0, ofAll: false))] }
          + families.map {
            [
              .match(.meta("nfproto"), "==", $0 == .v4 ? "ipv4" : "ipv6"),
              .lookUp(port, in: map($0, ofAll: true)),
            ]
          }
      ),
      ("prerouting", [local]), ("output", [local]),
      (
        "postrouting",
        families.map { [translated, .lookUp([.destination($0)], in: containers($0))] }
      ),
      (
        localnet,
        [FirewallField.destination(.v4), .source(.v4)].map {
          [arriving, .match($0, in: loopback), .drop]
        }
      ),
    ]
  }

  /// The comment of each rule that attachments share: one without it is another program's.
  static let sharedComment = "portmap"

  /// Makes what all attachments share, and makes it again where it is there.
  static var setup: [FirewallCommand] {
    var commands: [FirewallCommand] = [.add(table.object)]
    for family in families {
      commands += [
        .add(
          table.map(
            map(family, ofAll: false), from: [type(family), "inet_proto", "inet_service"])),
        .add(table.map(map(family, ofAll: true), from: ["inet_proto", "inet_service"])),
        .add(table.map(containers(family), from: [type(family)])),
      ]
    }
    commands.append(.add(table.set(links, of: ["ifname"])))
    for (chain, _) in shared {
      let hook = hooks.first { $0.chain == chain }?.hook
      commands += [.add(table.chain(chain, at: hook)), .flush(table.chain(chain))]
    }
    for (chain, rules) in shared where chain != marker {
      commands += rules.map { .add(table.rule(chain, $0, comment: sharedComment)) }
    }
    return commands
  }

  /// Deletes what all attachments share; refused while there is an attachment.
  static var teardown: [FirewallCommand] {
    [.delete(table.chain(marker)), .delete(table.object)]
  }

  // MARK: - Attachments

  /// Makes the chain, rules and elements of an attachment; refused where any of them is there.
  static func addition(
    _ owner: PortOwner, _ published: PublishedPorts, _ sandbox: RememberedSandbox?, link: String?
  ) -> [FirewallCommand] {
    var commands: [FirewallCommand] = [.create(table.chain(owner.chain))]
    for comment in comments(owner, sandbox, published) {
      commands.append(.add(table.rule(owner.chain, [.jump(marker)], comment: comment)))
    }
    for (port, expressions) in rules(published) {
      commands.append(.add(table.rule(owner.chain, expressions, comment: port.description)))
    }
    for (map, keys) in elements(published.ports) {
      commands.append(.create(table.elements(map, keys, to: owner.chain)))
    }
    for address in published.outbound {
      commands.append(
        .create(
          table.elements(
            containers(address.address.family), [key(address.address)], to: address.chain)))
    }
    if let link {
      commands.append(.add(table.elements(links, [FirewallKey([.string(link)])])))
    }
    return commands
  }

  /// What the first rules of an attachment's chain say.
  private static func comments(
    _ owner: PortOwner, _ sandbox: RememberedSandbox?, _ published: PublishedPorts
  ) -> [String] {
    [owner.comment] + (sandbox.map { [$0.comment] } ?? [])
      + [RememberedOutbound(published.outbound).comment]
  }

  /// The rules of an attachment's chain, after those that say whose it is.
  static func rules(_ published: PublishedPorts) -> [(PublishedPort, [FirewallExpression])] {
    var rules: [(PublishedPort, [FirewallExpression])] = []
    for port in published.ports {
      var match: [FirewallExpression] = []
      if !port.isOfAllAddresses {
        match.append(
          .match(.destination(port.family), "==", .string(port.host.description)))
      }
      let rest: [FirewallExpression] = [
        .match(.header(port.transport.rawValue, "dport"), "==", .integer(Int64(port.hostPort))),
        .dnat(to: port.container, port: port.containerPort),
      ]
      if published.sources.isEmpty {
        rules.append((port, match + rest))
      } else {
        for source in published.sources where source.address.family == port.family {
          let from: [FirewallExpression] =
            source.length == 0 ? [] : [.match(.source(port.family), in: source)]
          rules.append((port, match + from + rest))
        }
      }
    }
    return rules
  }

  /// The elements that lead to ports, by map.
  static func elements(_ ports: some Sequence<PublishedPort>) -> [(
    map: String, keys: [FirewallKey]
  )] {
    var elements: [(map: String, keys: [FirewallKey])] = []
    for port in ports {
      let map = map(port.family, ofAll: port.isOfAllAddresses)
      let key = key(port)
      if let position = elements.firstIndex(where: { $0.map == map }) {
        elements[position].keys.append(key)
      } else {
        elements.append((map, [key]))
      }
    }
    return elements
  }

  /// Numbers, since names of protocols need a file /etc/protocols.
  static func key(_ port: PublishedPort) -> FirewallKey {
    let key: [JSONValue] = [
      .integer(Int64(port.transport.number)), .integer(Int64(port.hostPort)),
    ]
    return FirewallKey(
      (port.isOfAllAddresses ? [] : [.string(port.host.description)]) + key)
  }
  static func key(_ address: IPAddress) -> FirewallKey {
    FirewallKey([.string(address.description)])
  }

  /// Deletes what an attachment has, and the chains `unused` that it shared.
  static func removal(_ chain: String, _ holding: Holding, unused: [String]) -> [FirewallCommand] {
    guard !holding.comments.isEmpty else { return [] }
    var commands: [FirewallCommand] = []
    for (map, keys) in elements(holding.ports) {
      commands.append(.delete(table.elements(map, keys)))
    }
    for address in holding.addresses.sorted() {
      commands.append(.delete(table.elements(containers(address.family), [key(address)])))
    }
    let returns = holding.returns.isEmpty ? [] : [PortOwner.returnChain(beside: chain)]
    return commands + deletion(of: [chain] + returns + unused)
  }
}

extension IPPrefix {
  /// 127.0.0.0/8
  fileprivate static var ofLoopback: IPPrefix {
    guard let address = IPAddress(bytes: [127, 0, 0, 0]), let prefix = IPPrefix(address, length: 8)
    else { preconditionFailure("127.0.0.0/8 is a prefix") }
    return prefix
  }
}
