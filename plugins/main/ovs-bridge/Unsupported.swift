import CNI
import JSON

/// Members of the reference OVS plugin and of the reference bridge plugin that this plugin knows
/// and cannot honour. Switched on, they are refused: what an operator relies on must not be lost in
/// silence.
enum Unsupported {
  static func refuse(_ json: JSONCursor) throws(CNIError) {
    let flags = [
      ("hairpinMode", "an Open vSwitch bridge never sends a frame back to the port it came from"),
      ("promiscMode", "an Open vSwitch bridge needs no promiscuous link"),
      ("macspoofchk", "addresses are not policed here; leave it out or set it to false"),
    ]
    for (name, reason) in flags where json[name].value == true {
      throw CNIError(.unsupportedField, "\(name): true is not supported", details: reason)
    }
    // Without a VLAN of its own, a port of the reference plugin has its default VLAN anyway.
    let hasVLAN = !json["vlan"].isAbsent && json["vlan"].value != 0 || !json["vlanTrunk"].isAbsent
    if json["preserveDefaultVlan"].value == true, hasVLAN {
      throw CNIError(
        .unsupportedField, "preserveDefaultVlan: true is not supported",
        details: "a port of Open vSwitch is in no VLAN besides those of \"vlan\" and \"trunk\"")
    }
    if let device = json["deviceID"].value?.text, !device.isEmpty {
      throw CNIError(
        .unsupportedField, "deviceID: \"\(device)\" is not supported",
        details: "ports are veth pairs here, not functions of a PCI device")
    }
    if let backend = json["ipMasqBackend"].value?.text, !backend.isEmpty, backend != "nftables" {
      throw CNIError(
        .unsupportedField, "ipMasqBackend: \"\(backend)\" is not supported",
        details: "masquerading is done by \"nftables\"")
    }
  }
}
