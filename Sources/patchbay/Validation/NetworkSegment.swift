import Addresses
import CNI
import CNIRuntime
import JSON
import PluginConfigurations

/// What the networks of one configuration put on a bridge and VLAN, to be compared with those of
/// others: two networks that give the same addresses there give one address twice.
struct NetworkSegment {
  private let network: String
  private let file: String
  private let bridge: String
  private let vlan: UInt16
  private let ranges: [(place: String, range: IPRange)]
  /// Where leases are kept; two networks that share them give no address twice.
  private let store: String

  /// The segments of `ovs-bridge` in a list; what cannot be read of it is left out.
  static func all(of json: JSONValue, in file: String) -> [NetworkSegment] {
    let root = JSONCursor(json)
    guard let name = root[NetworkList.Member.name].value?.text else { return [] }
    return ((try? root[NetworkList.Member.plugins].elements) ?? []).compactMap { plugin in
      guard plugin[PluginMember.type].value?.text == "ovs-bridge",
        let bridge = plugin[OVSBridgeConfiguration.Member.bridge].value?.text,
        let vlans = try? PortVLANs(plugin)
      else { return nil }
      var object = plugin.value?.object ?? JSONObject()
      object[PluginMember.name] = .string(name)
      object[PluginMember.cniVersion] = .string(SpecificationVersion.v1_0_0.rawValue)
      let whole = JSONCursor(.object(object))
      var ranges: [(place: String, range: IPRange)] = []
      var store = ""
      switch plugin[PluginMember.ipam][IPAMMember.type].value?.text {
      case "host-local":
        guard let configuration = try? HostLocalConfiguration(whole) else { return nil }
        store = "\(configuration.dataDirectory)/\(name)"
        ranges = configuration.sets.flatMap(\.ranges).map {
          ("\(plugin.path).\($0.path)", $0.range)
        }
      case "static":
        guard let configuration = try? StaticConfiguration(whole) else { return nil }
        for (index, address) in configuration.addresses.enumerated() {
          guard let range = IPRange(address.address.address, address.address.address) else {
            continue
          }
          ranges.append(("\(plugin.path).ipam.addresses[\(index)]", range))
        }
      default: return nil
      }
      return NetworkSegment(
        network: name, file: file, bridge: bridge, vlan: vlans.tag ?? 0, ranges: ranges,
        store: store)
    }
  }

  /// Warnings of addresses that an `earlier` segment has, too.
  func overlaps(with earlier: NetworkSegment) -> [Fault] {
    guard bridge == earlier.bridge, vlan == earlier.vlan, store.isEmpty || store != earlier.store
    else { return [] }
    return ranges.compactMap { place, range in
      guard let other = earlier.ranges.first(where: { range.overlaps($0.range) }) else {
        return nil
      }
      return Fault(
        .warning,
        "\(place): \(Self.text(range)) overlaps with \(other.range) of network "
          + "\"\(earlier.network)\" in \(earlier.file), on the same bridge and VLAN: an address "
          + "can be given twice")
    }
  }

  private static func text(_ range: IPRange) -> String {
    range.first == range.last ? range.first.description : range.description
  }
}
