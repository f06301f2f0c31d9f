internal import CNI
public import JSON

/// How a port of an Open vSwitch bridge treats VLANs (ovs-vswitchd.conf.db(5), table Port, "VLAN
/// Configuration"), from the members `vlan`, `trunk`, `vlanTrunk` and `vlanMode`.
public struct PortVLANs: Hashable, Sendable {
  /// The values of the column `vlan_mode`.
  public enum Mode: String, Hashable, Sendable, CaseIterable, JSONDecodable {
    /// Frames without tag, which belong to one VLAN.
    case access
    /// Tagged frames of some VLANs, or of all.
    case trunk
    /// A trunk whose native VLAN is tagged on the port too.
    case nativeTagged = "native-tagged"
    /// A trunk whose native VLAN has no tag on the port.
    case nativeUntagged = "native-untagged"
    /// Frames with or without a customer tag, carried in one service VLAN (IEEE 802.1ad).
    case dot1qTunnel = "dot1q-tunnel"
  }
  /// The members.
  public enum Member: String, JSONMember {
    case vlan, trunk, vlanTrunk, vlanMode
  }
  /// Members of an element of a trunk.
  public enum TrunkMember: String, JSONMember {
    case id, minID, maxID
  }
  /// `vlan_mode`
  public let mode: Mode
  /// `tag`; nil for a trunk without native VLAN.
  public let tag: UInt16?
  /// `trunks`, or `cvlans` of a tunnel: ascending, none twice. Empty means every VLAN.
  public let trunks: [UInt16]

  /// Every VLAN, tagged.
  public static let all = PortVLANs(mode: .trunk, tag: nil, trunks: [])

  init(mode: Mode, tag: UInt16?, trunks: [UInt16]) {
    self.mode = mode
    self.tag = tag
    self.trunks = trunks
  }

  /// Decodes the members of the plugin configuration `json`.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    var tag: UInt16? = try json[Member.vlan].decodeIfPresent(in: 0...4094)
    let member = try Self.trunkMember(json)
    let trunks = try Self.trunks(member, text: json[Member.trunk].value?.text)
    // Of the reference bridge plugin: a trunk without `vlan` has the native VLAN 1.
    if !trunks.isEmpty, tag == nil, member == json[Member.vlanTrunk] { tag = 1 }
    let derived: Mode =
      switch (tag, trunks.isEmpty) {
      case (nil, _): .trunk
      case (_, true): .access
      case (_, false): .nativeUntagged
      }
    let mode = try json[Member.vlanMode].decodeIfPresent() ?? derived
    switch mode {
    case .access:
      if tag == nil {
        throw json[Member.vlan].error("missing; vlanMode \"access\" needs it, 0…4094")
      }
      if !trunks.isEmpty {
        throw member.error("vlanMode \"access\" and a trunk exclude each other")
      }
    case .trunk:
      if tag != nil {
        throw json[Member.vlan].error(
          "vlanMode \"trunk\" has no native VLAN; use \"native-untagged\" or \"native-tagged\"")
      }
    case .nativeTagged, .nativeUntagged, .dot1qTunnel:
      if tag == nil {
        throw json[Member.vlan].error("missing; vlanMode \"\(mode.rawValue)\" needs it, 0…4094")
      }
    }
    self.init(mode: mode, tag: tag, trunks: trunks)
  }

  /// `trunk` of the reference OVS plugin, or `vlanTrunk` of the reference bridge plugin.
  private static func trunkMember(_ json: JSONCursor) throws(JSONDecodingError) -> JSONCursor {
    let (trunk, bridgeTrunk) = (json[Member.trunk], json[Member.vlanTrunk])
    if bridgeTrunk.isAbsent { return trunk }
    guard trunk.isAbsent else {
      throw bridgeTrunk.error("\"trunk\" and \"vlanTrunk\" exclude each other")
    }
    return bridgeTrunk
  }

  /// The VLANs of `10,20-30`, spaces allowed around each.
  private static func trunks(_ text: String, _ json: JSONCursor) throws(JSONDecodingError)
    -> [UInt16]
  {
    var found: Set<UInt16> = []
    for item in text.utf8.split(separator: 0x2c, omittingEmptySubsequences: false) {
      let bounds = item.split(separator: 0x2d, omittingEmptySubsequences: false)
        .map { vlan($0) }
      guard let first = bounds[0], let last = bounds[bounds.count - 1], bounds.count <= 2,
        first <= last
      else { throw json.expected("a list of VLANs, 0…4095, such as 10,20-30") }
      found.formUnion(first...last)
    }
    return found.sorted()
  }

  private static func vlan(_ text: Substring.UTF8View) -> UInt16? {
    var text = text
    while text.first == 0x20 { text.removeFirst() }
    while text.last == 0x20 { text.removeLast() }
    guard let vlan = UInt16(Substring(text)), vlan <= 4095, text.first != 0x2b else { return nil }
    return vlan
  }

  /// The VLANs of a list of `{"id": …}` and `{"minID": …, "maxID": …}`, or of `text`.
  private static func trunks(_ json: JSONCursor, text: String?) throws(JSONDecodingError)
    -> [UInt16]
  {
    if let text { return try trunks(text, json) }
    var found: Set<UInt16> = []
    guard !json.isAbsent else { return [] }
    for item in try json.elements(atMost: 4096) {
      if item.value?.object == nil {
        throw item.expected("an object with \"id\", or with \"minID\" and \"maxID\"")
      }
      let legal: ClosedRange<UInt16> = 0...4095
      let (id, low, high) = (
        item[TrunkMember.id], item[TrunkMember.minID], item[TrunkMember.maxID]
      )
      if low.isAbsent, high.isAbsent {
        guard !id.isAbsent else {
          throw item.error("has neither \"id\" nor \"minID\" and \"maxID\"")
        }
      } else {
        let first = try low.decode(in: legal)
        let last = try high.decode(in: legal)
        guard first <= last else {
          throw item.error("minID is greater than maxID: \(first) > \(last)")
        }
        found.formUnion(first...last)
      }
      if let single: UInt16 = try id.decodeIfPresent(in: legal) { found.insert(single) }
    }
    return found.sorted()
  }
}
