import JSON
import PluginConfigurations

/// The plugins whose state all hosts share.
extension PluginDecoder {
  static let cluster = PluginDecoder(
    applies: { $0["ipam"]["type"].value == "cluster" },
    decode: { (json) throws(JSONDecodingError) in
      let ipam = json["ipam"]
      let comesLater = json["capabilities"]["ipRanges"].value == true
      _ = try ClusterConfiguration(
        json,
        mayLackRanges: comesLater && ipam["ranges"].isAbsent && ipam["subnet"].isAbsent)
    },
    members: [
      (["ipam"], MemberNames.cluster), (["ipam", "ranges", "*", "*"], MemberNames.range),
      (["ipam", "reservations", "*"], MemberNames.reservation),
    ], others: strayGateways)

  static let ovn = PluginDecoder(
    applies: { $0["type"].value == "ovn" },
    decode: { (json) throws(JSONDecodingError) in
      _ = try OVNConfiguration(json)
      try checkRequests(json)
    },
    members: [([], MemberNames.ovn), (["bandwidth"], MemberNames.bandwidth)], others: ovnFaults)

  private static func ovnFaults(_ json: JSONCursor, _ document: JSONCursor) -> [Fault] {
    guard json["switch"].value?.text?.isEmpty ?? true else { return [] }
    let reason = "missing; without it only an attachment with OvnPort in CNI_ARGS is made"
    return [Fault(.warning, json["switch"].error(reason).description)]
  }
}
