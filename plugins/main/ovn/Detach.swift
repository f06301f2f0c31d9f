import AttachmentPlugin
import Attachments
import CNI
import PluginCore

extension OVN {
  /// DEL: the veth pair gone, the logical port off its switch, the addresses free, the port off the
  /// integration bridge.
  ///
  /// It works from network, container ID and interface name alone, tries every step, and reports
  /// all that failed. What is not there is done. While the logical port is there its addresses are
  /// not free, and while they are not the rows stay: they tell what DEL needs.
  static func del(_ request: Request, _ detachment: Detachment, _ context: Context) throws(CNIError)
  {
    let context = patient(request, context)
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
    let link = ReleasedLink(detachment, context, &failures)
    let records = rows?.records(context, &failures)
    if LogicalPort.release(
      detachment, recorded: rows?.value(of: LogicalPort.key), context, &failures)
    {
      let ipam = IPAMRemoval(request, records, detachment, context, &failures)
      if ipam.finish(context, &failures) { rows?.remove(detachment, context, &failures) }
    }
    link.finish(context)
    try failures.throwIfAny("cannot detach \(detachment.key.attachment.interfaceName)")
  }
}
