import Addresses
import CNI
import JSON
import PluginConfigurations
import PluginCore

/// What knows the members of some plugins: their decoder, and how they are spelt.
struct PluginDecoder: Sendable {
  /// Whether it is for the plugin at this position.
  let applies: @Sendable (JSONCursor) -> Bool
  /// Throws the first fault of the plugin at this position.
  let decode: @Sendable (JSONCursor) throws(JSONDecodingError) -> Void
  /// The names of members at a path below the plugin; `*` stands for every element.
  let members: [(path: [String], names: [String])]
  /// What is wrong besides, with a plugin of a document, though the decoder does not stop at it.
  var others: @Sendable (_ plugin: JSONCursor, _ document: JSONCursor) -> [Fault] = { _, _ in [] }

  /// The decoders, one for each plugin of this project, and those for more of them.
  static let all = [
    any, own, loopback, ovsBridge, ovn, hostLocal, cluster, fixed, mirror(.producer),
    mirror(.consumer), portmap,
  ]

  /// The plugins of this project, by `type` or by `ipam.type`.
  private static let ownTypes = [
    "ovs-bridge", "ovn", "loopback", "host-local", "cluster", "static", "ovs-mirror-producer",
    "ovs-mirror-consumer",
    "portmap",
  ]

  /// What every plugin has.
  private static let any = PluginDecoder(
    applies: { _ in true },
    decode: { (json) throws(JSONDecodingError) in
      let capabilities = json["capabilities"]
      if !capabilities.isAbsent {
        for (_, value) in try capabilities.members { let _: Bool = try value.decode() }
      }
      let ipam = json["ipam"]
      if !ipam.isAbsent {
        _ = try ipam.members
        let type: String = try ipam["type"].decodeIfPresent() ?? ""
        if type.contains("/") || type == "." || type == ".." {
          throw ipam["type"].error(
            "\"\(type)\" is not the name of an executable, which is looked up in CNI_PATH")
        }
      }
      let _: DNS? = try json["dns"].decodeIfPresent()
      if !json["prevResult"].isAbsent { _ = try json["prevResult"].members }
    },
    members: [
      (["dns"], MemberNames.dns), (["ipam", "dns"], MemberNames.dns),
      (["ipam", "routes", "*"], MemberNames.route),
    ])

  /// What every plugin of this project has.
  private static let own = PluginDecoder(
    applies: { ownTypes.contains($0["type"].value?.text ?? "") },
    decode: { (json) throws(JSONDecodingError) in
      let _: UInt32? = try json["timeout"].decodeIfPresent(in: 1...3600)
      let _: LogLevel? = try json["logLevel"].decodeIfPresent()
      if let path: String = try json["logFile"].decodeIfPresent(), !path.hasPrefix("/") {
        throw json["logFile"].error("\"\(path)\" is not an absolute path")
      }
      let _: Bool? = try json["ignoreArgs"].decodeIfPresent()
    },
    members: [])

  static let loopback = PluginDecoder(
    applies: { $0["type"].value == "loopback" }, decode: { _ in },
    members: [([], MemberNames.own)])

  static let ovsBridge = PluginDecoder(
    applies: { $0["type"].value == "ovs-bridge" },
    decode: { (json) throws(JSONDecodingError) in
      _ = try OVSBridgeConfiguration(json)
      let _: String? = try json["configuration_path"].decodeIfPresent()
      try checkRequests(json)
    },
    members: [
      ([], MemberNames.ovsBridge), (["bandwidth"], MemberNames.bandwidth),
      (["guard"], MemberNames.guarded), (["guard", "allowed", "*"], MemberNames.allowed),
      (["trunk", "*"], MemberNames.trunk), (["vlanTrunk", "*"], MemberNames.trunk),
    ],
    others: bridgeFaults)

  /// Refuses what users request of a main plugin by `args`, and cannot.
  static func checkRequests(_ json: JSONCursor) throws(JSONDecodingError) {
    let requests = json["args"]["cni"]
    if requests["mac"].value != "" { let _: MACAddress? = try requests["mac"].decodeIfPresent() }
    let _: String? = try requests["ovnPort"].decodeIfPresent()
  }

  static func mirror(_ role: MirrorConfiguration.Role) -> PluginDecoder {
    PluginDecoder(
      applies: { $0["type"].value == .string("ovs-mirror-\(role.rawValue)") },
      decode: { (json) throws(JSONDecodingError) in
        _ = try MirrorConfiguration(json, for: role)
        let _: String? = try json["configuration_path"].decodeIfPresent()
      },
      members: [([], MemberNames.mirrors), (["mirrors", "*"], MemberNames.mirror)],
      others: mirrorFaults)
  }

  static let portmap = PluginDecoder(
    applies: { $0["type"].value == "portmap" },
    decode: { (json) throws(JSONDecodingError) in
      if let invalid = try PortmapConfiguration(json).invalidPort { throw invalid.fault }
    },
    members: [([], MemberNames.portmap)], others: portmapFaults)

  static let hostLocal = PluginDecoder(
    applies: { $0["ipam"]["type"].value == "host-local" },
    decode: { (json) throws(JSONDecodingError) in
      let ipam = json["ipam"]
      let comesLater = json["capabilities"]["ipRanges"].value == true
      // Ranges that the runtime gives are not there yet.
      if comesLater, ipam["ranges"].isAbsent, ipam["subnet"].isAbsent {
        _ = try ipam["dataDir"].decodeIfPresent(String.self)
        _ = try ipam["reclaimAfterReboot"].decodeIfPresent(Bool.self)
      } else {
        _ = try HostLocalConfiguration(json)
      }
    },
    members: [
      (["ipam"], MemberNames.hostLocal), (["ipam", "ranges", "*", "*"], MemberNames.range),
      (["ipam", "reservations", "*"], MemberNames.reservation),
    ], others: hostLocalFaults)

  static let fixed = PluginDecoder(
    applies: { $0["ipam"]["type"].value == "static" },
    decode: { (json) throws(JSONDecodingError) in _ = try StaticConfiguration(json) },
    members: [
      (["ipam"], MemberNames.fixed), (["ipam", "addresses", "*"], ["address", "gateway"]),
    ], others: staticFaults)
}
