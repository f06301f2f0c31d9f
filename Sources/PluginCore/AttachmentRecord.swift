public import CNI

/// What the `external_ids` of a Port and an Interface tell of the attachment that they serve. It is
/// the only state there is besides the leases.
public struct AttachmentRecord: Hashable, Sendable {
  /// The value of `owner` in every row of ours.
  public static let owner = "patchbay"

  /// The network's name.
  public var network: String
  /// The container ID and the interface name.
  public var attachment: Attachment
  /// The path of the sandbox.
  public var sandbox: String
  /// Addresses with their prefix lengths, as text; empty for an attachment of layer 2 only.
  public var addresses: [String]
  /// The hardware address of the container end, as text; nil where it is not known.
  public var mac: String?
  /// The container's name, as people call it; nil where the runtime does not tell.
  public var containerName: String?

  /// A record.
  public init(
    network: String, attachment: Attachment, sandbox: String, addresses: [String], mac: String?,
    containerName: String? = nil
  ) {
    self.network = network
    self.attachment = attachment
    self.sandbox = sandbox
    self.addresses = addresses
    self.mac = mac
    self.containerName = containerName
  }

  /// Reads the record from `external_ids`; nil if they are not of ours.
  public init?(externalIDs value: (String) -> String?) {
    guard value("owner") == Self.owner, let network = value("network"),
      let containerID = value("containerID"), let interfaceName = value("interfaceName")
    else { return nil }
    self.network = network
    attachment = Attachment(containerID: containerID, interfaceName: interfaceName)
    sandbox = value("sandbox") ?? ""
    addresses = (value("addresses") ?? "").split(separator: " ").map { String($0) }
    mac = value("mac")
    containerName = value("containerName")
  }

  /// The pairs of `external_ids`.
  public var externalIDs: [(key: String, value: String)] {
    var pairs = Self.key(attachment)
    pairs += [("network", network), ("sandbox", sandbox)]
    if !addresses.isEmpty { pairs.append(("addresses", addresses.joined(separator: " "))) }
    if let mac { pairs.append(("mac", mac)) }
    if let containerName { pairs.append(("containerName", containerName)) }
    return pairs
  }

  /// The pairs that the rows of an attachment include, whatever its network is called now.
  public static func condition(_ attachment: Attachment) -> [String: String] {
    var pairs: [String: String] = [:]
    for (key, value) in key(attachment) { pairs[key] = value }
    return pairs
  }
  private static func key(_ attachment: Attachment) -> [(key: String, value: String)] {
    [
      ("owner", owner), ("containerID", attachment.containerID),
      ("interfaceName", attachment.interfaceName),
    ]
  }
}
