public import Addresses
internal import CNI
public import JSON

/// The ranges that a configuration gives to `host-local` or `cluster`, seen by a plugin that asks
/// those for addresses. What cannot be read is for them to refuse.
public enum ConfiguredRanges {
  /// The most sets, and ranges in a set, that are looked at.
  private static let limit = 4096

  /// Every range: of `ipam` itself, of its `ranges`, and of `runtimeConfig.ipRanges`. None with
  /// another IPAM plugin.
  static func all(_ json: JSONCursor) throws(JSONDecodingError) -> [JSONCursor] {
    let ipam = json[PluginMember.ipam]
    guard let type = ipam[IPAMMember.type].value?.text, ["host-local", "cluster"].contains(type)
    else { return [] }
    var ranges = [ipam]
    let requested = json[PluginMember.runtimeConfig][Capability.ipRanges]
    for sets in [ipam[HostLocalConfiguration.Member.ranges], requested]
    where sets.value?.array != nil {
      for set in try sets.elements(atMost: limit) where set.value?.array != nil {
        ranges += try set.elements(atMost: limit)
      }
    }
    return ranges
  }

  /// Refuses a subnet all of whose addresses go to containers, where none is named for the gateway
  /// that the host is to be.
  static func requireGateways(_ json: JSONCursor) throws(JSONDecodingError) {
    for range in try all(json) {
      let member = range[AddressRange.Member.subnet]
      guard range[AddressRange.Member.gateway].isAbsent, let text = member.value?.text,
        let subnet = try? IPPrefix(text), subnet.length >= subnet.address.family.bits - 1
      else { continue }
      throw member.error(
        "\(subnet) has no address for a gateway besides those of containers; name one by "
          + "\"gateway\"")
    }
  }

  /// The gateway of every range, with the length of its subnet: the one that is named, else the
  /// first address of the subnet. Ranges that cannot be read have none here.
  public static func gateways(_ json: JSONCursor) throws(JSONDecodingError) -> [IPPrefix] {
    try all(json).compactMap { range in
      guard let text = range[AddressRange.Member.subnet].value?.text,
        let subnet = try? IPPrefix(text)
      else { return nil }
      let named = range[AddressRange.Member.gateway].value?.text.flatMap { IPAddress($0) }
      return (named ?? subnet.network.successor).flatMap { IPPrefix($0, length: subnet.length) }
    }
  }
}
