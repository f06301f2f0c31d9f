internal import Digests

/// The attachment that rules are there for. All names of what it has follow from this alone, so
/// that it is found again without any other state.
public struct RuleOwner: Hashable, Sendable {
  /// The container ID.
  public let containerID: String
  /// The name of the container end.
  public let interfaceName: String

  /// The attachment of `containerID` by `interfaceName`.
  public init(containerID: String, interfaceName: String) {
    self.containerID = containerID
    self.interfaceName = interfaceName
  }

  /// The name of the chain that has the attachment's rules.
  var chain: String { Self.chainPrefix + Nftables.digest("\(containerID)/\(interfaceName)") }
  /// How the names of all such chains begin.
  static let chainPrefix = "attachment-"

  /// The comment of each of its rules: `NETWORK/CONTAINERID/INTERFACE`, where names that are too
  /// long are a `#` and a digest.
  public func comment(network: String) -> String {
    let short = Self.abbreviation(of: network)
    let texts = [
      "\(network)/\(containerID)", "\(short)/\(containerID)",
      "\(short)/\(Self.abbreviation(of: containerID))",
    ].map { "\($0)/\(interfaceName)" }
    return texts.first { $0.utf8.count <= Self.longestComment } ?? texts[2]
  }
  /// Bytes; NFTNL_UDATA_COMMENT_MAXLEN of libnftnl/udata.h.
  public static let longestComment = 128

  /// What stands in a comment for a name that is too long.
  public static func abbreviation(of name: String) -> String {
    "#" + Nftables.digest(name)
  }

  /// 80 bits of a digest of the attachment and its network, as 20 hexadecimal digits: for tables
  /// that several networks share.
  public func digest(network: String) -> String {
    Nftables.digest("\(network)/\(containerID)/\(interfaceName)")
  }
}

/// 80 bits of a digest of `text`, as 20 hexadecimal digits.
func digest(_ text: String) -> String { SHA2.hexadecimal(text, bytes: 10) }
