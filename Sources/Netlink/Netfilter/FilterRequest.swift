internal import CLinux
public import Linux

/// What the kernel is asked for about its packet filter and the flows it tracks, as errors name it.
public enum FilterRequest: NetlinkRequest {
  /// Make a socket.
  case open
  /// Read the packet filter.
  case read
  /// Put tables into the packet filter.
  case replace
  /// Change a table; errors begin with this attempt.
  case change(String)
  /// Delete a table.
  case delete(String)
  /// Have tables checked, and not made.
  case test
  /// Wait for what another program is changing.
  case waitForTransaction
  /// List the rules of a chain.
  case listRules(chain: String, table: String)
  /// Read a chain.
  case readChain(String, table: String)
  /// Read a set.
  case readSet(String, table: String)
  /// Read a table.
  case readTable(String)
  /// List the flows that the kernel tracks.
  case listFlows
  /// Have the kernel forget a flow.
  case deleteFlow(Flow)

  /// What was attempted: `read the packet filter`
  public var description: String {
    switch self {
    case .open: "open a netlink socket"
    case .read: "read the packet filter"
    case .replace: "change the packet filter"
    case .change(let attempt): attempt
    case .delete(let table): "delete \(table) of the packet filter"
    case .test: "try rules of the packet filter"
    case .waitForTransaction: "wait for changes of the packet filter"
    case .listRules(let chain, let table): "list the rules of chain \(chain) of table \(table)"
    case .readChain(let chain, let table): "read chain \(chain) of table \(table)"
    case .readSet(let set, let table): "read set \(set) of table \(table)"
    case .readTable(let table): "read table \(table)"
    case .listFlows: "list the flows that the kernel tracks"
    case .deleteFlow(let flow): "delete flow \(flow)"
    }
  }

  /// What the kernel's error number means here; nil where it says enough.
  public func meaning(of errno: Errno) -> String? {
    switch (errno.rawValue, self) {
    case (EPERM, _): "that needs CAP_NET_ADMIN in the user namespace of the network namespace"
    case (_, .listFlows), (_, .deleteFlow): nil
    case (EPROTONOSUPPORT, .open), (EOPNOTSUPP, _): "this kernel lacks the module nf_tables"
    case (EAFNOSUPPORT, _): "this kernel's nf_tables lacks the family"
    default: nil
    }
  }
}

/// A request about the packet filter that the kernel refused, or could not be asked.
public typealias FilterError = RequestError<FilterRequest>

extension RequestError<FilterRequest> {
  /// Whether this kernel has no nf_tables, or not this family of it: then there are no tables
  /// either.
  public var isUnsupported: Bool {
    guard let errno = errno?.rawValue else { return false }
    // The kernel says EINVAL of an unknown subsystem.
    return [EPROTONOSUPPORT, EAFNOSUPPORT, EOPNOTSUPP, EINVAL].contains(errno)
  }
}

extension NetlinkFamily {
  /// `linux/netfilter/nfnetlink.h`
  static var netfilter: NetlinkFamily {
    NetlinkFamily(number: NETLINK_NETFILTER, messageName: { _ in nil }, layout: { _ in nil })
  }
}
