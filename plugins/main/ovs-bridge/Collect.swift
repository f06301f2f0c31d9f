import AttachmentPlugin
import Attachments
import CNI
import PluginCore

extension OVSBridge {
  /// GC: frees what belongs to this network and to no valid attachment. It goes on past errors.
  ///
  /// A runtime that does not say which attachments are valid has not said that none is. What
  /// another command works on, or what began after this one, is left.
  static func gc(_ request: Request, _ detachment: Detachment, _ context: Context) throws(CNIError)
  {
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
    let found = (rows?.attachments ?? []).union(links?.attachments(of: network) ?? [])
    let taken = collection.take(found.subtracting(valid), &failures)
    rows?.select(taken, context, &failures)
    links?.delete(taken.subtracting(rows?.kept ?? []), network, context, &failures)
    if collection.takeNetwork(&failures) {
      // No ADD is under way now: what is there and was not freed is valid.
      let left = rows?.left(context, &failures) ?? []
      let kept = valid.union(left)
      links?.deleteUnnamed(network, except: kept, context, &failures)
      let remembered = rows?.remembered(request.network.json) ?? [nil]
      if IPAMCollection.run(request, remembered, keeping: left, context, &failures) {
        rows?.remove(context, &failures)
      }
      Gateway.collect(detachment, context, &failures)
      Masquerading.collect(detachment, except: kept, context, &failures)
      GatewayIsolation.collect(detachment, except: kept, context, &failures)
      AttachmentGuard.collect(detachment, except: kept, context, &failures)
      Forward.collect(detachment, context, &failures)
    }
    try failures.throwIfAny("cannot free everything of network \"\(network)\"")
  }
}
