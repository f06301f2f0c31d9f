import Addresses
import Attachments
import CNI
import CNIRuntime
import JSON
import Linux
import Netlink
import PluginConfigurations

/// Warnings of networks whose gateway would forward what a firewall of this host drops, as far as
/// it may be read.
enum ForwardWarning {
  /// Those of a configuration: of a list or of one plugin.
  static func faults(of json: JSONValue) -> [Fault] {
    let root = JSONCursor(json)
    let plugins = (try? root[NetworkList.Member.plugins].elements) ?? [root]
    // The reference plugin lets its own addresses pass.
    guard !plugins.contains(where: { $0[PluginMember.type].value == "firewall" }) else { return [] }
    return plugins.flatMap { faults(of: $0) }
  }

  private static func faults(of plugin: JSONCursor) -> [Fault] {
    guard plugin[PluginMember.type].value == "ovs-bridge",
      plugin[OVSBridgeConfiguration.Member.isGateway].value == true
        || plugin[OVSBridgeConfiguration.Member.isDefaultGateway].value == true,
      let bridge = plugin[OVSBridgeConfiguration.Member.bridge].value?.text,
      let vlans = try? PortVLANs(plugin)
    else { return [] }
    let gateway = GatewayPort(of: bridge, vlans).name
    let subnets = ConfiguredSubnets.all(of: plugin[PluginMember.ipam].value)
    let isLeft = plugin[OVSBridgeConfiguration.Member.forward].value == "leave"
    let deadline = Deadline.after(.seconds(10))
    var texts: [String] = []
    let obstacles = (try? ForwardObstacle.all(gateway, subnets, until: deadline)) ?? []
    for obstacle in obstacles {
      texts.append(
        "\(obstacle.subject) of this host drops what \"\(gateway)\" forwards; "
          + "\(obstacle.remedy) lets it pass")
    }
    if let rules = try? RulesetReading(of: nil, until: deadline) {
      // ADD has these let it pass.
      let judged =
        isLeft ? rules : rules.omitting(["nft ip filter FORWARD", "nft ip6 filter FORWARD"])
      for chain in chains(droppingFrom: gateway, subnets, judged, until: deadline) {
        texts.append(
          "chain \(chain) of this host drops what \"\(gateway)\" forwards; "
            + "\(ForwardProblem.insertion(chain, gateway)) lets it pass")
      }
    }
    let isGateway = plugin[OVSBridgeConfiguration.Member.isGateway].value == true
    let member: OVSBridgeConfiguration.Member =
      isLeft ? .forward : isGateway ? .isGateway : .isDefaultGateway
    let place = plugin[member]
    return texts.map { Fault(.warning, place.error($0).description) }
  }

  /// The chains that drop what comes from an address of each of `subnets` by the gateway, or
  /// answers it.
  private static func chains(
    droppingFrom gateway: String, _ subnets: [IPPrefix], _ rules: RulesetReading,
    until deadline: Deadline
  ) -> [String] {
    var chains: [String] = []
    for subnet in subnets {
      // RFC 5737 and RFC 3849: addresses that belong to no host.
      guard let source = subnet.network.successor?.successor,
        let outside = IPAddress(subnet.address.isIPv6 ? "2001:db8::1" : "198.51.100.1"),
        let output = way(to: outside, besides: gateway, until: deadline)
      else { continue }
      let packet = RulePacket(
        input: gateway, output: output, source: source, destination: outside, traffic: .tcp(443))
      for candidate in [packet, packet.reply] {
        guard case .dropped(let chain, _) = rules.verdict(at: "forward", candidate),
          !chain.contains(" firewalld ")
        else { continue }
        let name = String(chain.dropFirst("nft ".count))
        if !chains.contains(name) { chains.append(name) }
      }
    }
    return chains
  }

  /// The link by which the host would send there: that of the route, or else any that is up.
  private static func way(
    to address: IPAddress, besides gateway: String, until deadline: Deadline
  ) -> String? {
    guard let socket = try? RouteSocket(), let links = try? socket.links(until: deadline) else {
      return nil
    }
    let others = links.filter { $0.isUp && $0.name != gateway && $0.name != "lo" }
    if let route = try? socket.route(to: address, until: deadline), route.kind == .unicast,
      let link = others.first(where: { $0.index == route.linkIndex })
    {
      return link.name
    }
    return others.first?.name
  }
}
