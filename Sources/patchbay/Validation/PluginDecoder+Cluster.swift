import CNI
import JSON
import PluginConfigurations

/// The plugins whose state all hosts share.
extension PluginDecoder {
  static let cluster = PluginDecoder(
    applies: { $0[PluginMember.ipam][IPAMMember.type].value == "cluster" },
    decode: { (json) throws(JSONDecodingError) in
      let ipam = json[PluginMember.ipam]
      let comesLater = json[PluginMember.capabilities][Capability.ipRanges].value == true
      let mayLackRanges =
        comesLater && ipam[HostLocalConfiguration.Member.ranges].isAbsent
        && ipam[AddressRange.Member.subnet].isAbsent
      _ = try ClusterConfiguration(json, for: mayLackRanges ? .status : .add)
    },
    members: [
      (
        ["ipam"],
        hostLocalMembers.filter { $0 != HostLocalConfiguration.Member.dataDir.rawValue }
          + ClusterConfiguration.Member.names
      ),
      (["ipam", "ranges", "*", "*"], AddressRange.Member.names),
      (["ipam", "reservations", "*"], Reservation.Member.names),
    ], others: strayGateways)

  static let ovn = PluginDecoder(
    applies: { $0[PluginMember.type].value == "ovn" },
    decode: { (json) throws(JSONDecodingError) in
      _ = try OVNConfiguration(json)
      try checkRequests(json)
    },
    members: [
      (
        [], ownMembers + OVNConfiguration.Member.names + OVSBridgeConfiguration.PortMember.names
      ),
      (["bandwidth"], Bandwidth.Member.names),
    ], others: ovnFaults)

  private static func ovnFaults(_ json: JSONCursor, _ document: JSONCursor) -> [Fault] {
    guard json[OVNConfiguration.Member.switch].value?.text?.isEmpty ?? true else { return [] }
    let reason = "missing; without it only an attachment with OvnPort in CNI_ARGS is made"
    return [Fault(.warning, json[OVNConfiguration.Member.switch].error(reason).description)]
  }
}
