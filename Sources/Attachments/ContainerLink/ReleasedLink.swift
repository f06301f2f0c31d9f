internal import Linux
internal import Netlink
package import PluginCore
internal import PluginExecution

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

  /// Leaves the kernel to it where no zombie is left for ever. Else waits until the kernel has done
  /// with it, or until the deadline, which is no failure: the link is deleted in any case.
  package consuming func finish(_ context: Context) {
    guard let deletion = deletion.take() else { return }
    if let processes = try? FileStatus(path: "/proc/thread-self/ns/pid"),
      deletion.canBeLeft(rememberedAt: "\(LockHolder.directory)/left.\(processes.inode)")
    {
      deletion.leave()
      return context.log.write(.debug, "the kernel is still at the veth pair, and is left to it")
    }
    do throws(SystemError) {
      if try deletion.finish(until: context.deadline) {
        context.log.write(.debug, "the kernel has done with the veth pair")
      } else {
        context.log.write(.warning, "the kernel has not yet done with the veth pair")
      }
    } catch { context.log.write(.warning, "cannot wait for the kernel: \(error)") }
  }
}
