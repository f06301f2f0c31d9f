package import Addresses
internal import CNI
internal import Linux
internal import Netlink
internal import PluginCore

/// Whether this host hands on packets that are for others, and what a gateway of containers takes
/// from them.
package enum Forwarding {
  /// The setting below `/proc/sys/net`.
  static func setting(_ family: IPAddress.Family) -> String {
    family == .v4 ? "ipv4/ip_forward" : "ipv6/conf/all/forwarding"
  }

  /// Whether it does; false where the kernel has no such setting.
  static func isOn(_ family: IPAddress.Family) throws(SystemError) -> Bool {
    try NetworkNamespace.current().readSetting(setting(family)) == "1"
  }

  /// What a gateway's link must have, so that a container can change neither addresses nor routes
  /// of this host: it takes no router advertisements and no redirects. Of IPv6 also where all its
  /// addresses are of IPv4, since the kernel gives a link both.
  static func closed(_ link: String) -> [(path: String, value: String)] {
    [
      ("ipv6/conf/\(link)/accept_ra", "0"), ("ipv6/conf/\(link)/autoconf", "0"),
      ("ipv6/conf/\(link)/accept_redirects", "0"), ("ipv4/conf/\(link)/accept_redirects", "0"),
    ]
  }

  /// The settings by which a gateway's link takes addresses, routes or redirects from containers,
  /// as `accept_ra`.
  package static func openings(_ link: String) throws(AttachmentError) -> [String] {
    do throws(SystemError) {
      return Set(try deviating(from: closed(link)).map { name($0.path) }).sorted()
    } catch { throw unreadable(error) }
  }

  /// Those settings that have another value, and which. There is none where the link is gone, or
  /// where the kernel has no IPv6.
  private static func deviating(from wanted: [(path: String, value: String)]) throws(SystemError)
    -> [(path: String, value: String, found: String)]
  {
    let host = try NetworkNamespace.current()
    var others: [(path: String, value: String, found: String)] = []
    for (path, value) in wanted {
      if let found = try host.readSetting(path), found != value {
        others.append((path, value, found))
      }
    }
    return others
  }

  /// The last part of a path: `accept_ra`.
  private static func name(_ path: String) -> String {
    path.split(separator: "/").last.map { String($0) } ?? path
  }

  private static func unreadable(_ error: SystemError) -> AttachmentError {
    AttachmentError(.failed, "cannot read the host's settings", details: error.description)
  }

  /// Gives a gateway's link the settings again that a new link does not have; returns those that
  /// were otherwise.
  package static func restore(_ link: String, _ families: Set<IPAddress.Family>)
    throws(AttachmentError) -> [String]
  {
    var wanted = closed(link)
    if families.contains(.v6) { wanted.append(("ipv6/conf/\(link)/disable_ipv6", "0")) }
    do throws(SystemError) {
      let others = try deviating(from: wanted)
      if !others.isEmpty {
        try NetworkNamespace.current().writeSettings(others.map { ($0.path, $0.value) })
      }
      return others.map { name($0.path) }
    } catch {
      throw AttachmentError(
        .failed, "cannot set up the gateway \"\(link)\"", details: error.description)
    }
  }

  /// Switches forwarding on where it is off, and IPv6 on the gateway, which takes nothing from the
  /// containers before it is up.
  static func switchOn(
    _ gateway: Gateway, _ socket: RouteSocket, _ context: Context, _ attempt: String
  ) throws(AttachmentError) {
    let link = gateway.port.name
    do throws(SystemError) {
      let host = try NetworkNamespace.current()
      try host.writeSettings(closed(link))
      if gateway.families.contains(.v6), try !isOn(.v6) {
        for name in try advertised(except: link, socket, context) {
          // Written before forwarding is on: the kernel takes the routes away that it has learned
          // by links with another value.
          try host.writeSettings([("ipv6/conf/\(name)/accept_ra", "2")])
          context.log.write(.info, "\"\(name)\" goes on taking router advertisements")
        }
      }
      var settings = gateway.families.sorted().map { (path: setting($0), value: "1") }
      if gateway.families.contains(.v6) {
        settings.append(("ipv6/conf/\(link)/disable_ipv6", "0"))
      }
      try host.writeSettings(settings)
    } catch {
      throw AttachmentError(
        .failed, attempt,
        details: error.errno == .readOnlyFileSystem
          ? "\(error); set it on the host beforehand, or let /proc/sys be written"
          : error.description)
    }
  }

  /// The links that would ignore their routers with forwarding on, and live from them: those that
  /// have learned an address or a route by an advertisement, and devices that were not made by
  /// software, which may learn one any time. A host end or another container's link is none of
  /// them.
  private static func advertised(
    except gateway: String, _ socket: RouteSocket, _ context: Context
  ) throws(SystemError) -> [String] {
    let deadline = context.deadline
    var candidates: [Link] = []
    do throws(RouteError) {
      var learned = try socket.linksWithAdvertisedRoutes(until: deadline)
      for address in try socket.addresses(until: deadline) where address.isAutomatic {
        learned.insert(address.linkIndex)
      }
      candidates = try socket.links(until: deadline).filter { link in
        link.name != gateway && !link.isLoopback && !HostLink.groups.contains(link.group)
          && (link.kind == nil || learned.contains(link.index))
      }
    } catch { context.log.write(.warning, "cannot tell which links have routers: \(error)") }
    let host = try NetworkNamespace.current()
    var names: [String] = []
    for link in candidates {
      let accepts = try host.readSetting("ipv6/conf/\(link.name)/accept_ra")
      if accepts == "1" { names.append(link.name) }
    }
    return names
  }

  /// Notes what of the host's settings is not as a gateway needs it.
  static func compare(_ gateway: Gateway, _ deviations: inout Deviations) throws(AttachmentError) {
    let wanted = gateway.families.sorted().map { (setting($0), "1") } + closed(gateway.port.name)
    do throws(SystemError) {
      // That the link is gone is reported elsewhere.
      for (path, value, found) in try deviating(from: wanted) {
        let name = path.split(separator: "/").joined(separator: ".")
        deviations.add("sysctl net.\(name) of the host is \(found), should be \(value)")
      }
    } catch { throw unreadable(error) }
  }
}
