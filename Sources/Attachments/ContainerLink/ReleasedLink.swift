internal import Linux
internal import Netlink
package import PluginCore

/// The veth pair of an attachment, deleted by DEL. Neither its name nor its index finds it any
/// more; the kernel still waits for processors that use it, and DEL does the rest meanwhile.
package struct ReleasedLink: ~Copyable {
  private var deletion: LinkDeletion?

  /// Deletes the host end of an attachment, and with it the container end, wherever that is.
  package init(_ detachment: Detachment, _ context: Context, _ failures: inout Failures) {
    deletion = nil
    do throws(RouteError) {
      let outside = try RouteSocket()
      let index = try ContainerLink.hostEnd(of: detachment, outside, until: context.deadline)
      if let index {
        deletion = try outside.beginDeletion(of: index, until: context.deadline)
      }
      context.log.write(.debug, "deleted the veth pair")
    } catch {
      if error.errno == .noSuchDevice { return }
      failures.add(AttachmentError(error, "cannot delete link \"\(detachment.hostLink.name)\""))
    }
  }

  /// Waits until the kernel has done with it, or until the deadline, which is no failure: the link
  /// is deleted in any case.
  package consuming func finish(_ context: Context) {
    guard let deletion = deletion.take() else { return }
    do throws(SystemError) {
      let hasEnded = try deletion.finish(until: context.deadline)
      context.log.write(
        hasEnded ? .debug : .warning,
        "the kernel has\(hasEnded ? "" : " not yet") done with the veth pair")
    } catch { context.log.write(.warning, "cannot wait for the kernel: \(error)") }
  }
}
