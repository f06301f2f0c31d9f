internal import CLinux
public import Linux

/// What the kernel is asked for about its packet filter, as errors name it.
public enum FilterRequest: NetlinkRequest {
  /// Make a socket.
  case open
  /// Read the packet filter.
  case read
  /// Put tables into the packet filter.
  case replace

  /// What was attempted: `read the packet filter`
  public var description: String {
    switch self {
    case .open: "open a netlink socket"
    case .read: "read the packet filter"
    case .replace: "change the packet filter"
    }
  }

  /// What the kernel's error number means here; nil where it says enough.
  public func meaning(of errno: Errno) -> String? {
    switch (errno.rawValue, self) {
    case (EPERM, _): "that needs CAP_NET_ADMIN in the user namespace of the network namespace"
    case (EPROTONOSUPPORT, .open), (EOPNOTSUPP, _): "this kernel lacks the module nf_tables"
    default: nil
    }
  }
}

/// A request about the packet filter that the kernel refused, or could not be asked.
public typealias FilterError = RequestError<FilterRequest>

extension NetlinkFamily {
  /// `linux/netfilter/nfnetlink.h`
  static var netfilter: NetlinkFamily {
    NetlinkFamily(number: NETLINK_NETFILTER, messageName: { _ in nil }, layout: { _ in nil })
  }
}
