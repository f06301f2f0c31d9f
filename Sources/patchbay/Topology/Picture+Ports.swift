import Addresses
import Attachments
import Netlink
import PluginConfigurations
import PluginCore

extension Picture.Port {
  /// A port as the database has it, beside the links of this namespace.
  init(_ row: DatabaseReading.Port, of bridge: DatabaseReading.Bridge, on host: HostReading) {
    let externalIDs = row.externalIDs
    let gatewayAddresses = Set(row.gatewayMarks.map(\.prefix)).sorted {
      $0.description < $1.description
    }
    var problems = Self.blockades(row)
    let interfaces = row.interfaces.map { interface in
      let type = interface.type
      let link = host.link(interface.name)
      // Any other internal port may be meant to be down, or have its link in a container.
      let isOfHost =
        type == "system"
        || type == "internal" && (interface.name == bridge.name || !gatewayAddresses.isEmpty)
      problems += Self.problems(interface, isOfHost: isOfHost, isSystem: type == "system", link)
      if type == "internal", !gatewayAddresses.isEmpty, let link, !link.isUp {
        problems.append("link \(link.name), the gateway of a network, is down")
      }
      return Picture.Interface(
        name: interface.name, type: type, openFlowPort: interface.ofport,
        requestedPort: interface.ofportRequest, link: link,
        target: interface.options["peer"] ?? interface.options["remote_ip"])
    }
    let record = AttachmentRecord(externalIDs: { externalIDs[$0] })
    self.init(
      name: row.name, vlans: row.vlans, interfaces: interfaces, record: record,
      owner: externalIDs[AttachmentRecord.Key.owner],
      guarding: record == nil ? nil : externalIDs[AttachmentGuard.key].map { .init(mode: $0) },
      isIsolated: row.isProtected, mirrorRoles: bridge.mirrors.flatMap { $0.roles(of: row.name) },
      rates: Picture.Rates(row), gateway: Picture.Gateway(externalIDs),
      gatewayAddresses: gatewayAddresses, problems: problems)
  }

  /// Whether spanning tree keeps the port from forwarding.
  private static func blockades(_ row: DatabaseReading.Port) -> [String] {
    let state = row.status["stp_state"] ?? row.status["rstp_port_state"] ?? ""
    guard ["blocking", "listening", "learning", "discarding"].contains(state.lowercased()) else {
      return []
    }
    return ["spanning tree does not let the port forward: it is \(state.lowercased())"]
  }

  private static func problems(
    _ row: DatabaseReading.Interface, isOfHost: Bool, isSystem: Bool, _ link: Link?
  ) -> [String] {
    let name = row.name
    var problems: [String] = []
    if let error = row.error {
      problems.append("ovs-vswitchd cannot use interface \(name): \(error)")
    } else if row.ofport == nil {
      problems.append("ovs-vswitchd has not seen interface \(name) yet: is it running?")
    } else if row.ofport == -1 {
      problems.append("ovs-vswitchd cannot use interface \(name): its ofport is -1")
    } else if let wanted = row.ofportRequest, let given = row.ofport, wanted != given {
      problems.append(
        "interface \(name) asks for OpenFlow port \(wanted) and has \(given): another port has it")
    }
    // Those of other types have no link, or may have it in a container's namespace.
    guard isOfHost else { return problems }
    // Where there is no link, ovs-vswitchd says so, too, once it has noticed.
    guard let link else { return problems.isEmpty ? ["there is no link \(name) here"] : problems }
    guard isSystem else { return problems }
    let index = row.index ?? 0
    if index != 0, index != Int64(link.index) {
      problems.append(
        "ovs-vswitchd uses a link with index \(index), but \(name) has index \(link.index)")
    } else if index == 0, row.error == nil, row.ofport != nil {
      problems.append("ovs-vswitchd does not see the link \(name), which has index \(link.index)")
    }
    if !link.isUp { problems.append("link \(name) is down") }
    return problems
  }
}
