package import Addresses
package import Linux
internal import Netlink

/// What drops what a gateway forwards, and is not ours to change.
package struct ForwardObstacle: Hashable {
  /// What drops it: `firewalld`
  package let subject: String
  /// The command that lets it pass.
  package let remedy: String

  /// What of this host's firewalls would drop what `gateway` forwards, besides the chains of
  /// nftables that ADD opens. A rule that names the gateway, or a whole subnet of it, is taken for
  /// one that lets it pass.
  ///
  /// - Parameter subnets: Those of the gateway; empty where they are not known.
  package static func all(
    _ gateway: String, _ subnets: [IPPrefix], until deadline: Deadline
  ) throws(AttachmentError) -> [ForwardObstacle] {
    var obstacles: [ForwardObstacle] = []
    do throws(FilterError) {
      if try isBlockedByFirewalld(gateway, subnets, until: deadline) {
        obstacles.append(
          ForwardObstacle(
            subject: "firewalld",
            remedy: "firewall-cmd --permanent --zone=trusted --add-interface=\(gateway) && "
              + "firewall-cmd --reload"))
      }
    } catch { throw AttachmentError(error, "cannot read the chains of the firewall") }
    do throws(SystemError) {
      for family in [IPAddress.Family.v4, .v6] {
        let own = subnets.filter { $0.address.family == family }
        guard subnets.isEmpty || !own.isEmpty, let chain = try LegacyForwardChain(family),
          chain.drops, !chain.names(link: gateway),
          own.isEmpty || !own.allSatisfy({ chain.names(subnet: $0) })
        else { continue }
        let program = family == .v4 ? "iptables-legacy" : "ip6tables-legacy"
        obstacles.append(
          ForwardObstacle(
            subject: "the chain FORWARD of \(program)",
            remedy: "\(program) -I FORWARD -i \(gateway) -j ACCEPT && \(program) -I FORWARD -o "
              + "\(gateway) -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT"))
      }
    } catch {
      throw AttachmentError(
        .failed, "cannot read the chains of the firewall", details: error.description)
    }
    return obstacles
  }

  /// firewalld rejects what comes in by a link, and from a source, that is in none of its zones;
  /// what is in one is named in a rule.
  private static func isBlockedByFirewalld(
    _ gateway: String, _ subnets: [IPPrefix], until deadline: Deadline
  ) throws(FilterError) -> Bool {
    let chain = ForeignChain(.inet, "firewalld", "filter_FORWARD")
    let content = try NetfilterSocket().content(of: chain, wholeTable: true, until: deadline)
    guard let content else { return false }
    if content.rules.contains(where: { $0.names(link: gateway) }) { return false }
    return subnets.isEmpty
      || !subnets.allSatisfy { subnet in content.rules.contains { $0.names(subnet: subnet) } }
  }
}
