internal import Addresses
internal import PluginConfigurations

/// What this plugin put on a gateway's port: pairs of `external_ids` of its Port row. Nothing that
/// has no mark is ever taken away.
///
/// Each mark is a key of its own, so that several can be put and taken at once, by whomever,
/// without being read before.
enum GatewayMark: Hashable {
  /// This network needs this address, which was not there before.
  case address(IPPrefix, network: String)
  /// The MAC address of the bridge was fixed to this one.
  case hardwareAddress(String)
  /// The link was switched on, which was off.
  case isRaised

  private static let prefix = ExternalIDKey.gatewayMark
  private static let hardware = prefix + "hwaddr"
  private static let raised = prefix + "up"

  /// The key and the value.
  var pair: (key: String, value: String) {
    switch self {
    case .address(let prefix, let network): ("\(Self.prefix)\(network)/\(prefix)", "")
    case .hardwareAddress(let text): (Self.hardware, text)
    case .isRaised: (Self.raised, "")
    }
  }

  /// Nil for a pair that is not ours.
  init?(_ key: String, _ value: String) {
    if key == Self.hardware {
      self = .hardwareAddress(value)
      return
    }
    if key == Self.raised {
      self = .isRaised
      return
    }
    guard key.hasPrefix(Self.prefix) else { return nil }
    let parts = key.dropFirst(Self.prefix.count).split(separator: "/").map { String($0) }
    guard parts.count == 3, let prefix = try? IPPrefix("\(parts[1])/\(parts[2])") else {
      return nil
    }
    self = .address(prefix, network: parts[0])
  }
}

/// The marks of one port.
struct GatewayMarks: Hashable {
  let all: Set<GatewayMark>

  init(_ externalIDs: [String: String]) {
    all = Set(externalIDs.compactMap { GatewayMark($0.key, $0.value) })
  }

  /// The addresses that were put there for `network`, or, if it is nil, for any.
  func addresses(of network: String?) -> [IPPrefix] {
    var addresses: Set<IPPrefix> = []
    for case .address(let prefix, let name) in all where network == nil || name == network {
      addresses.insert(prefix)
    }
    return addresses.sorted { $0.address < $1.address }
  }

  /// The keys of the addresses of `network`.
  func keys(of network: String) -> [String] {
    addresses(of: network).map { GatewayMark.address($0, network: network).pair.key }
  }

  /// Whether the link was switched on by us.
  var isRaised: Bool { all.contains(.isRaised) }

  /// The MAC address that the bridge was fixed to; nil if not by us.
  var hardwareAddress: String? {
    for case .hardwareAddress(let text) in all { return text }
    return nil
  }
}
