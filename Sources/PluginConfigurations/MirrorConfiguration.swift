public import JSON
public import OVSDB

/// The members of a configuration of `ovs-mirror-producer` or `ovs-mirror-consumer`, all legal, as
/// the reference plugins of those names have them.
public struct MirrorConfiguration: Hashable, Sendable {
  /// What a port is to a mirror.
  public enum Role: String, Hashable, Sendable {
    /// Its packets are mirrored.
    case producer
    /// It gets the copies.
    case consumer
  }
  /// The members.
  public enum Member: String, JSONMember {
    case bridge, mirrors
    case socketFile = "socket_file"
  }
  /// A mirror of the bridge.
  public struct Mirror: Hashable, Sendable {
    /// The members.
    public enum Member: String, JSONMember {
      case name, ingress, egress
      case selectVLAN = "select_vlan"
      case outputVLAN = "output_vlan"
    }
    /// Its name; not empty.
    public let name: String
    /// Whether packets that come from the port are mirrored: `select_src_port`.
    public let ingress: Bool
    /// Whether packets that go to the port are mirrored: `select_dst_port`.
    public let egress: Bool
    /// `select_vlan`, ascending: the VLANs whose packets are mirrored; empty for all. Nil where it
    /// is not said, which leaves a mirror that is there as it is.
    public let selectedVLANs: [UInt16]?
    /// `output_vlan`: the VLAN that the copies go to, instead of a consumer; nil where it is not
    /// said.
    public let outputVLAN: UInt16?
  }
  /// The bridge's name.
  public let bridge: String
  /// None has the name of another; not empty.
  public let mirrors: [Mirror]
  /// Where ovsdb-server listens.
  public let endpoint: Endpoint

  /// Decodes the members for `role`. A consumer's `ingress`, `egress` and `select_vlan` have no
  /// meaning, so that both may have the same list.
  ///
  /// - Parameter mayLackMembers: A runtime may have left them out, as from the configurations of
  ///   STATUS; those that are there are legal.
  public init(_ json: JSONCursor, for role: Role, mayLackMembers: Bool = false)
    throws(JSONDecodingError)
  {
    let bridge: String = try json[Member.bridge].decodeIfPresent() ?? ""
    guard !bridge.isEmpty || mayLackMembers && json[Member.bridge].isAbsent else {
      throw json[Member.bridge].error("missing; the name of an Open vSwitch bridge is required")
    }
    self.bridge = bridge
    endpoint = try OVSBridgeConfiguration.endpoint(json[Member.socketFile])
    var mirrors: [Mirror] = []
    if mayLackMembers, json[Member.mirrors].isAbsent {
      self.mirrors = []
      return
    }
    for item in try json[Member.mirrors].elements {
      let mirror = try Mirror(item, for: role)
      if mirrors.contains(where: { $0.name == mirror.name }) {
        throw item[Mirror.Member.name].error(
          "\"\(mirror.name)\" is named twice; write one entry for it")
      }
      mirrors.append(mirror)
    }
    guard !mirrors.isEmpty else {
      throw json[Member.mirrors].error("empty; at least one {\"name\": …} is required")
    }
    self.mirrors = mirrors
  }

  /// Decodes what releasing needs: `bridge`, empty where it is missing, `socket_file`, and the
  /// names of `mirrors` that can be read. No mistake may keep a container alive.
  public init(forReleasing json: JSONCursor) throws(JSONDecodingError) {
    endpoint = try OVSBridgeConfiguration.endpoint(json[Member.socketFile])
    bridge = json[Member.bridge].value?.text ?? ""
    let names = (json[Member.mirrors].value?.array ?? []).compactMap {
      $0[Mirror.Member.name]?.text
    }
    mirrors = names.map {
      Mirror(name: $0, ingress: true, egress: true, selectedVLANs: nil, outputVLAN: nil)
    }
  }
}

extension MirrorConfiguration.Mirror {
  init(_ json: JSONCursor, for role: MirrorConfiguration.Role) throws(JSONDecodingError) {
    name = try json[Member.name].decodeIfPresent() ?? ""
    if name.isEmpty { throw json[Member.name].error("missing; the name of a mirror is required") }
    ingress = try json[Member.ingress].decodeIfPresent() ?? false
    egress = try json[Member.egress].decodeIfPresent() ?? false
    selectedVLANs = try Self.tags(json[Member.selectVLAN])
    outputVLAN = try json[Member.outputVLAN].decodeIfPresent(in: 1...4095)
    switch role {
    case .producer:
      if !ingress, !egress {
        throw json.error(
          "a mirror producer must have either a ingress or an egress or both: set one to true")
      }
    case .consumer:
      if outputVLAN != nil {
        throw json[Member.outputVLAN].error(
          "a mirror has a consumer or an output VLAN, not both; the producer may name a VLAN")
      }
    }
  }

  /// A list of tags, or one.
  private static func tags(_ json: JSONCursor) throws(JSONDecodingError) -> [UInt16]? {
    if json.isAbsent { return nil }
    let legal: ClosedRange<UInt16> = 0...4095
    if case .integer? = json.value { return [try json.decode(in: legal)] }
    var tags: Set<UInt16> = []
    for item in try json.elements { tags.insert(try item.decode(in: legal)) }
    return tags.sorted()
  }
}
