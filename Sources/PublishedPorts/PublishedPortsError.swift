public import Addresses
public import Linux
public import Netlink
public import Nftables
internal import PluginConfigurations

/// Why ports were not published, or not released.
public enum PublishedPortsError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Another attachment that is up has the port; `holder` is `NETWORK/CONTAINERID/INTERFACE`.
  case taken(PublishedPort, holder: String)
  /// Another attachment that is up has the container's address.
  case addressTaken(IPAddress, holder: String)
  /// A process of the host has the port; its name and ID, nil where they cannot be found.
  case listening(PublishedPort, process: String?)
  /// The host has no way to the container but that by which it sends everything.
  case unreachable(IPAddress, reason: String)
  /// nft(8) refused it, or could not be asked.
  case firewall(FirewallError)
  /// The kernel refused to be read, or a change, or could not be asked.
  case netfilter(FilterError)
  /// The kernel refused to be read.
  case route(RouteError)
  /// A system call failed.
  case system(SystemError)

  /// What was attempted, and why not.
  public var description: String {
    switch self {
    case .taken(let port, let holder):
      "\(port.place) is published by \(holder) already"
    case .addressTaken(let address, let holder):
      "\(address) is the address of \(holder), which has published ports: this host can reach only "
        + "one container by one address"
    case .listening(let port, let process):
      "\(process ?? "a process of the host") listens on \(port.place)"
    case .unreachable(let address, let reason):
      "this host does not reach \(address): \(reason)"
    case .firewall(let error): error.description
    case .netfilter(let error): error.description
    case .route(let error): error.description
    case .system(let error): error.description
    }
  }

  /// Whether this kernel has no packet filter. Of a change, the same error numbers say something
  /// else.
  public var isUnsupported: Bool {
    guard case .netfilter(let error) = self else { return false }
    if case .change = error.request { return false }
    return error.isUnsupported
  }

  /// Whether the same may succeed later.
  public var isTimeout: Bool {
    switch self {
    case .firewall(let error): error.isTimeout
    case .netfilter(let error): error.isTimeout
    default: false
    }
  }
}

extension PublishedPort {
  /// `TCP port 8080`, `UDP port 53 of 192.0.2.1`
  var place: String {
    let name =
      switch transport {
      case .tcp: "TCP"
      case .udp: "UDP"
      case .sctp: "SCTP"
      }
    let port = "\(name) port \(hostPort)"
    if !isOfAllAddresses { return "\(port) of \(host)" }
    return family == .v4 ? port : "\(port) (IPv6)"
  }
}
