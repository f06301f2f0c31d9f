public import JSON

/// A member of the reference OVS plugin or of the reference bridge plugin that `ovs-bridge` knows,
/// cannot honour, and finds switched on. It is refused: what an operator relies on must not be lost
/// in silence.
public struct UnsupportedMember: Hashable, Sendable {
  /// Those of which another value than the default is refused.
  public enum Member: String, JSONMember {
    case ipMasqBackend, hairpinMode, promiscMode, preserveDefaultVlan, deviceID
  }
  /// Where it is, and what it is: `hairpinMode: true is not supported`.
  public let fault: JSONDecodingError
  /// Why it cannot be honoured.
  public let reason: String

  /// All of them in a plugin's configuration.
  public static func all(in json: JSONCursor) -> [Self] {
    var found: [Self] = []
    func add(_ member: Member, _ value: String, _ reason: String) {
      found.append(Self(fault: json[member].error("\(value) is not supported"), reason: reason))
    }
    let flags = [
      (
        Member.hairpinMode,
        "an Open vSwitch bridge never sends a frame back to the port it came from"
      ),
      (.promiscMode, "an Open vSwitch bridge needs no promiscuous link"),
    ]
    for (member, reason) in flags where json[member].value == true {
      add(member, "true", reason)
    }
    // Without a VLAN of its own, a port of the reference plugin has its default VLAN anyway.
    let hasVLAN =
      !json[PortVLANs.Member.vlan].isAbsent && json[PortVLANs.Member.vlan].value != 0
      || !json[PortVLANs.Member.vlanTrunk].isAbsent
    if json[Member.preserveDefaultVlan].value == true, hasVLAN {
      add(
        .preserveDefaultVlan, "true",
        "a port of Open vSwitch is in no VLAN besides those of \"vlan\" and \"trunk\"")
    }
    if let device = json[Member.deviceID].value?.text, !device.isEmpty {
      add(.deviceID, "\"\(device)\"", "ports are veth pairs here, not functions of a PCI device")
    }
    if let backend = json[Member.ipMasqBackend].value?.text, !backend.isEmpty, backend != "nftables"
    {
      add(.ipMasqBackend, "\"\(backend)\"", "masquerading is done by \"nftables\"")
    }
    return found
  }
}
