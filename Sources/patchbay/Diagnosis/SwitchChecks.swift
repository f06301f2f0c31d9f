import CNI
import PluginCore
import Addresses
import Attachments
import Linux
import Netlink
import OpenVSwitch
import Unixctl

/// Checks of Open vSwitch as a whole, and of single ports; `trace` and `doctor` have them in
/// common.
enum SwitchChecks {
  /// Whether ovs-vswitchd is there and has taken the configuration over.
  static func check(_ host: HostReading, _ findings: inout Findings) {
    guard host.control != nil else {
      let effect =
        host.bridges.contains { $0.datapath == .netdev }
        ? "nothing is forwarded on the userspace datapath"
        : "nothing new is forwarded"
      let reason = host.silence.map { " (\($0))" } ?? ""
      findings.fault(
        "vswitchd-dead", "Open vSwitch",
        "ovs-vswitchd does not respond, so \(effect)\(reason).",
        remedy: SwitchService.restart)
      return
    }
    guard host.root.currentConfiguration >= host.root.nextConfiguration else {
      findings.fault(
        "cfg-behind", "Open vSwitch",
        "ovs-vswitchd has not taken over the last changes (cur_cfg "
          + "\(host.root.currentConfiguration), next_cfg \(host.root.nextConfiguration)).",
        remedy: SwitchService.log)
      return
    }
    let version = host.version.map { "\($0) " } ?? ""
    findings.good(
      "ovs", "Open vSwitch", "\(version)responds, and has taken over the last changes")
  }

  /// Whether ovs-vswitchd has the port's link: the checks that hold for ports of others, too, of
  /// which there is no attachment. That of one has its sandbox, so `gc` would leave it.
  static func check(
    _ port: DatabaseReading.Port, of attachment: AttachmentReading?, _ host: HostReading,
    _ findings: inout Findings
  ) {
    for interface in port.interfaces where interface.type == "system" {
      let remedy =
        attachment.map { $0.reattaching }
        ?? "ovs-vsctl --if-exists del-port \(port.name.shellWord)"
      guard let link = host.link(interface.name) else {
        if let renamed = attachment.flatMap({ host.renamedLink(of: $0) }) {
          findings.fault(
            "stale-port", interface.name,
            "The link \(interface.name) is called \(renamed) now; its port is left over.",
            remedy: "ip link set \(renamed.shellWord) down && "
              + "ip link set \(renamed.shellWord) name \(interface.name.shellWord) && "
              + "ip link set \(interface.name.shellWord) up")
          continue
        }
        findings.fault(
          "stale-port", interface.name,
          "The link \(interface.name) is gone; its port is left over.", remedy: remedy)
        continue
      }
      if let error = interface.error {
        findings.fault(
          "port-error", interface.name,
          "ovs-vswitchd cannot use \(interface.name): \(error).", remedy: remedy)
      } else if interface.ofport == nil {
        findings.fault(
          "port-unseen", interface.name,
          "ovs-vswitchd has not seen \(interface.name) yet.",
          remedy: SwitchService.restart)
      } else if interface.ofport == -1 {
        findings.fault(
          "port-error", interface.name,
          "ovs-vswitchd cannot use \(interface.name): its ofport is -1.", remedy: remedy)
      } else if let index = interface.index, index != Int64(link.index) {
        findings.fault(
          "stale-port", interface.name,
          "ovs-vswitchd uses an earlier link called \(interface.name) (index \(index); now it is "
            + "\(link.index)).", remedy: remedy)
      } else if !link.isUp {
        findings.fault(
          "host-end-down", interface.name, "The link \(interface.name) is down.",
          remedy: "ip link set \(interface.name.shellWord) up")
      }
    }
  }

  /// Whether the attachment is there as it was made: its sandbox, its link, its addresses.
  static func check(
    _ attachment: AttachmentReading, _ host: HostReading, _ findings: inout Findings
  ) {
    let name = attachment.name
    let interface = attachment.record.attachment.interfaceName
    let network = attachment.record.network
    let end: AttachmentReading.Inside
    switch attachment.inside {
    case .success(let inside): end = inside
    case .failure(.sandboxGone), .failure(.notANamespace):
      findings.fault(
        "stale-sandbox", name, "The namespace of \(name) is gone; its port is left over.",
        remedy: "patchbay gc \(network)")
      return
    case .failure(.linkMissing):
      let place = attachment.hostLink.flatMap { PeerSearch(host).place(of: $0)?.text }
      findings.fault(
        "link-missing", name,
        "\(name) has no link \(interface): "
          + (place.map { "it is \($0) now." } ?? "it was deleted or moved away."),
        remedy: attachment.reattaching)
      return
    case .failure(.unreadable(let reason)):
      findings.skipped("sandbox-unreadable", name, "\(name) cannot be looked into: \(reason)")
      return
    }
    let before = findings.faults.count
    check(attachment.port, of: attachment, host, &findings)
    if !end.link.isUp {
      findings.fault(
        "link-down", name, "The link \(interface) in \(name) is down.",
        remedy: "\(attachment.entering) ip link set \(interface.shellWord) up")
    } else if !end.link.hasCarrier, attachment.hostLink?.isUp ?? false {
      findings.fault("no-carrier", name, "The link \(interface) in \(name) has no carrier.")
    }
    checkAddresses(attachment, end, &findings)
    if let given = attachment.record.mac, let mac = end.link.mac,
      let other = MACAddress(given), other != mac
    {
      findings.doubt(
        "mac-changed", name, "\(name) has the MAC address \(mac), and was given \(given).",
        remedy: "\(attachment.entering) ip link set \(interface.shellWord) address \(given)")
    }
    guard findings.faults.count == before else { return }
    let addresses = attachment.addressTexts
    let facts =
      (addresses.isEmpty ? ["no address"] : addresses)
      + [end.link.mac.map { "mac \($0)" }, "MTU \(end.link.mtu)"].compactMap { $0 }
    findings.good("end", name, "\(interface) is up, \(facts.joined(separator: ", "))")
  }

