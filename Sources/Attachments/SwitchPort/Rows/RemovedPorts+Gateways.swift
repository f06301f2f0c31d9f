internal import Linux
internal import OVSDB
internal import OpenVSwitch
internal import PluginCore

extension Connection {
  /// Takes ports of attachments off their bridges, and with the last of a gateway the gateway: the
  /// port where it is ours, else what was put on it.
  ///
  /// The rows of the rates of `attachments`, whose ports go or are gone, go too.
  ///
  /// - Parameters:
  ///   - gateway: The port of a gateway that stays, because this command is about to use it.
  ///   - isAwaited: Whether the commits say when ovs-vswitchd has let go of the ports' links.
  func remove(
    _ rows: [Row<PortTable>], ratesOf attachments: Set<AttachmentKey>, _ comment: String,
    keeping gateway: String? = nil, isAwaited: Bool = false, until deadline: Deadline
  ) throws(OVSDBError) -> RemovedPorts {
    try deleteRates(of: attachments, until: deadline)
    var removed = RemovedPorts()
    var plain: [Reference] = []
    var departures: [GatewayDeparture] = []
    for row in rows {
      let network = row[.externalIDs][AttachmentRecord.Key.network] ?? ""
      guard let name = row[.externalIDs][GatewayRow.key], name != gateway else {
        plain.append(row[.uuid])
        continue
      }
      let member = GatewayDeparture.Member(reference: row[.uuid], name: row[.name])
      if let index = departures.firstIndex(where: { $0.port == name && $0.network == network }) {
        departures[index].members.append(member)
      } else {
        departures.append(GatewayDeparture(port: name, network: network, members: [member]))
      }
    }
    if !plain.isEmpty {
      let removal = Detaching.remove(plain, comment)
      if isAwaited {
        removed.commits.append(try begin(removal).confirm(until: deadline))
      } else {
        _ = try transact(removal, until: deadline)
      }
    }
    for departure in departures {
      try departure.leave(self, comment, &removed, until: deadline)
    }
    return removed
  }
}
