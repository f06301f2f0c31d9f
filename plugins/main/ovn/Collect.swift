import AttachmentPlugin
import Attachments
import CNI
import PluginCore

extension OVN {
  /// GC: frees what belongs to this network on this host and to no valid attachment. It goes on
  /// past errors.
  ///
  /// A runtime that does not say which attachments are valid has not said that none is. What
  /// another command works on, or what began after this one, is left; so is all that other hosts
  /// have.
  static func gc(_ request: Request, _ detachment: Detachment, _ context: Context) throws(CNIError)
  {
    let context = patient(request, context)
    guard let valid = request.network.validAttachments else {
      return try Delegate.runIPAM(request, .gc, until: context.deadline)
    }
    var collection = try Collection(request, context)
    do throws(AttachmentError) {
      try collect(request, detachment, Set(valid), &collection, context)
    } catch { throw CNIError(error) }
  }

  private static func collect(
    _ request: Request, _ detachment: Detachment, _ valid: Set<Attachment>,
    _ collection: inout Collection, _ context: Context
  ) throws(AttachmentError) {
    let network = detachment.key.network
    var failures = Failures()
    let rows = CollectedRows(detachment, context, &failures)
    let links = CollectedLinks(context, &failures)
    let ports = CollectedLogicalPorts(
      detachment, recorded: rows?.values(of: LogicalPort.key) ?? [], context, &failures)
    let found = (rows?.attachments ?? []).union(links?.attachments(of: network) ?? [])
      .union(ports?.attachments ?? [])
    let taken = collection.take(found.subtracting(valid), &failures)
    rows?.select(taken, context, &failures)
    let going = taken.subtracting(rows?.kept ?? [])
    links?.delete(going, network, context, &failures)
    // While a logical port is there its addresses are not free.
    let isFree = ports?.remove(going, context, &failures) ?? false
    if collection.takeNetwork(&failures) {
      // No ADD is under way now: what is there and was not freed is valid.
      let left = rows?.left(context, &failures) ?? []
      links?.deleteUnnamed(network, except: valid.union(left), context, &failures)
      let remembered = rows?.remembered(request.network.json) ?? [nil]
      if isFree, IPAMCollection.run(request, remembered, keeping: left, context, &failures) {
        rows?.remove(context, &failures)
      }
    }
    try failures.throwIfAny("cannot free everything of network \"\(network)\"")
  }
}
