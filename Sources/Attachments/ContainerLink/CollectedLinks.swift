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
    let going = links.filter { link in
      Self.attachment(link, network).map { attachments.contains($0) } ?? false
    }
    deleteTogether(going, context)
    // What is left of them goes one by one, and says why it is left.
    for link in going { delete(link, context, &failures) }
  }

  /// The most links that go in one message, in which the kernel does nothing else with links.
  private static let most = 256

  /// Deletes links in the time that a few take: the kernel waits some 15 ms with each deletion.
  ///
  /// The links move into a group that this run alone uses, and the group is deleted. It is one of
  /// those of host ends, so that they stay closed to the host. Where a link of others is in it, or
  /// anything is refused, they stay as they are; their aliases go on saying whose they are.
  private func deleteTogether(_ going: [Link], _ context: Context) {
    var rest = going[...]
    while rest.count > 1 {
      let some = rest.prefix(Self.most)
      rest = rest.dropFirst(Self.most)
      do throws(RouteError) {
        let present = try socket.links(until: context.deadline)
        let group = HostLink.unusedGroup(present.map { $0.group }, context.began)
        // An index is not given again soon, and the link that has it may be another's by now.
        let ours = Set(some.map { Identity($0) }).intersection(present.map { Identity($0) })
        try socket.request(until: context.deadline) {
          for link in ours { $0.moveLink(link.index, toGroup: group) }
        }
        let members = try socket.links(until: context.deadline).filter { $0.group == group }
        guard members.allSatisfy({ ours.contains(Identity($0)) }) else { continue }
        try socket.request(until: context.deadline) { $0.deleteLinks(inGroup: group) }
        for link in members { context.log.write(.info, "deleted link \"\(link.name)\"") }
      } catch { context.log.write(.info, "cannot delete links together: \(error)") }
    }
  }

  /// By what a link is known again.
  private struct Identity: Hashable {
    let index: Int32
    let name: String
    let alias: String?

    init(_ link: Link) {
      index = link.index
      name = link.name
      alias = link.alias
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
        Identity(now) == Identity(link)
      else { return }
      try socket.request(until: context.deadline) { $0.deleteLink(.index(link.index)) }
      context.log.write(.info, "deleted link \"\(link.name)\"")
    } catch {
      if error.errno == .noSuchDevice { return }
      failures.add(AttachmentError(error, "cannot delete link \"\(link.name)\""))
    }
  }
}
