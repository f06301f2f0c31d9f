internal import Addresses
internal import CLinux
public import Linux

/// A request of rtnetlink(7) that the kernel refused, or could not be asked.
public typealias RouteError = RequestError<RouteRequest>

extension RouteRequest: NetlinkRequest {
  /// What the kernel's error number means here; nil where it says enough.
  public func meaning(of errno: Errno) -> String? {
    switch (errno.rawValue, self) {
    case (EPERM, _): "that needs CAP_NET_ADMIN in the user namespace of the network namespace"
    case (ENODEV, .addVeth):
      nil
    case (ENODEV, .addAddress), (ENODEV, .deleteAddress), (ENODEV, .listAddresses):
      "the link is gone"
    // A kernel with IPv6 says ENODEV, too, for a link on which IPv6 is off.
    case (ENODEV, .addRoute(let route)):
      route.destination.address.isIPv6
        ? "there is no such link, or IPv6 is disabled on it (sysctl net.ipv6.conf.*.disable_ipv6)"
        : "the link is gone"
    case (ENODEV, _): "there is no such link in the namespace"
    case (EEXIST, .addVeth(let name, let peer)):
      "there is a link \"\(name)\" here, or a link \"\(peer)\" where the other end goes"
    // IPv6 can be switched off by link, and then takes neither addresses nor routes.
    case (EACCES, .addAddress), (EACCES, .addRoute):
      "IPv6 is disabled there (sysctl net.ipv6.conf.*.disable_ipv6)"
    case (EAFNOSUPPORT, _), (EPROTONOSUPPORT, _): "this kernel lacks the protocol"
    case (EOPNOTSUPP, .addVeth): "this kernel lacks the module veth"
    case (EOPNOTSUPP, .addAddress), (EOPNOTSUPP, .addRoute), (EOPNOTSUPP, .listRoutes):
      "this kernel lacks the protocol"
    case (EBUSY, .attachProgram), (EEXIST, .attachProgram):
      "another XDP program is attached to the link"
    case (EOPNOTSUPP, _): "the link's driver cannot do that"
    case (ERANGE, .addVeth), (ERANGE, .setLink), (ERANGE, .renameLink), (ERANGE, .readLink),
      (ERANGE, .deleteLink):
      "a link's name has 1…15 bytes, an alias at most 255"
    case (EINVAL, .addVeth), (EINVAL, .renameLink):
      "a link's name has 1…15 bytes, none of them a blank, \"/\" or \":\", and is not \".\" or "
        + "\"..\"; an MTU of a veth link is in 68…65535"
    case (EADDRNOTAVAIL, .setLink), (EADDRNOTAVAIL, .addVeth):
      "a MAC address of a link is unicast and not all zeros"
    case (EADDRNOTAVAIL, .deleteAddress): "the link does not have it"
    case (ENETUNREACH, .addRoute(let route)):
      route.gateway.map { "no address of a link is in one subnet with the gateway \($0)" }
    case (ENETDOWN, .addRoute): "the link is down"
    case (ESRCH, .deleteRoute): "there is no such route"
    default: nil
    }
  }
}
