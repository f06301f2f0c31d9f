internal import CNI
package import Linux
internal import Netlink
internal import PluginConfigurations
package import PluginCore

/// `promisc`: the container end receives all frames that come to its port, also those for others,
/// as a bridge or a monitor in the container needs. It goes with the link.
package enum Promiscuity {
  /// Switches it on where that is asked for.
  package static func make(_ link: ContainerLink, _ plan: Plan, _ context: Context)
    throws(AttachmentError)
  {
    guard plan.configuration.promisc else { return }
    do throws(RouteError) {
      try link.inside.request(until: context.deadline) {
        $0.setPromiscuous(link.containerIndex, true)
      }
    } catch {
      throw AttachmentError(
        error, "cannot have interface \"\(link.containerName)\" receive all frames")
    }
  }

  /// Compares the container end with what ADD made. Without `promisc` it may be either.
  package static func compare(
    _ plan: Plan, in sandbox: borrowing NetworkNamespace, _ context: Context,
    _ deviations: inout Deviations
  ) throws(AttachmentError) {
    let name = plan.attachment.interfaceName
    guard plan.configuration.promisc else { return }
    do throws(RouteError) {
      let link = try RouteSocket(in: sandbox).linkIfPresent(.named(name), until: context.deadline)
      // That the link is gone is reported with the links.
      guard let link else { return }
      deviations.expect(
        "interface \"\(name)\": promiscuous", is: link.isPromiscuous, shouldBe: true)
    } catch { throw AttachmentError(error, "cannot read the links") }
  }
}
