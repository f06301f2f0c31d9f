import PluginCore
import Addresses
import Attachments
import CNI
import Linux
import Netlink
import Nftables
import PluginConfigurations
import PortGuard

extension Tracer {
  /// A gateway: the link of this host, and its port as an end of the bridge.
  struct Gateway {
    let link: Link
    let end: BridgeEnd
  }

  /// The gateway that `attachment` sends by; nil, with a finding, where there is none.
  func gateway(of attachment: AttachmentReading, _ way: Way) -> Gateway? {
    let name = attachment.name
    if let link = host.holder(of: way.nextHop), let end = end(of: link, attachment, way.nextHop) {
      guard link.isUp else {
        findings.fault(
          "gateway-down", link.name, "The gateway \(link.name) of \(name) is down.",
          remedy: "ip link set \(link.name.shellWord) up")
        return nil
      }
      return Gateway(link: link, end: end)
    }
    let right = attachment.gatewayAddress(way.nextHop.family, on: host)
    if let port = attachment.port.externalIDs["gateway"] {
      guard let link = host.link(port) else {
        findings.fault(
          "gateway-lost", port, "The gateway of \(name), the link \(port), is gone.",
          remedy: host.remaking(gateway: port, of: attachment))
        return nil
      }
      if right == nil || right == way.nextHop {
        let length =
          attachment.addresses(way.nextHop.family).first { $0.contains(way.nextHop) }?.length
          ?? (way.nextHop.isIPv6 ? 64 : 24)
        findings.fault(
          "gateway-lost", port,
          "The gateway \(link.name) no longer has the address \(way.nextHop) that \(name) sends "
            + "to.",
          remedy: "ip address add \(way.nextHop)/\(length) dev \(link.name.shellWord) && "
            + "ip link set \(link.name.shellWord) up")
        return nil
      }
    }
    if way.nextHop != way.destination {
      let holder = host.holder(of: way.nextHop).map {
        "\($0.name) of this host has, and that is no port of \(attachment.bridge.name)."
      }
      findings.fault(
        "wrong-gateway", name,
        "\(name) sends to the gateway \(way.nextHop), which "
          + (holder ?? "no link of this host and no container has."),
        remedy: right.map { "\(attachment.entering) ip route replace default via \($0)" })
    } else {
      findings.doubt(
        "unknown-neighbour", name,
        "\(way.destination) is on the network of \(name), and is neither a container nor a link of "
          + "this host: whether it is there only a packet can show.",
        remedy: "\(attachment.entering) ping -c1 \(way.destination)")
    }
    return nil
  }

  /// The gateway port by which the host reaches `attachment`.
  func gatewayEnd(of attachment: AttachmentReading, _ family: IPAddress.Family) -> BridgeEnd? {
    guard let address = attachment.gatewayAddress(family, on: host),
      let link = host.holder(of: address)
    else { return nil }
    return end(of: link, attachment, address)
  }

  private func end(of link: Link, _ attachment: AttachmentReading, _ address: IPAddress)
    -> BridgeEnd?
  {
    for port in attachment.bridge.ports {
      guard let interface = port.interfaces.first(where: { $0.name == link.name }),
        let mac = link.mac
      else { continue }
      return BridgeEnd(
        name: link.name, port: port, interface: interface, mac: mac, address: address,
        attachment: nil)
    }
    return nil
  }

  /// Whether something at a host end filters what its container sends: a program, or a chain of
  /// nftables. Those of a guard are known.
  func checkFilters() {
    let ends = [question.from] + (question.target.map { [$0] } ?? [])
    let chains = (try? NetfilterSocket().ingressChains(until: host.deadline)) ?? []
    for end in ends {
      guard let link = end.hostLink else { continue }
      let isGuarded = end.port.externalIDs[ExternalIDKey.guarded.rawValue] != nil
      if link.program != nil, !isGuarded {
        findings.doubt(
          "xdp", end.name, "An XDP program at \(link.name) may filter what \(end.name) sends.",
          remedy: "bpftool net show dev \(link.name.shellWord)")
      }
      let own = isGuarded ? LinkGuard.tableName(of: link.name) : nil
      for chain in chains
      where chain.devices.contains(link.name) && chain.table != own {
        findings.doubt(
          "ingress-chain", end.name,
          "A chain at the ingress of \(link.name), \(chain.title), may filter what \(end.name) "
            + "sends.", remedy: Self.listing(chain.title))
      }
    }
  }

  // MARK: - This host as a router

  /// Whether this host forwards the packet, and the answer.
  func checkForwarding(_ way: Way, _ gateway: Link) {
    let isIPv6 = way.destination.isIPv6
    let path = isIPv6 ? "ipv6/conf/all/forwarding" : "ipv4/ip_forward"
    if let own = try? NetworkNamespace.current(), (try? own.readSetting(path)) == "0" {
      let name = path.split(separator: "/").joined(separator: ".")
      findings.fault(
        "no-forwarding", "this host", "This host does not forward between its links.",
        remedy: "sysctl -w net.\(name)=1")
      return
    }
    let next: RouteLookup
    do throws(RouteError) {
      next = try host.outside.route(
        to: way.destination, from: way.source, arrivingOn: gateway.index, until: host.deadline)
    } catch {
      guard error.isRefusal else { return }
      if error.errno == .crossDevice {
        let source = way.source?.description ?? question.from.name
        findings.fault(
          "rp-filter", "this host",
          "This host drops what comes from \(source) by \(gateway.name), because its route back is "
            + "another and rp_filter is strict.", remedy: "ip route get \(source)")
        return
      }
      findings.fault(
        "host-no-route", "this host", "This host has no route to \(way.destination).")
      return
    }
    guard next.kind == .unicast, let index = next.linkIndex,
      let output = host.links.first(where: { $0.index == index })
    else { return }
    let packet = RulePacket(
      input: gateway.name, output: output.name, source: way.source ?? way.destination,
      destination: way.destination, traffic: question.traffic)
    checkFirewall(at: "forward", packet, in: nil)
    guard question.target == nil else { return }
    findings.checkMasquerade(of: question.from, "this host", until: host.deadline)
    checkTranslation(way, output)
  }

