package import Linux
internal import OVNNorthbound
internal import OVSDB
internal import PluginCore

/// The logical ports that one host has on a network, whichever attachments they are of.
///
/// They are taken away where that host is gone for good: one that lives loses its traffic.
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

  /// Takes them off their switches; returns their names.
  package func remove() throws(AttachmentError) -> [String] {
    let rows = try rows()
    try northbound.remove(rows.map { $0[.uuid] })
    return rows.map { $0[.name] }
  }
}
