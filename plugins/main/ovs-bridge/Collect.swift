import Attachments
import CNI
import PluginCore

extension OVSBridge {
  /// GC: frees what belongs to this network and to no valid attachment. It goes on past errors.
  ///
  /// A runtime that does not say which attachments are valid has not said that none is. What another
  /// command works on, or what began after this one, is left.
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
    let taken = take(found.subtracting(valid), collection, &failures)
    rows?.select(taken, context, &failures)
    links?.delete(taken.subtracting(rows?.kept ?? []), network, context, &failures)
    if takeNetwork(&collection, &failures) {
      // No ADD is under way now: what is there and was not freed is valid.
      let left = rows?.left(context, &failures) ?? []
      let kept = valid.union(left)
      links?.deleteUnnamed(network, except: kept, context, &failures)
      let remembered = rows?.remembered(request.network.json) ?? [nil]
      if collectLeases(request, remembered, keeping: left, context, &failures) {
        rows?.remove(context, &failures)
      }
      Gateway.collect(detachment, context, &failures)
      Masquerading.collect(detachment, except: kept, context, &failures)
      GatewayIsolation.collect(detachment, except: kept, context, &failures)
    }
    try failures.throwIfAny("cannot free everything of network \"\(network)\"")
  }

  /// The attachments on which no other command works, nor will until the end of `collection`.
  private static func take(
    _ attachments: Set<Attachment>, _ collection: borrowing Collection, _ failures: inout Failures
  ) -> Set<Attachment> {
    var taken: Set<Attachment> = []
    for attachment in attachments {
      do throws(CNIError) {
        if try collection.take(attachment) { taken.insert(attachment) }
      } catch { failures.add(AttachmentError(error)) }
    }
    return taken
  }

  /// Waits until no ADD of the network is under way; whether that is so.
  private static func takeNetwork(_ collection: inout Collection, _ failures: inout Failures)
    -> Bool
  {
    do throws(CNIError) {
      try collection.takeNetwork()
      return true
    } catch {
      failures.add(AttachmentError(error))
      return false
    }
  }
}
