package import CNI
internal import Linux
internal import Netlink
package import PluginCore

/// The links of the host, of which GC deletes those of attachments that are not valid, also those
/// that never became a port.
package struct CollectedLinks {
  private let socket: RouteSocket
  private let links: [Link]

  /// Nil where they cannot be read.
  package init?(_ context: Context, _ failures: inout Failures) {
    do throws(RouteError) {
      socket = try RouteSocket()
      links = try socket.links(until: context.deadline).filter { $0.kind == "veth" }
    } catch {
      failures.add(AttachmentError(error, "cannot list the links"))
      return nil
    }
  }

  /// The attachments to `network` that host ends say they are for.
  package func attachments(of network: String) -> Set<Attachment> {
    Set(links.compactMap { Self.attachment($0, network) })
  }

  private static func attachment(_ link: Link, _ network: String) -> Attachment? {
    guard let attachment = HostLink.attachment(link.alias, to: network),
      HostLink(of: attachment).name == link.name
    else { return nil }
    return attachment
  }

  /// Deletes the host ends of these attachments.
  package func delete(
    _ attachments: Set<Attachment>, _ network: String, _ context: Context,
    _ failures: inout Failures
  ) {
    for link in links {
      guard let attachment = Self.attachment(link, network), attachments.contains(attachment) else {
        continue
      }
      delete(link, context, &failures)
    }
  }

  /// Deletes those whose group says for which network they are, and nothing for which attachment.
  package func deleteUnnamed(
    _ network: String, except valid: Set<Attachment>, _ context: Context, _ failures: inout Failures
  ) {
    let names = Set(valid.map { HostLink(of: $0).name })
    for link in links where link.group == HostLink.group(network: network) {
      // Two networks may share a group; the alias, where there is one, says which it is.
      let isNamed = Self.attachment(link, network) != nil
      let isOurs = link.alias == nil || HostLink.belongs(link.alias, to: network)
      guard isOurs, !isNamed, !names.contains(link.name) else { continue }
      delete(link, context, &failures)
    }
  }

  private func delete(_ link: Link, _ context: Context, _ failures: inout Failures) {
    do throws(RouteError) {
      // An index is not given again soon, and the link that has it may have got its alias since.
      guard let now = try socket.linkIfPresent(.index(link.index), until: context.deadline),
        now.name == link.name, now.alias == link.alias
      else { return }
      try socket.request(until: context.deadline) { $0.deleteLink(.index(link.index)) }
      context.log.write(.info, "deleted link \"\(link.name)\"")
    } catch {
      if error.errno == .noSuchDevice { return }
      failures.add(AttachmentError(error, "cannot delete link \"\(link.name)\""))
    }
  }
}
