package import Addresses
package import Linux
internal import Netlink

/// What drops what a gateway forwards, and is not ours to change.
package struct ForwardObstacle: Hashable {
  /// What drops it: `firewalld`
  package let subject: String
  /// The command that lets it pass.
  package let remedy: String

  /// What of this host's firewalls would drop what `gateway` forwards, besides the chains of nftables
  /// that ADD opens.
  package static func all(
    _ gateway: String, _ families: Set<IPAddress.Family>, until deadline: Deadline
  ) throws(AttachmentError) -> [ForwardObstacle] {
    var obstacles: [ForwardObstacle] = []
    do throws(FilterError) {
      if try isBlockedByFirewalld(gateway, until: deadline) {
        obstacles.append(
          ForwardObstacle(
            subject: "firewalld",
            remedy: "firewall-cmd --permanent --zone=trusted --add-interface=\(gateway) && "
              + "firewall-cmd --reload"))
      }
    } catch { throw AttachmentError(error, "cannot read the chains of the firewall") }
    do throws(SystemError) {
      for family in families.sorted() {
        guard let chain = try LegacyForwardChain(family), chain.drops,
          !chain.names(link: gateway)
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

  /// firewalld rejects what comes in by a link that is in none of its zones; a link that is in one has
  /// its name in a rule.
  private static func isBlockedByFirewalld(_ gateway: String, until deadline: Deadline)
    throws(FilterError) -> Bool
  {
    let chain = ForeignChain(.inet, "firewalld", "filter_FORWARD")
    let content = try NetfilterSocket().content(of: chain, wholeTable: true, until: deadline)
    guard let content else { return false }
    return !content.rules.contains { $0.names(link: gateway) }
  }
}
