package import CNIRuntime
internal import JSON
internal import Linux
internal import Netlink
package import PluginCore

/// The host ends that attachments have. By them a sandbox is known that lives on without its path:
/// the kernel deletes a veth pair with its namespace.
package struct HostEnds {
  private var names: [AttachmentKey: [String]] = [:]

  /// None.
  package init() {}

  /// Adds those that the result of `entry` has.
  package mutating func add(of entry: CachedAttachment) {
    let interfaces = entry.result?["interfaces"]?.array ?? []
    for interface in interfaces where interface["sandbox"]?.text?.isEmpty ?? true {
      guard let name = interface["name"]?.text else { continue }
      add(name, of: AttachmentKey(network: entry.network, entry.attachment))
    }
  }

  /// Adds the link `name`.
  package mutating func add(_ name: String, of attachment: AttachmentKey) {
    names[attachment, default: []].append(name)
  }

  /// Whether one of the attachment's is there.
  package func areThere(_ attachment: AttachmentKey) -> Bool {
    guard let names = names[attachment], let socket = try? RouteSocket() else { return false }
    return names.contains { Self.isVeth($0, socket) }
  }

  /// Whether there is a link `name` of that kind; one that cannot be looked at is there.
  private static func isVeth(_ name: String, _ socket: RouteSocket) -> Bool {
    do throws(RouteError) {
      return try socket.link(.named(name), until: .after(.seconds(5))).kind == "veth"
    } catch { return error.errno != .noSuchDevice }
  }

  /// Waits until the kernel has deleted those of `attachments`, whose namespaces have just ended;
  /// no longer than `limit`.
  package func settle(_ attachments: [AttachmentKey], within limit: Duration) {
    let deadline = Deadline.after(limit)
    while attachments.contains(where: { areThere($0) }), !deadline.hasPassed {
      Clock.sleep(.milliseconds(50))
    }
  }
}
