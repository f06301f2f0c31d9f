import Attachments
import Linux
import PluginCore

extension Findings {
  /// A fault of `subject` where the masquerade rules of an attachment are not those that ADD made.
  ///
  /// Where they cannot be read, something else is wrong, and is found elsewhere.
  mutating func checkMasquerade(
    of attachment: AttachmentReading, _ subject: String, until deadline: Deadline
  ) {
    let network = attachment.record.network
    guard Masquerading.isRecorded(attachment.port.externalIDs),
      (try? Masquerading.deviation(attachment.record, until: deadline)) != nil
    else { return }
    fault(
      "masquerade-gone", subject, "The masquerade rules of network \(network) were flushed.",
      remedy: "patchbay repair \(network)")
  }
}
