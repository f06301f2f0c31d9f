import Addresses
import Attachments
import JSON
import Linux
import Netlink
import PluginConfigurations
import PluginCore

extension Picture {
  /// The host as an attachment's gateway.
  struct Gateway: Hashable {
    /// The port that has the gateway's address.
    let port: String
    /// That port's addresses.
    var addresses: [IPPrefix] = []
    /// Whether what leaves the network has the host's address.
    let isMasqueraded: Bool
    /// Whether the host's own forward chains are left alone.
    let leavesForwarding: Bool

    /// What the row of an attachment says; nil where the host is not its gateway.
    init?(_ externalIDs: [String: String]) {
      guard let port = externalIDs[ExternalIDKey.gateway.rawValue] else { return nil }
      self.port = port
      isMasqueraded = Masquerading.isRecorded(externalIDs)
      leavesForwarding = Forward.isLeft(externalIDs)
    }

    /// `10.1.0.1/24 on OVS-1`, `masquerade`, `forward leave`
    var facts: [String] {
      var places = addresses.map(\.description)
      if let last = places.popLast() { places.append("\(last) on \(port)") }
      return (places.isEmpty ? [port] : places)
        + (isMasqueraded ? ["masquerade"] : []) + (leavesForwarding ? ["forward leave"] : [])
    }

    var json: JSONValue {
      .object([
        ("port", .string(port)),
        ("addresses", .array(addresses.map { .string($0.description) })),
        ("masquerade", isMasqueraded ? true : nil),
        ("forward", leavesForwarding ? "leave" : "accept"),
      ])
    }
  }
}

extension Picture.Port {
  /// Reads the addresses that a gateway's link has here, and finds those that it lacks.
  mutating func readGateway(_ host: HostReading) {
    guard !gatewayAddresses.isEmpty, let link = interfaces.first?.link else { return }
    hostAddresses = host.addresses(of: link.index).map(\.prefix)
    let missing = gatewayAddresses.filter { !hostAddresses.contains($0) }
    guard !missing.isEmpty else { return }
    let list = missing.map(\.description).joined(separator: ", ")
    problems.append("link \(link.name) lacks the gateway's address \(list)")
  }

  /// The VLAN of its untagged frames, in which it has its neighbours.
  fileprivate var segment: String {
    "\(vlans.mode == "dot1q-tunnel" ? "tunnel " : "")\(vlans.tag ?? 0)"
  }

  /// The addresses that it has in its segment: what its container end has, else what it was given.
  fileprivate var presentAddresses: [IPAddress] {
    let texts =
      hostAddresses
      + (container.map(\.addresses) ?? (record?.addresses ?? []).compactMap { try? IPPrefix($0) })
    return texts.map(\.address).filter { !$0.description.hasPrefix("fe80:") }
  }

  fileprivate var presentMAC: MACAddress? {
    if let container { return container.link.mac }
    if !gatewayAddresses.isEmpty { return interfaces.first?.link?.mac }
    return record?.mac.flatMap { MACAddress($0) }
  }
}

extension Picture.Bridge {
  /// Finds addresses and MAC addresses that two ports of one VLAN have.
  mutating func findTwins() {
    var addresses: [String: [Int]] = [:]
    for (index, port) in ports.enumerated() {
      let texts = port.presentAddresses.map { "address \($0)" }
      let mac = port.presentMAC.map { ["MAC address \($0)"] } ?? []
      for text in Set(texts + mac) {
        addresses["\(port.segment)/\(text)", default: []].append(index)
      }
    }
    for (key, indices) in addresses.sorted(by: { $0.key < $1.key }) where indices.count > 1 {
      let text = key.split(separator: "/", maxSplits: 1).last ?? ""
      for index in indices {
        let others = indices.filter { $0 != index }.map { ports[$0].name }
        let names = others.prefix(3).joined(separator: ", ") + (others.count > 3 ? ", …" : "")
        ports[index].problems.append(
          "\(text) is also that of \(names), on the same bridge and VLAN")
      }
    }
  }
}
