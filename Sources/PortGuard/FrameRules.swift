internal import Addresses
public import Netlink

/// A policy as a table of nftables: the chains through which what a link receives goes.
///
/// From the chain of the link a frame goes to that of its sender, from there by the kind of its
/// network header to those of that header. Whatever leads nowhere ends in the chain that counts it
/// and drops it.
public enum FrameRules {
  /// The chain of the link.
  static let ingress = "ingress"
  /// Counts and drops.
  static let refused = "refused"

  /// The table that polices what the link `device` receives.
  public static func table(
    _ name: String, comment: String?, device: String, for policy: GuardPolicy
  ) -> FilterTable {
    var chains = [
      FilterChain(refused, nil, [FilterRule([.counter(packets: 0), .verdict(.drop)])])
    ]
    var entrance: [[FilterExpression]] = []
    for (number, sender) in policy.senders.enumerated() {
      let isSource: [FilterExpression] = [
        .load(.link, offset: 6, count: 6), .compare(.equal, sender.mac.bytes),
      ]
      switch policy.mode {
      case .mac: entrance.append(isSource + [.verdict(.accept)])
      case .full:
        let rules = SenderRules(sender, number, allowsDHCP: policy.allowsDHCP)
        // Most frames are of IPv4, and have no tag: one comparison of the source with the type that
        // follows it takes them there.
        entrance.append([
          .load(.link, offset: 6, count: 8),
          .compare(.equal, sender.mac.bytes + FrameConstant.ipv4),
          .verdict(.goTo(rules.name("ipv4"))),
        ])
        entrance.append(isSource + [.verdict(.goTo(rules.name("sender")))])
        chains += rules.chains
      }
    }
    entrance.append([.verdict(.goTo(refused))])
    // Before other chains of the same link: `raw` of nft(8).
    let place = FilterChain.Place(.ingress(device: device), priority: -300, drops: true)
    chains.append(FilterChain(ingress, place, entrance.map { FilterRule($0) }))
    return FilterTable(.netdev, name, comment: comment, chains)
  }
}

/// The chains of one sender.
private struct SenderRules {
  typealias Rule = [FilterExpression]
  typealias Constant = FrameConstant

  let sender: GuardPolicy.Sender
  let number: Int
  let allowsDHCP: Bool

  init(_ sender: GuardPolicy.Sender, _ number: Int, allowsDHCP: Bool) {
    self.sender = sender
    self.number = number
    self.allowsDHCP = allowsDHCP
  }

  /// The name of one of its chains.
  func name(_ part: String) -> String { "\(part)-\(number)" }

  private var refuse: Rule { [.verdict(.goTo(FrameRules.refused))] }

  private func chain(_ part: String, _ rules: [Rule], isOpen: Bool = false) -> FilterChain {
    FilterChain(name(part), nil, (isOpen ? rules : rules + [refuse]).map { FilterRule($0) })
  }

  var chains: [FilterChain] {
    // Each rule that a frame meets costs it time: what comes most often comes first.
    let kinds = [("ipv4", Constant.ipv4), ("ipv6", Constant.ipv6), ("arp", Constant.arp)]
    return [
      chain(
        "sender",
        kinds.map { part, type in
          [.loadProtocol, .compare(.equal, type), .verdict(.goTo(name(part)))]
        }),
      chain("arp", arp), chain("probe", probe), chain("ipv4", ipv4), chain("ipv6", ipv6),
      chain("header", header),
      // The last rule of this one would refuse what is to come back.
      chain("icmpv6", icmpv6, isOpen: true), chain("solicitation", solicitation),
      chain("advertisement", advertisement), chain("about", about), chain("source", source),
      chain("target", prefixes(.v6, .transport, 8).map { $0 + [.verdict(.accept)] }),
    ]
  }

  /// One rule for each prefix of the family: that the address at `offset` is in it.
  private func prefixes(
    _ family: IPAddress.Family, _ header: FilterExpression.Header, _ offset: UInt32
  ) -> [Rule] {
    (family == .v4 ? sender.ipv4 : sender.ipv6).map { prefix in
      let bytes = prefix.address.bytes
      let load = FilterExpression.load(header, offset: offset, count: UInt32(bytes.count))
      if prefix.length == family.bits { return [load, .compare(.equal, bytes)] }
      return [load, .mask(prefix.mask.bytes), .compare(.equal, bytes)]
    }
  }

  private func bytes(
    _ header: FilterExpression.Header, _ offset: UInt32,
    _ comparison: FilterExpression.Comparison, _ bytes: [UInt8]
  ) -> Rule {
    [.load(header, offset: offset, count: UInt32(bytes.count)), .compare(comparison, bytes)]
  }
  private func transport(_ number: UInt8) -> Rule {
    [.loadTransport, .compare(.equal, [number])]
  }
  /// The headers are as they should be.
  private var isWellFormed: Rule { [.loadTransport, .compare(.atLeast, [0])] }

  // MARK: - ARP and IPv4

  private var arp: [Rule] {
    var rules: [Rule] = [
      bytes(.network, 0, .notEqual, Constant.arpOfIPv4) + refuse,
      bytes(.network, 8, .notEqual, sender.mac.bytes) + refuse,
      bytes(.network, 14, .equal, [0, 0, 0, 0]) + [.verdict(.goTo(name("probe")))],
    ]
    rules += prefixes(.v4, .network, 14).map { $0 + [.verdict(.accept)] }
    return rules
  }

