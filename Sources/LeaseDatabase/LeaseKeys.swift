internal import Addresses
internal import Digests

/// One attachment of one host, as the database keeps it apart from those of all others.
///
/// Container IDs are unique on one host only, so the host is part of it.
public struct ClusterHolder: Hashable, Sendable, CustomStringConvertible {
  /// The host's name.
  public let host: String
  /// The network's name, which is that of the pool too.
  public let network: String
  /// `CNI_CONTAINERID`
  public let containerID: String
  /// `CNI_IFNAME`; empty where it is not known.
  public let interfaceName: String

  /// A holder.
  public init(host: String, network: String, containerID: String, interfaceName: String) {
    self.host = host
    self.network = network
    self.containerID = containerID
    self.interfaceName = interfaceName
  }

  /// Addresses that one attachment may have.
  public static let slotCount = 16

  /// The column `holder`. None of its parts has a slash, but for the host's name, which is first.
  var text: String { "\(host)/\(network)/\(containerID)/\(interfaceName)" }

  /// The UUID of its row number `slot`: found without a search, and the same for every attempt, so
  /// that an attempt whose answer was lost is found again.
  func uuid(_ slot: Int) -> String { RowKey.uuid(["lease", text, "\(slot)"]) }

  /// The container as a whole, of which it is not known which interface it is: an early version of
  /// the reference plugin named the container alone, and such a lease may have been imported.
  var container: ClusterHolder {
    ClusterHolder(host: host, network: network, containerID: containerID, interfaceName: "")
  }

  /// Whether `uuid` is that of one of its rows.
  func owns(_ uuid: String) -> Bool {
    (0..<Self.slotCount).contains { self.uuid($0) == uuid }
  }

  /// `container c1, interface eth0 on host h1`
  public var description: String {
    "container \(containerID)" + (interfaceName.isEmpty ? "" : ", interface \(interfaceName)")
      + " on host \(host)"
  }
}

/// A row of the holder.
struct OwnLease: Hashable, Sendable {
  let uuid: String
  /// The column `address`.
  let text: String
  let boot: String
  /// Nil where another program wrote what is no address.
  var address: IPAddress? { IPAddress(text) }
}

/// UUIDs of rows that are made of what the rows stand for.
enum RowKey {
  static func uuid(_ parts: [String]) -> String {
    var digest = Array(digest(parts).prefix(16))
    // The version and the variant of a UUID that its maker defines (RFC 9562, section 5.8).
    digest[6] = digest[6] & 0x0f | 0x80
    digest[8] = digest[8] & 0x3f | 0x80
    var text = ""
    for (position, byte) in digest.enumerated() {
      if [4, 6, 8, 10].contains(position) { text += "-" }
      text += SHA2.hexadecimal([byte])
    }
    return text
  }

  /// A number that is spread evenly.
  static func number(_ parts: [String]) -> UInt64 {
    digest(parts).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  private static func digest(_ parts: [String]) -> [UInt8] {
    var message: [UInt8] = []
    for part in parts {
      message += part.utf8
      message.append(0)
    }
    return SHA2.sha256(message)
  }
}
