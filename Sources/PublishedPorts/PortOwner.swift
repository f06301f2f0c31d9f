public import CNI
internal import Nftables

/// The attachment that ports are published for. The names of all that it has follow from this
/// alone, so that it is found again without any other state.
public struct PortOwner: Hashable, Sendable {
  /// The network's name.
  public let network: String
  /// Container ID and interface name.
  public let attachment: Attachment

  /// The attachment of a network.
  public init(network: String, _ attachment: Attachment) {
    self.network = network
    self.attachment = attachment
  }

  private var rules: RuleOwner {
    RuleOwner(
      containerID: attachment.containerID, interfaceName: attachment.interfaceName)
  }
  private var digest: String { rules.digest(network: network) }

  /// The chain of what goes to the ports.
  var chain: String { Self.chainPrefix + digest }
  /// The chain of what comes from where replies would not go back through the host.
  var returnChain: String { Self.returnPrefix + digest }
  /// `NETWORK/CONTAINERID/INTERFACE`, where names that are too long are a `#` and a digest.
  var comment: String { rules.comment(network: network) }

  static let chainPrefix = "attachment-"
  static let returnPrefix = "return-"

  /// The return chain beside the chain of an attachment.
  static func returnChain(beside chain: String) -> String {
    returnPrefix + chain.dropFirst(chainPrefix.count)
  }
  /// Whether a comment is that of an attachment of `network`.
  static func isComment(_ comment: String, of network: String) -> Bool {
    let name = comment.prefix { $0 != "/" }
    return name == network || name == RuleOwner.abbreviation(of: network)
  }
}

/// The sandbox of an attachment, as rules remember it.
struct RememberedSandbox: Hashable {
  let path: String
  /// Of the network namespace: one made later at the same path has another.
  let inode: UInt64

  /// `sandbox 4026532231 /run/netns/blue`; without the path where that is too long.
  var comment: String {
    let text = "\(Self.prefix)\(inode) "
    return text.utf8.count + path.utf8.count <= RuleOwner.longestComment ? text + path : text
  }
  private static let prefix = "sandbox "

  init(path: String, inode: UInt64) {
    self.path = path
    self.inode = inode
  }

  /// Nil if this is another comment.
  init?(comment: String) {
    guard comment.hasPrefix(Self.prefix) else { return nil }
    let parts = comment.dropFirst(Self.prefix.count).split(
      separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let inode = UInt64(parts[0]) else { return nil }
    self.init(path: String(parts[1]), inode: inode)
  }
}
