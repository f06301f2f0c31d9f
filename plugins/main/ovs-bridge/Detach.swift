import AttachmentPlugin
import Attachments
import CNI
internal import JSON
import PluginConfigurations
import PluginCore

extension OVSBridge {
  /// DEL: the veth pair gone, the addresses free, the port off its bridge.
  ///
  /// It works from network, container ID and interface name alone, tries every step, and reports
  /// all that failed. What is not there is done. While the addresses are not free the rows stay:
  /// they tell what the IPAM plugin needs. Where they tell that there are none, they go first: so
  /// ovs-vswitchd looks at its ports once less, as it hears of the link while it looks.
  static func del(_ request: Request, _ detachment: Detachment, _ context: Context) throws(CNIError)
  {
    let exclusion = try Exclusion(forReleasing: request, context)
    do throws(AttachmentError) { try del(request, detachment, exclusion, context) } catch {
      throw CNIError(error)
    }
  }

  private static func del(
    _ request: Request, _ detachment: Detachment, _ exclusion: borrowing Exclusion,
    _ context: Context
  ) throws(AttachmentError) {
    var failures = Failures()
    let rows = ReleasedRows(detachment, context, &failures)
    let hasNoLease =
      request.network.json[PluginMember.ipam].value == nil
      && rows?.haveNoLease(context, &failures) ?? false
    if hasNoLease { rows?.remove(detachment, context, &failures) }
    let link = ReleasedLink(detachment, context, &failures)
    AttachmentGuard.release(detachment, context, &failures)
    let records = rows?.records(context, &failures)
    let ipam = IPAMRemoval(request, records, detachment, context, &failures)
    Masquerading.release(
      detachment, isRecorded: rows?.have(.masquerade) ?? false, context, &failures)
    GatewayIsolation.release(
      detachment, isRecorded: rows?.have(.isolation) ?? false, context, &failures)
    if ipam.finish(context, &failures), !hasNoLease {
      rows?.remove(detachment, context, &failures)
    }
    Forward.release(
      detachment, isRecorded: rows?.have(.gateway) ?? true, context, &failures)
    link.finish(context)
    try failures.throwIfAny("cannot detach \(detachment.key.attachment.interfaceName)")
  }
}
