import Addresses
import Attachments
import Linux
import Netlink
import PluginConfigurations
import PluginCore

/// What of this host's firewalls drops what a gateway forwards.
struct ForwardProblem: Hashable {
  /// What drops it, as a sentence without its full stop.
  let text: String
  /// The command that lets it pass.
  let remedy: String

  /// Both in one line.
  var advice: String { "\(text); \(remedy) lets it pass" }

  /// A gateway's link, and what it is for.
  private struct Gateway {
    let name: String
    let index: Int32
    /// What the link has.
    let addresses: [IPPrefix]
    let network: String
    /// Whether its attachments leave the chains alone.
    let isLeft: Bool
  }

  /// By the names of the gateways that attachments of ours have.
  static func byGateway(on host: HostReading) -> [String: [ForwardProblem]] {
    let users = Dictionary(grouping: host.attachments) {
      $0.port.externalIDs[ExternalIDKey.gateway.rawValue] ?? ""
    }
    guard users.keys.contains(where: { !$0.isEmpty }) else { return [:] }
    let rules = try? RulesetReading(of: nil, until: host.deadline)
    var problems: [String: [ForwardProblem]] = [:]
    for (name, users) in users {
      guard !name.isEmpty, let link = host.link(name) else { continue }
      let addresses = host.addresses(of: link.index).filter { $0.scope == .universe }
      let gateway = Gateway(
        name: name, index: link.index, addresses: addresses.map(\.prefix),
        network: users.first?.record.network ?? "",
        isLeft: users.allSatisfy { Forward.isLeft($0.port.externalIDs) })
      problems[name] = all(gateway, rules, host)
    }
    return problems
  }

  /// - Parameter rules: Those of this namespace; nil where they cannot be read.
  private static func all(
    _ gateway: Gateway, _ rules: RulesetReading?, _ host: HostReading
  ) -> [ForwardProblem] {
    let obstacles =
      gateway.addresses.isEmpty
      ? []
      : (try? ForwardObstacle.all(gateway.name, gateway.addresses, until: host.deadline)) ?? []
    var problems = obstacles.map {
      ForwardProblem(text: "\($0.subject) drops what \(gateway.name) forwards", remedy: $0.remedy)
    }
    guard let rules else { return problems }
    for address in gateway.addresses {
      guard let problem = problem(gateway, address, rules, host),
        !problems.contains(problem)
      else { continue }
      problems.append(problem)
    }
    return problems
  }

  /// Judges a connection to the outside of a container that has the address after the gateway's.
  private static func problem(
    _ gateway: Gateway, _ address: IPPrefix, _ rules: RulesetReading, _ host: HostReading
  ) -> ForwardProblem? {
    guard let source = address.address.successor,
      let (outside, output) = way(out: gateway, from: source, host)
    else { return nil }
    let packet = RulePacket(
      input: gateway.name, output: output, source: source, destination: outside,
      traffic: .tcp(443))
    for candidate in [packet, packet.reply] {
      guard case .dropped(let chain, _) = rules.verdict(at: "forward", candidate),
        !chain.contains(" firewalld ")
      else { continue }
      let place = String(chain.dropFirst("nft ".count))
      let isOpened = ["ip filter FORWARD", "ip6 filter FORWARD"].contains(place)
      return ForwardProblem(
        text: "chain \(place) drops what \(gateway.name) forwards",
        remedy: isOpened && !gateway.isLeft
          ? "patchbay repair \(gateway.network)" : insertion(place, gateway.name))
    }
    return nil
  }

  /// An address outside and the link to it: by the default route, else a neighbour on another link
  /// of the host. Nil where the host has no other.
  private static func way(out gateway: Gateway, from source: IPAddress, _ host: HostReading)
    -> (address: IPAddress, link: String)?
  {
    // RFC 5737 and RFC 3849: addresses that belong to no host.
    let far = IPAddress(source.isIPv6 ? "2001:db8::1" : "198.51.100.1")
    let near = host.addresses.filter {
      $0.scope == .universe && $0.linkIndex != gateway.index
        && $0.prefix.address.family == source.family
    }.compactMap { $0.prefix.address.successor }
    for address in [far].compactMap({ $0 }) + near {
      if let next = try? host.outside.route(
        to: address, from: source, arrivingOn: gateway.index, until: host.deadline),
        next.kind == .unicast, let index = next.linkIndex, index != gateway.index,
        let link = host.links.first(where: { $0.index == index })
      {
        return (address, link.name)
      }
    }
    return nil
  }

  /// Two rules: what begins in the network, and what answers it. One alone does not mend.
  static func insertion(_ chain: String, _ link: String) -> String {
    "nft 'insert rule \(chain) iifname \"\(link)\" accept; "
      + "insert rule \(chain) oifname \"\(link)\" ct state established,related accept'"
  }
}
