internal import Addresses
public import Linux
internal import Netlink

/// Whether packets with an address of 127.0.0.0/8 leave by a link, and come in by it.
///
/// A connection to 127.0.0.1 that leads to a container leaves the host by the link to the
/// container, which the kernel allows with `route_localnet` only. That also lets neighbours send to
/// what listens on 127.0.0.1 alone; so a link is opened only after a rule drops that.
public enum LoopbackRoute {
  private static func setting(_ link: String) -> String { "ipv4/conf/\(link)/route_localnet" }

  /// Whether the kernel lets such packets pass.
  public static func isOpen(_ link: String) -> Bool {
    let value = try? NetworkNamespace.current().readSetting(setting(link))
    return value == "1"
  }

  /// Lets such packets pass; a rule must drop those that come in.
  public static func open(_ link: String) throws(SystemError) {
    try NetworkNamespace.current().writeSettings([(setting(link), "1")])
  }

  /// Lets no such packets pass any more; a link that is gone has none.
  static func close(_ link: String) throws(SystemError) {
    try NetworkNamespace.current().writeSettings([(setting(link), "0")])
  }
}
