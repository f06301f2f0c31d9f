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
      let capabilities = json[PluginMember.capabilities]
      if !capabilities.isAbsent {
        for (_, value) in try capabilities.members { let _: Bool = try value.decode() }
      }
      let ipam = json[PluginMember.ipam]
      if !ipam.isAbsent {
        _ = try ipam.members
        let type: String = try ipam[IPAMMember.type].decodeIfPresent() ?? ""
        if type.contains("/") || type == "." || type == ".." {
          throw ipam[IPAMMember.type].error(
            "\"\(type)\" is not the name of an executable, which is looked up in CNI_PATH")
        }
      }
      let _: DNS? = try json[PluginMember.dns].decodeIfPresent()
      if !json[PluginMember.prevResult].isAbsent { _ = try json[PluginMember.prevResult].members }
    },
    members: [
      (["dns"], DNS.Member.names), (["ipam", "dns"], DNS.Member.names),
      (["ipam", "routes", "*"], Route.Member.names),
    ])

  /// The members of every plugin of this project.
  static let ownMembers =
    PluginMember.names + NetworkConfiguration.Member.names + LogSettings.Member.names

  /// What every plugin of this project has.
  private static let own = PluginDecoder(
    applies: { ownTypes.contains($0[PluginMember.type].value?.text ?? "") },
    decode: { (json) throws(JSONDecodingError) in
      let _: UInt32? = try json[NetworkConfiguration.Member.timeout].decodeIfPresent(in: 1...3600)
      _ = try LogSettings(json)
      let _: Bool? = try json[NetworkConfiguration.Member.ignoreArgs].decodeIfPresent()
    },
    members: [])

  static let loopback = PluginDecoder(
    applies: { $0[PluginMember.type].value == "loopback" }, decode: { _ in },
    members: [([], ownMembers)])

  static let ovsBridge = PluginDecoder(
    applies: { $0[PluginMember.type].value == "ovs-bridge" },
    decode: { (json) throws(JSONDecodingError) in
      _ = try OVSBridgeConfiguration(json)
      let _: String? = try json[FlatFile.Member.path].decodeIfPresent()
      try checkRequests(json)
    },
    members: [
      (
        [],
        ownMembers + OVSBridgeConfiguration.Member.names + OVSBridgeConfiguration.PortMember.names
          + PortVLANs.Member.names + GuardConfiguration.Member.names
          + UnsupportedMember.Member.names + FlatFile.Member.names
      ),
      (["bandwidth"], Bandwidth.Member.names), (["guard"], GuardConfiguration.Detail.names),
      (["guard", "allowed", "*"], GuardConfiguration.Allowed.Member.names),
      (["trunk", "*"], PortVLANs.TrunkMember.names),
      (["vlanTrunk", "*"], PortVLANs.TrunkMember.names),
    ],
    others: bridgeFaults)

  /// Refuses what users request of a main plugin by `args`, and cannot.
  static func checkRequests(_ json: JSONCursor) throws(JSONDecodingError) {
    let mac = json.requests[Capability.mac]
    if mac.value != "" { let _: MACAddress? = try mac.decodeIfPresent() }
    let _: String? = try json.requests[RequestMember.ovnPort].decodeIfPresent()
  }

  static func mirror(_ role: MirrorConfiguration.Role) -> PluginDecoder {
    PluginDecoder(
      applies: { $0[PluginMember.type].value == .string("ovs-mirror-\(role.rawValue)") },
      decode: { (json) throws(JSONDecodingError) in
        _ = try MirrorConfiguration(json, for: role)
        let _: String? = try json[FlatFile.Member.path].decodeIfPresent()
      },
      members: [
        ([], ownMembers + MirrorConfiguration.Member.names + FlatFile.Member.names),
        (["mirrors", "*"], MirrorConfiguration.Mirror.Member.names),
      ],
      others: mirrorFaults)
  }

  static let portmap = PluginDecoder(
    applies: { $0[PluginMember.type].value == "portmap" },
    decode: { (json) throws(JSONDecodingError) in
      if let invalid = try PortmapConfiguration(json).invalidPort { throw invalid.fault }
    },
    members: [([], ownMembers + PortmapConfiguration.Member.names)], others: portmapFaults)

  static let hostLocal = PluginDecoder(
    applies: { $0[PluginMember.ipam][IPAMMember.type].value == "host-local" },
    decode: { (json) throws(JSONDecodingError) in
      let ipam = json[PluginMember.ipam]
      let comesLater = json[PluginMember.capabilities][Capability.ipRanges].value == true
      // Ranges that the runtime gives are not there yet.
      if comesLater, ipam[HostLocalConfiguration.Member.ranges].isAbsent,
        ipam[AddressRange.Member.subnet].isAbsent
      {
        _ = try ipam[HostLocalConfiguration.Member.dataDir].decodeIfPresent(String.self)
        _ = try ipam[HostLocalConfiguration.Member.reclaimAfterReboot].decodeIfPresent(Bool.self)
      } else {
        _ = try HostLocalConfiguration(json)
      }
    },
    members: [
      (["ipam"], hostLocalMembers),
      (["ipam", "ranges", "*", "*"], AddressRange.Member.names),
      (["ipam", "reservations", "*"], Reservation.Member.names),
    ], others: hostLocalFaults)

  static let hostLocalMembers =
    AddressRange.Member.names + IPAMMember.names + HostLocalConfiguration.Member.names

  static let fixed = PluginDecoder(
    applies: { $0[PluginMember.ipam][IPAMMember.type].value == "static" },
    decode: { (json) throws(JSONDecodingError) in _ = try StaticConfiguration(json) },
    members: [
      (["ipam"], IPAMMember.names + StaticConfiguration.Member.names),
      (["ipam", "addresses", "*"], StaticConfiguration.AddressMember.names),
    ], others: staticFaults)
}

extension JSONMember {
  /// Those of all cases.
  static var names: [String] { allCases.map(\.rawValue) }
}
