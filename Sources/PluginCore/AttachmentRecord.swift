public import CNI
internal import PluginConfigurations

/// What the `external_ids` of a Port and an Interface tell of the attachment that they serve. It is
/// the only state there is besides the leases.
public struct AttachmentRecord: Hashable, Sendable {
  /// The environment variable by which a runtime's driver that runs the plugin says what `runtime`
  /// is.
  public static let runtimeVariable = "PATCHBAY_RUNTIME"

  /// The value of `owner` in every row of ours.
  public static let owner = "patchbay"

  /// The keys of `external_ids` by which rows of attachments tell what they are for.
  public enum Key {
    /// Who made the row.
    public static let owner = ExternalIDKey.owner.rawValue
    /// The network's name.
    public static let network = ExternalIDKey.network.rawValue
    /// The container ID.
    public static let containerID = ExternalIDKey.containerID.rawValue
    /// The interface name.
    public static let interfaceName = ExternalIDKey.interfaceName.rawValue
    /// The path of the sandbox.
    public static let sandbox = ExternalIDKey.sandbox.rawValue
    /// The addresses.
    public static let addresses = ExternalIDKey.addresses.rawValue
    /// The MAC address of the container end.
    public static let mac = ExternalIDKey.mac.rawValue
    /// The container's name.
    public static let containerName = ExternalIDKey.containerName.rawValue
    /// When ADD began.
    public static let began = ExternalIDKey.began.rawValue
    /// What the DEL of the IPAM plugin needs.
    public static let ipam = ExternalIDKey.ipam.rawValue
    /// The runtime's driver that made the attachment, where no CNI plugin did.
    public static let runtime = ExternalIDKey.runtime.rawValue
  }

  /// The pair that every row of ours has.
  public static let mark = [Key.owner: owner]
  /// The pairs that every row of ours has that serves `network`.
  public static func mark(of network: String) -> [String: String] {
    [Key.owner: owner, Key.network: network]
  }
  /// Whether a row with these `external_ids` is ours.
  public static func isOurs(_ externalIDs: [String: String]) -> Bool {
    externalIDs[Key.owner] == owner
  }

  /// The network's name, the container ID and the interface name.
  public var key: AttachmentKey
  /// The network's name.
  public var network: String { key.network }
  /// The container ID and the interface name.
  public var attachment: Attachment { key.attachment }
  /// The path of the sandbox.
  public var sandbox: String
  /// Addresses with their prefix lengths, as text; empty for an attachment of layer 2 only.
  public var addresses: [String]
  /// The hardware address of the container end, as text; nil where it is not known.
  public var mac: String?
  /// The container's name, as people call it; nil where the runtime does not tell.
  public var containerName: String?
  /// When its ADD began: nanoseconds since 1970-01-01T00:00:00Z. It tells the rows of one ADD from
  /// those of another. Nil in rows of releases that did not write it.
  public var began: Int64?
  /// What the DEL of the IPAM plugin needs; nil where there is none.
  public var ipam: RememberedIPAM?
  /// The driver of another runtime that made the attachment and keeps account of it itself; nil
  /// where a CNI runtime did.
  public var runtime: String?

  /// A record.
  public init(
    _ key: AttachmentKey, sandbox: String, addresses: [String], mac: String?,
    containerName: String? = nil, began: Int64? = nil, ipam: RememberedIPAM? = nil
  ) {
    self.key = key
    self.sandbox = sandbox
    self.addresses = addresses
    self.mac = mac
    self.containerName = containerName
    self.began = began
    self.ipam = ipam
  }

  /// Reads the record from `external_ids`; nil if they are not of ours.
  public init?(externalIDs value: (String) -> String?) {
    guard value(Key.owner) == Self.owner, let network = value(Key.network),
      let containerID = value(Key.containerID), let interfaceName = value(Key.interfaceName)
    else { return nil }
    key = AttachmentKey(
      network: network, Attachment(containerID: containerID, interfaceName: interfaceName))
    sandbox = value(Key.sandbox) ?? ""
    addresses = (value(Key.addresses) ?? "").split(separator: " ").map { String($0) }
    mac = value(Key.mac)
    containerName = value(Key.containerName)
    began = value(Key.began).flatMap { Int64($0) }
    ipam = value(Key.ipam).flatMap { RememberedIPAM(text: $0) }
    runtime = value(Key.runtime)
  }

  /// The pairs of `external_ids`.
  public var externalIDs: [String: String] {
    var pairs = key.externalIDs
    pairs[Key.sandbox] = sandbox
    if !addresses.isEmpty { pairs[Key.addresses] = addresses.joined(separator: " ") }
    pairs[Key.mac] = mac
    pairs[Key.containerName] = containerName
    pairs[Key.began] = began.map { String($0) }
    pairs[Key.ipam] = ipam?.text
    pairs[Key.runtime] = runtime
    return pairs
  }
}

extension AttachmentKey {
  /// The pairs that `external_ids` of its rows include, and those of no other attachment.
  public var externalIDs: [String: String] {
    var pairs = AttachmentRecord.mark(of: network)
    pairs[AttachmentRecord.Key.containerID] = attachment.containerID
    pairs[AttachmentRecord.Key.interfaceName] = attachment.interfaceName
    return pairs
  }
}
