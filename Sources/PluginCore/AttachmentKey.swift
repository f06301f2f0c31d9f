public import CNI

/// What an attachment is known by: the network's name, the container ID and the interface name.
public struct AttachmentKey: Hashable, Sendable, CustomStringConvertible {
  /// The network's name.
  public let network: String
  /// The container ID and the interface name.
  public let attachment: Attachment

  /// The attachment of this container to `network`.
  public init(network: String, _ attachment: Attachment) {
    self.network = network
    self.attachment = attachment
  }

  /// The attachment that `request` is about.
  public init(_ request: Request) {
    self.init(network: request.network.name, request.attachment)
  }

  /// `NETWORK/CONTAINERID/INTERFACE`
  public var description: String {
    "\(network)/\(attachment.containerID)/\(attachment.interfaceName)"
  }
}