  private static func checkAddresses(
    _ attachment: AttachmentReading, _ end: AttachmentReading.Inside,
    _ findings: inout Findings
  ) {
    let name = attachment.name
    let interface = attachment.record.attachment.interfaceName
    let there = end.addresses.map(\.prefix.description)
    for address in attachment.record.addresses where !there.contains(address) {
      findings.fault(
        "address-missing", name, "\(name) no longer has its address \(address).",
        remedy:
          "\(attachment.entering) ip address add \(address.shellWord) dev \(interface.shellWord)")
    }
    for address in end.addresses where address.isDuplicate {
      findings.fault(
        "dad-failed", name,
        "Another host has the address \(address.prefix.address) of \(name), so it is not used; "
          + "once that host has given it up:",
        remedy:
          "\(attachment.entering) sh -c 'ip address del \(address.prefix) dev \(interface); "
          + "ip address add \(address.prefix) dev \(interface)'")
    }
  }

  /// Whether two attachments of one segment have the same address or MAC address.
  static func checkDuplicates(
    _ subjects: [AttachmentReading], _ host: HostReading, _ findings: inout Findings
  ) {
    var seen: Set<String> = []
    for one in subjects {
      guard let end = one.end else { continue }
      for other in host.attachments where other.port.name != one.port.name {
        guard other.bridge.name == one.bridge.name,
          other.port.vlans.native == one.port.vlans.native,
          let otherEnd = other.end
        else { continue }
        let pair = [one.name, other.name].sorted().joined(separator: " and ")
        for address in end.addresses.map(\.prefix.address) where !address.isLinkLocal {
          guard let twin = otherEnd.addresses.first(where: { $0.prefix.address == address }),
            seen.insert("\(pair) \(address)").inserted
          else { continue }
          // The one whose address was not recorded has it beside what it was given.
          let intruder =
            other.record.addresses.contains(twin.prefix.description) ? one : other
          findings.fault(
            "duplicate-address", pair, "\(pair) both have the address \(address).",
            remedy: intruder.givingUp(intruder.prefix(of: address) ?? twin.prefix.description))
        }
        guard let mac = end.link.mac, mac == otherEnd.link.mac,
          seen.insert("\(pair) \(mac)").inserted
        else { continue }
        let intruder = other.record.mac == mac.description ? one : other
        // The switch may have learned the address at the intruder's port, until the other one
        // sends.
        findings.fault(
          "duplicate-mac", pair, "\(pair) both have the MAC address \(mac).",
          remedy: intruder.record.mac.map {
            "\(intruder.entering) ip link set \(intruder.record.attachment.interfaceName) "
              + "address \($0) && ovs-appctl fdb/flush \(one.bridge.name)"
          })
      }
    }
  }
}

extension HostReading {
  /// The name of a link that says by its alias that it is the attachment's host end.
  fileprivate func renamedLink(of attachment: AttachmentReading) -> String? {
    let text = attachment.text
    return links.first { HostLink.attachmentText($0.alias) == text }?.name
  }
}

extension AttachmentReading {
  /// `NETWORK/CONTAINERID/INTERFACE`
  var text: String {
    let attachment = record.attachment
    return "\(record.network)/\(attachment.containerID)/\(attachment.interfaceName)"
  }

  /// The addresses of the container end, or those it was given; without link-local ones.
  var addressTexts: [String] {
    (addresses(.v4) + addresses(.v6)).map(\.description)
  }

  fileprivate func prefix(of address: IPAddress) -> String? {
    end?.addresses.first { $0.prefix.address == address }?.prefix.description
  }

  /// The command that takes `prefix` from the container end.
  ///
  /// With the first IPv4 address of a subnet go those that came after it, unless
  /// net.ipv4.conf.*.promote_secondaries is set; those that were given are put there again.
  fileprivate func givingUp(_ prefix: String) -> String {
    let present = end?.addresses.map(\.prefix.description) ?? []
    let position = present.firstIndex(of: prefix) ?? 0
    let lost = record.addresses.filter { address in
      !address.contains(":") && (present.firstIndex(of: address) ?? .max) > position
    }
    let steps = ["del \(prefix)"] + (prefix.contains(":") ? [] : lost.map { "replace \($0)" })
    return steps.map {
      "\(entering) ip address \($0) dev \(record.attachment.interfaceName.shellWord)"
    }.joined(separator: " && ")
  }
}

extension VLANs {
  /// The VLAN of frames without tag: 0 where it is none.
  var native: Int64 { mode == "trunk" ? 0 : tag ?? 0 }

  /// Whether the port takes part in `vlan`, and whether frames of it leave with a tag.
  func carries(_ vlan: Int64) -> Bool {
    switch mode {
    case "access"?: vlan == (tag ?? 0)
    case nil where tag != nil: vlan == tag
    case "native-tagged"?, "native-untagged"?:
      vlan == tag || trunks.isEmpty || trunks.contains(vlan)
    default: trunks.isEmpty || trunks.contains(vlan)
    }
  }
}
