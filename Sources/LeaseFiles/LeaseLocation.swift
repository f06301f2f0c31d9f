/// Where the leases of one network are.
public struct LeaseLocation: Hashable, Sendable {
  /// The directory with one directory for each network.
  public let dataDirectory: String
  /// The network's name, which starts with a letter or a digit.
  public let network: String

  /// The leases of `network` below `dataDirectory`.
  public init(dataDirectory: String, network: String) {
    self.dataDirectory = dataDirectory
    self.network = network
  }

  /// The network's directory: one file for each lease, named by the address, and nothing of ours
  /// alone, as the reference plugin takes every file there for a lease.
  public var path: String { "\(dataDirectory)/\(network)" }
  /// What we keep besides. No network has a name that starts so.
  public var privatePath: String { "\(dataDirectory)/.patchbay/\(network)" }

  /// The reference plugin's lock file.
  static let lockName = "lock"
  /// The file with the address that was leased last in the range set `set`.
  static func cursorName(_ set: Int) -> String { "last_reserved_ip.\(set)" }
}
