internal import CNI
internal import Linux
internal import Netlink
internal import PluginCore

/// The links that have the names of an attachment's ends, before anything is made.
struct LinkSurvey {
  let outside: RouteSocket
  let inside: RouteSocket
  /// The link that has the name of the host end; nil where there is none.
  let host: Link?
  /// The other end of `host`, where that is in this very sandbox, under whatever name.
  let container: Link?
  /// The link that has the interface name in the sandbox; nil where there is none.
  let named: Link?
  /// The bridge's own port; nil where there is no link of the bridge's name.
  let bridge: Link?

  init(_ plan: Plan, in sandbox: borrowing NetworkNamespace, _ context: Context)
    throws(AttachmentError)
  {
    let deadline = context.deadline
    do throws(RouteError) {
      outside = try RouteSocket()
      inside = try RouteSocket(in: sandbox)
      named = try inside.linkIfPresent(.named(plan.attachment.interfaceName), until: deadline)
      host = try outside.linkIfPresent(.named(plan.hostLink.name), until: deadline)
      container = try Self.otherEnd(of: host, outside, inside, in: sandbox, until: deadline)
      bridge = try outside.linkIfPresent(.named(plan.bridge), until: deadline)
    } catch {
      throw AttachmentError(error, "cannot read interface \"\(plan.attachment.interfaceName)\"")
    }
  }

  /// Whether this network namespace has many links.
  ///
  /// sysfs(5) tells of all network namespaces together, by the number of directories, which is less
  /// work than to look into one of procfs, where IPv6 has one file for each link of this one. False
  /// where neither can be read.
  static var areMany: Bool {
    do throws(SystemError) {
      guard try FileStatus(path: "/sys/devices/virtual/net").links > many else { return false }
      return try Directory.hasNames(moreThan: many, at: "/proc/net/dev_snmp6")
    } catch { return false }
  }
  private static let many = 64

  /// Indexes are unique in one namespace only, so it is compared, too.
  private static func otherEnd(
    of host: Link?, _ outside: RouteSocket, _ inside: RouteSocket,
    in sandbox: borrowing NetworkNamespace, until deadline: Deadline
  ) throws(RouteError) -> Link? {
    guard let host, let peer = host.peerIndex else { return nil }
    if let number = host.peerNamespaceID {
      guard try outside.namespaceID(of: sandbox.fileDescriptor, until: deadline) == number else {
        return nil
      }
    } else {
      do throws(SystemError) { guard try sandbox.isCurrent() else { return nil } } catch {
        throw .system(.readLink(.index(peer)), error)
      }
    }
    let link = try inside.linkIfPresent(.index(peer), until: deadline)
    return link?.peerIndex == host.index ? link : nil
  }
}

extension RouteSocket {
  /// The link; nil where there is none.
  func linkIfPresent(_ reference: LinkReference, until deadline: Deadline) throws(RouteError)
    -> Link?
  {
    do throws(RouteError) { return try link(reference, until: deadline) } catch {
      if error.errno == .noSuchDevice { return nil }
      throw error
    }
  }
}