  /// Whether answers to a private address find back from a public one: something on the way has
  /// to put another address in its place.
  private func checkTranslation(_ way: Way, _ output: Link) {
    guard let source = way.source, source.isPrivate, !way.destination.isPrivate,
      !Masquerading.isRecorded(question.from.port.externalIDs),
      let rules = try? RulesetReading(of: nil, until: host.deadline), !rules.translatesSources
    else { return }
    findings.doubt(
      "no-masquerade", "this host",
      "\(source) is a private address, and this host sends it on to \(way.destination) by "
        + "\(output.name) as it is: unless a router there knows it, answers do not come back. The "
        + "network has no \"ipMasq\".",
      remedy: "patchbay network edit \(question.from.record.network)")
  }

  /// Whether the rules of nftables let the packet and its answer through.
  ///
  /// - Parameter attachment: In whose namespace; nil for this one.
  func checkFirewall(at hook: String, _ packet: RulePacket, in attachment: AttachmentReading?) {
    let subject = attachment?.name ?? "this host"
    let rules: RulesetReading
    do { rules = try RulesetReading(of: attachment?.record.sandbox, until: host.deadline) } catch {
      if case FirewallError.missing? = error as? FirewallError { return }
      findings.skipped("firewall", subject, "the rules of \(subject) cannot be read: \(error)")
      return
    }
    if rules.hasLegacyTables {
      findings.doubt(
        "firewall-legacy", subject,
        "\(subject) has rules of iptables-legacy, which are not read here.",
        remedy: (attachment.map { "\($0.entering) " } ?? "") + "iptables-legacy -S")
    }
    if attachment != nil, !rules.ingressChains.isEmpty {
      findings.doubt(
        "ingress-chain", subject, "A chain at the ingress of a link filters what \(subject) takes.",
        remedy: (attachment.map { "\($0.entering) " } ?? "") + "nft list ruleset")
    }
    let reverse = hook == "input" ? "output" : hook == "output" ? "input" : hook
    for (point, candidate) in [(hook, packet), (reverse, packet.reply)] {
      judge(rules, at: point, candidate, attachment, &findings)
      if findings.hasFault { return }
    }
  }

  private func judge(
    _ rules: RulesetReading, at hook: String, _ packet: RulePacket,
    _ attachment: AttachmentReading?, _ findings: inout Findings
  ) {
    let subject = attachment?.name ?? "This host"
    let prefix = attachment.map { "\($0.entering) " } ?? ""
    switch rules.verdict(at: hook, packet) {
    case .accepted: return
    case .undecided(let chain, let handle):
      findings.doubt(
        "firewall-\(hook)", subject,
        "It is unknown whether the rule with handle \(handle) of \(chain) lets it through.",
        remedy: "\(prefix)\(Self.listing(chain))")
    case .dropped(let chain, let handle?):
      findings.fault(
        "firewall-\(hook)", subject,
        "\(subject) drops it by a rule of \(chain) (handle \(handle)).",
        remedy: "\(prefix)nft delete rule \(chain.dropFirst(4)) handle \(handle)")
    case .dropped(let chain, nil):
      findings.fault(
        "firewall-\(hook)", subject,
        "\(subject) drops what no rule accepts in the \(hook) chain (policy drop of \(chain)).",
        remedy: remedy(chain, hook, packet, prefix))
    }
  }

  private static func listing(_ chain: String) -> String {
    "nft -a list chain \(chain.dropFirst(4))"
  }

  private func remedy(_ chain: String, _ hook: String, _ packet: RulePacket, _ prefix: String)
    -> String
  {
    let place = chain.dropFirst(4)
    guard hook == "forward" else {
      let family = packet.destination.isIPv6 ? "ip6" : "ip"
      return "\(prefix)nft 'insert rule \(place) \(family) saddr \(packet.source) accept'"
    }
    let link = (packet.isReply ? packet.output : packet.input) ?? ""
    return prefix + ForwardProblem.insertion(String(place), link)
  }
}

extension AttachmentReading {
  /// The address of the gateway of this attachment's network: what a gateway port on its bridge and
  /// VLAN has that lies in its subnet.
  func gatewayAddress(_ family: IPAddress.Family, on host: HostReading) -> IPAddress? {
    let near = addresses(family)
    for port in bridge.ports
    where port.vlans.native == self.port.vlans.native || port.vlans.tag == nil {
      for interface in port.interfaces where interface.type == "internal" {
        guard let link = host.link(interface.name) else { continue }
        for address in host.addresses(of: link.index) {
          let candidate = address.prefix.address
          if near.contains(where: { $0.contains(candidate) && $0.address != candidate }) {
            return candidate
          }
        }
      }
    }
    return nil
  }
}
