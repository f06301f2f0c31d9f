internal import Addresses
package import Linux
internal import Nftables
internal import PluginConfigurations
package import PluginCore

// Rules that something else has flushed since ADD, found and put back by what the rows say.
extension Masquerading {
  /// Whether rows with these pairs are of an attachment that is masqueraded.
  package static func isRecorded(_ pairs: [String: String]) -> Bool {
    pairs[ExternalIDKey.masquerade.rawValue] == "true"
  }

  /// How the rules of a masqueraded attachment differ from those that ADD made; nil where they do
  /// not.
  package static func deviation(
    _ record: AttachmentRecord, until deadline: Deadline
  ) throws(AttachmentError) -> String? {
    do {
      return try Masquerade(network: record.network).deviation(
        RuleOwner(record.attachment), addresses(record), until: deadline)
    } catch { throw AttachmentError(error, "cannot read the masquerade rules") }
  }

  /// Puts the rules of a masqueraded attachment back; false where they were there.
  package static func restore(
    _ record: AttachmentRecord, until deadline: Deadline
  ) throws(AttachmentError) -> Bool {
    guard try deviation(record, until: deadline) != nil else { return false }
    do {
      try Masquerade(network: record.network).add(
        RuleOwner(record.attachment), addresses(record), until: deadline)
      return true
    } catch { throw AttachmentError(error, "cannot masquerade network \"\(record.network)\"") }
  }

  private static func addresses(_ record: AttachmentRecord) -> [IPPrefix] {
    record.addresses.compactMap { try? IPPrefix($0) }
  }
}
