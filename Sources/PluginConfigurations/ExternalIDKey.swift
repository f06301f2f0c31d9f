/// The keys of `external_ids` by which rows of this project's plugins say what they are for.
/// Features write no others, and no configuration can set one of these.
public enum ExternalIDKey: String, Hashable, Sendable, CaseIterable {
  /// Who made the row.
  case owner
  /// The network's name.
  case network
  /// The container ID.
  case containerID
  /// The interface name.
  case interfaceName
  /// The path of the sandbox.
  case sandbox
  /// The addresses.
  case addresses
  /// The MAC address of the container end.
  case mac
  /// The container's name.
  case containerName
  /// `K8S_POD_UID`
  case contPodUid
  /// When ADD began.
  case began
  /// What the DEL of the IPAM plugin needs.
  case ipam
  /// The runtime's driver that made the attachment, where no CNI plugin did.
  case runtime
  /// What a port that is not of an attachment is for.
  case role
  /// The name of the port that is the attachment's gateway.
  case gateway
  /// What the attachment sends out of the network is masqueraded.
  case masquerade
  /// The attachment is isolated behind its gateway.
  case isolation
  /// What the attachment sends is policed.
  case guarded = "guard"
  /// What may be sent besides, where that is not the default.
  case guardDetails
  /// The attachment's logical port of OVN.
  case logicalPort
  /// What becomes of the host's own forward chains, where that is not the default.
  case forward

  /// How the keys begin by which a gateway's port tells what was put on it.
  public static let gatewayMark = "patchbay-gateway/"

  /// Whether rows may have `key` from us.
  public static func isReserved(_ key: String) -> Bool {
    Self(rawValue: key) != nil || key.hasPrefix(gatewayMark)
  }
}

/// How the alias of the host end of an attachment is written, by which people and other plugins
/// know whose it is: `patchbay:NETWORK/CONTAINERID/INTERFACE`.
public enum HostEndAlias {
  /// What it begins with.
  public static let prefix = "patchbay:"
  /// A name that has more bytes is a `#` and a digest in an alias that would be too long.
  public static let longestName = 64
}
