internal import CNI
package import Linux
internal import Netlink
package import PluginCore

/// What keeps the host's own IP stack from everything that a container sends into its host end.
///
/// The kernel processes a frame that comes in by a host end like any other unless the kernel's
/// datapath has taken it before: that is, before the link is a port and after it was one, and
/// always where ovs-vswitchd forwards by itself and gets a copy. The first line of defence is one
/// rule for all host ends of this host, by name and link group, which each link has from the first
/// moment on. It costs an attachment nothing but the look whether it is there, and stays when the
/// last one goes. The second line is in the settings of each link, for the time between `nft flush
/// ruleset` and the next ADD.
package enum HostShield {
  /// A packet that arrives is seen here before the kernel puts fragments together (priority -400),
  /// so that one from a container never ends in a packet of another link.
  private static let priority: Int32 = -450
  private static let rules = [
    FilterRule(
      FilterExpression.inputName(beginsWith: HostLink.namePrefix)
        + FilterExpression.inputGroup(in: HostLink.groups) + [.verdict(.drop)],
      comment: "host ends of containers give the host nothing")
  ]
  private static let name = "patchbay_host_ends"

  /// The rule, for IPv4 and IPv6, and for ARP.
  static let tables = [
    FilterTable(
      .inet, name, [FilterChain("prerouting", .init(.prerouting, priority: priority), rules)]),
    FilterTable(.arp, name, [FilterChain("input", .init(.arpInput, priority: priority), rules)]),
  ]

  private static let attempt = "cannot close the host ends of containers to the host"

  /// Whether the rule is there.
  static func isInPlace(until deadline: Deadline) throws(AttachmentError) -> Bool {
    do throws(FilterError) { return try read(until: deadline) == nil } catch {
      throw AttachmentError(error, attempt)
    }
  }

  private static func read(until deadline: Deadline) throws(FilterError) -> String? {
    try NetfilterSocket().deviation(of: tables, until: deadline)
  }

  /// Makes sure that the rule is there, before there is a host end.
  package static func require(_ context: Context) throws(AttachmentError) {
    if let deviation = try restore(until: context.deadline) {
      context.log.write(.info, "put the rule for host ends into place: \(deviation)")
    }
  }

  /// Puts the rule into place where it is not there. Returns what was wrong; nil where nothing was.
  package static func restore(until deadline: Deadline) throws(AttachmentError) -> String? {
    do throws(FilterError) {
      let socket = try NetfilterSocket()
      var first: String?
      while let deviation = try socket.deviation(of: tables, until: deadline) {
        first = first ?? deviation
        try socket.replace(tables, until: deadline)
        if deadline.hasPassed { throw .timedOut(.replace) }
      }
      return first
    } catch { throw AttachmentError(error, attempt) }
  }

  /// What is wrong about the rule; nil where it is in place.
  package static func deviation(until deadline: Deadline) throws(AttachmentError) -> String? {
    do throws(FilterError) { return try read(until: deadline) } catch {
      throw AttachmentError(error, "cannot read the rule for host ends")
    }
  }

  /// Notes where the rule is not there.
  package static func compare(_ context: Context, _ deviations: inout Deviations)
    throws(AttachmentError)
  {
    if let found = try deviation(until: context.deadline) {
      deviations.add(
        "the host takes frames from containers by their host ends: nftables: \(found); "
          + "the next ADD puts it back")
    }
  }

  /// Refuses a host whose kernel has no nftables.
  package static func requireForStatus(_ context: Context) throws(AttachmentError) {
    do throws(FilterError) { _ = try read(until: context.deadline) } catch {
      throw AttachmentError(.unavailable, attempt, details: error.description)
    }
  }

  /// Writes the settings of a host end that netlink cannot. They only add to the rule, so that none
  /// is a reason to fail.
  static func writeSettings(of link: String, _ log: Log) {
    do throws(SystemError) {
      try NetworkNamespace.writeOwn([
        ("ipv6/conf/\(link)/accept_ra", "0"), ("ipv6/conf/\(link)/disable_ipv6", "1"),
      ])
    } catch { log.write(.warning, "cannot close \"\(link)\" for IPv6: \(error)") }
  }
}
