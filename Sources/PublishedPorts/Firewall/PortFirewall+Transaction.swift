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
