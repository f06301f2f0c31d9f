package import Attachments
package import CNI
package import PluginCore

extension Collection {
  /// The attachments on which no other command works, nor will until the end of this value.
  package borrowing func take(_ attachments: Set<Attachment>, _ failures: inout Failures) -> Set<
    Attachment
  > {
    var taken: Set<Attachment> = []
    for attachment in attachments {
      do throws(CNIError) {
        if try take(attachment) { taken.insert(attachment) }
      } catch { failures.add(AttachmentError(error)) }
    }
    return taken
  }

  /// Waits until no ADD of the network is under way; whether that is so.
  package mutating func takeNetwork(_ failures: inout Failures) -> Bool {
    do throws(CNIError) {
      try takeNetwork()
      return true
    } catch {
      failures.add(AttachmentError(error))
      return false
    }
  }
}
