internal import Netlink
internal import Nftables

extension PortFirewall {
  /// Makes changes of the table in one transaction: by the kernel's own interface where all of them
  /// can be said there, else by nft(8).
  borrowing func run(_ commands: [FirewallCommand], _ attempt: String)
    throws(PublishedPortsError)
  {
    if let changes = try changes(commands) {
      do throws(FilterError) {
        try socket.change(.inet, PortTable.table.name, changes, attempt, until: deadline)
      } catch { throw .netfilter(error) }
    } else {
      do throws(FirewallError) {
        try Firewall.run(commands, attempt, until: deadline)
      } catch { throw .firewall(error) }
    }
  }

  /// Nil where a command cannot be said to the kernel, or its set is not what it should be.
  private borrowing func changes(_ commands: [FirewallCommand]) throws(PublishedPortsError)
    -> [FilterChange]?
  {
    guard let names = FilterChange.sets(in: commands) else { return nil }
    var sets: [String: FilterSet] = [:]
    do throws(FilterError) {
      for name in names {
        sets[name] = try socket.set(name, table: PortTable.table.name, until: deadline)
      }
    } catch { throw .netfilter(error) }
    var changes: [FilterChange] = []
    for command in commands {
      guard let change = FilterChange(command, of: PortTable.table, sets) else { return nil }
      changes.append(change)
    }
    return changes
  }
}

extension PublishedPortsError {
  /// Whether the table may have been changed by another program since it was read.
  var isConflict: Bool {
    switch self {
    case .firewall(let error): error.isConflict
    case .netfilter(.refused(_, let errno, _)): FirewallError.conflicts.contains(errno)
    default: false
    }
  }
}

extension ReportedPlace {
  /// Whether it is the same place, whatever becomes of packets that no rule decides.
  func isSame(as other: ReportedPlace?) -> Bool {
    type == other?.type && hook == other?.hook && priority == other?.priority
  }
}

extension FirewallTable.Hook {
  /// The place of a chain there, as the kernel reports it.
  var reported: ReportedPlace? {
    // In the order of `enum nf_inet_hooks` of linux/netfilter.h.
    let names = ["prerouting", "input", "forward", "output", "postrouting"]
    guard let number = names.firstIndex(of: name), let priority = Int32(exactly: priority) else {
      return nil
    }
    return ReportedPlace(
      type: type, hook: UInt32(truncatingIfNeeded: number), priority: priority, accepts: true)
  }
}
