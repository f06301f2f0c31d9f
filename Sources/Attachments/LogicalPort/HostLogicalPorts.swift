package import CNI
package import Linux
internal import OVNNorthbound
internal import OVSDB
internal import PluginCore

/// The logical ports that one host has on a network, whichever attachments they are of.
///
/// All are taken away where that host is gone for good: one that lives loses its traffic.
package struct HostLogicalPorts {
  private let place: NorthboundPlace
  private let network: String
  private let northbound: NorthboundSession

  /// - Parameter place: Where the database is, and the name of the host.
  package init(_ place: NorthboundPlace, network: String, until deadline: Deadline) {
    self.place = place
    self.network = network
    northbound = NorthboundSession(place, until: deadline)
  }

  private func rows() throws(AttachmentError) -> [Row<LogicalSwitchPortTable>] {
    try northbound.ports(place.externalIDs(network: network)).sorted { $0[.name] < $1[.name] }
  }

  /// Their names, sorted.
  package func names() throws(AttachmentError) -> [String] { try rows().map { $0[.name] } }

  /// One of them, with the attachment that it is of.
  package struct Held {
    /// Its name.
    package let name: String
    /// The attachment.
    package let attachment: Attachment
    /// When its ADD began: nanoseconds since 1970-01-01T00:00:00Z; nil where it does not say.
    package let began: Int64?
    /// The name of the host end that belongs to it.
    package let hostEnd: String
  }

  /// All of them, by their names.
  package func held() throws(AttachmentError) -> [Held] {
    var held: [Held] = []
    for row in try rows() {
      guard let record = AttachmentRecord(row[.externalIDs]) else { continue }
      held.append(
        Held(
          name: row[.name], attachment: record.attachment, began: record.began,
          hostEnd: HostLink(of: record.attachment).name))
    }
    return held
  }

  /// Takes them off their switches; returns their names.
  package func remove() throws(AttachmentError) -> [String] {
    let rows = try rows()
    try northbound.remove(rows.map { $0[.uuid] })
    return rows.map { $0[.name] }
  }
}