  /// RFC 5227 §2.1.1
  private var probe: [Rule] { prefixes(.v4, .network, 24).map { $0 + [.verdict(.accept)] } }

  private var ipv4: [Rule] {
    // The ports are in the first fragment alone.
    let isFirst: Rule = [
      .load(.network, offset: 6, count: 2), .mask([0x1f, 0xff]), .compare(.equal, [0, 0]),
    ]
    var rules = [
      transport(Constant.udp) + isFirst + bytes(.transport, 0, .equal, Constant.dhcpServer)
        + refuse
    ]
    if allowsDHCP {
      rules.append(
        transport(Constant.udp) + bytes(.network, 12, .equal, [0, 0, 0, 0, 255, 255, 255, 255])
          + bytes(.transport, 0, .equal, Constant.dhcpClient + Constant.dhcpServer)
          + [.verdict(.accept)])
    }
    rules += prefixes(.v4, .network, 12).map { $0 + isWellFormed + [.verdict(.accept)] }
    return rules
  }

  // MARK: - IPv6

  private var ipv6: [Rule] {
    // What was in the first fragment is not known here. It was looked at there.
    let isLater: Rule = [
      .loadExtension(Constant.fragment, offset: 2, count: 2), .mask([0xff, 0xf8]),
      .compare(.notEqual, [0, 0]),
    ]
    return [isLater + [.verdict(.goTo(name("source")))], [.verdict(.goTo(name("header")))]]
  }

  /// No DHCP server, and no neighbour discovery but of its own. The kernel finds a header where an
  /// extension header before it says, and be that behind the end of the packet.
  private var header: [Rule] {
    [
      transport(Constant.udp) + bytes(.transport, 0, .equal, Constant.dhcpv6Server) + refuse,
      transport(Constant.udp) + bytes(.transport, 0, .atLeast, [0, 0])
        + [.verdict(.goTo(name("source")))],
      transport(Constant.udp) + refuse,
      transport(Constant.icmpv6) + bytes(.transport, 0, .atLeast, [0])
        + [.verdict(.jump(name("icmpv6")))],
      transport(Constant.icmpv6) + bytes(.transport, 0, .atLeast, [0])
        + [.verdict(.goTo(name("source")))],
      transport(Constant.icmpv6) + refuse,
      [.verdict(.goTo(name("source")))],
    ]
  }

  private var source: [Rule] {
    prefixes(.v6, .network, 8).map { $0 + isWellFormed + [.verdict(.accept)] }
  }

  /// What comes back from here is to have a source of the sender.
  private var icmpv6: [Rule] {
    let unspecified = [UInt8](repeating: 0, count: 16)
    var rules: [Rule] = []
    for type in Constant.membershipReports {
      let report = self.type(type) + bytes(.network, 8, .equal, unspecified)
      rules += [
        report + bytes(.network, 24, .equal, [0xff, 0x02]) + [.verdict(.accept)], report + refuse,
      ]
    }
    let range = Constant.neighbourDiscovery
    rules += [
      bytes(.transport, 0, .less, [range.lowerBound]) + [.verdict(.return)],
      bytes(.transport, 0, .greater, [range.upperBound]) + [.verdict(.return)],
      bytes(.network, 6, .notEqual, [Constant.icmpv6]) + refuse,
      type(Constant.neighbourSolicitation) + [.verdict(.goTo(name("solicitation")))],
      type(Constant.neighbourAdvertisement) + [.verdict(.goTo(name("advertisement")))],
      type(Constant.routerSolicitation) + payload(8) + [.verdict(.return)],
      type(Constant.routerSolicitation) + payload(16) + option(Constant.sourceOption, at: 8)
        + [.verdict(.return)],
      refuse,
    ]
    return rules
  }

  private func type(_ type: UInt8) -> Rule { bytes(.transport, 0, .equal, [type]) }
  /// The packet has so many bytes behind the header of IPv6.
  private func payload(_ count: UInt8) -> Rule { bytes(.network, 4, .equal, [0, count]) }
  /// An option of this kind at `offset`, which names the sender.
  private func option(_ kind: [UInt8], at offset: UInt32) -> Rule {
    bytes(.transport, offset, .equal, kind + sender.mac.bytes)
  }

  private var solicitation: [Rule] {
    let isUnspecified = bytes(.network, 8, .equal, [UInt8](repeating: 0, count: 16))
    let nonce = bytes(.transport, 24, .equal, Constant.nonceOption)
    let (own, target) = ([FilterExpression.verdict(.goTo(name("source")))], name("target"))
    return [
      payload(24) + isUnspecified + [.verdict(.goTo(target))],
      payload(24) + own,
      payload(32) + nonce + isUnspecified + [.verdict(.goTo(target))],
      payload(32) + nonce + own,
      isUnspecified + refuse,
      payload(32) + option(Constant.sourceOption, at: 24) + own,
    ]
  }

  private var advertisement: [Rule] {
    let about = [FilterExpression.verdict(.goTo(name("about")))]
    return [payload(24) + about, payload(32) + option(Constant.targetOption, at: 24) + about]
  }

  /// Both the address that it is about and the one that it is from are the sender's.
  private var about: [Rule] {
    prefixes(.v6, .transport, 8).map { $0 + [.verdict(.goTo(name("source")))] }
  }
}
