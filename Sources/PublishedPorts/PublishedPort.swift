public import Addresses
internal import JSON
internal import Nftables
public import PluginConfigurations

/// A port of the host that leads to a port of a container, of one family.
public struct PublishedPort: Hashable, Sendable, CustomStringConvertible {
  /// What carries the data.
  public typealias Transport = PortmapConfiguration.Transport
  /// The same at both ends.
  public let transport: Transport
  /// The address of the host; the unspecified one for all of the family.
  public let host: IPAddress
  /// The port of the host.
  public let hostPort: UInt16
  /// The address of the container.
  public let container: IPAddress
  /// The port of the container.
  public let containerPort: UInt16

  /// A port; both addresses are of one family.
  public init(
    _ transport: Transport, host: IPAddress, _ hostPort: UInt16, to container: IPAddress,
    _ containerPort: UInt16
  ) {
    self.transport = transport
    self.host = host
    self.hostPort = hostPort
    self.container = container
    self.containerPort = containerPort
  }

  /// `tcp 0.0.0.0 8080 to 10.1.0.2 80`: the comment of its rules, from which it is read again.
  public var description: String {
    "\(transport.rawValue) \(host) \(hostPort) to \(container) \(containerPort)"
  }

  /// Nil if this is not the comment of a port.
  init?(comment: String) {
    let words = comment.split(separator: " ")
    guard words.count == 6, words[3] == "to", let transport = Transport(rawValue: String(words[0])),
      let host = IPAddress(words[1]), let hostPort = UInt16(words[2]),
      let container = IPAddress(words[4]), let containerPort = UInt16(words[5]),
      host.family == container.family
    else { return nil }
    self.init(transport, host: host, hostPort, to: container, containerPort)
  }

  /// Its family.
  public var family: IPAddress.Family { host.family }
  /// Whether it is of all addresses of the host.
  var isOfAllAddresses: Bool { host == IPAddress(family, value: 0) }
  /// Whether it can be reached by 127.0.0.1.
  var isOfLoopback: Bool {
    family == .v4 && (isOfAllAddresses || host.bytes.first == 127)
  }
}

extension PublishedPort.Transport {
  /// `IPPROTO_…`
  var number: UInt8 {
    switch self {
    case .tcp: 6
    case .udp: 17
    case .sctp: 132
    }
  }
  /// Whether the kernel goes on to send what it has sent once to where it sent that, also when
  /// another container has the port by now.
  var hasLastingFlows: Bool { self != .tcp }
}

/// What one attachment publishes.
public struct PublishedPorts: Hashable, Sendable {
  /// Which connections the container sees come from an address of the host.
  public enum Masquerading: Hashable, Sendable {
    /// None.
    case none
    /// Those of the host by 127.0.0.1, and of the container's own subnet: the replies to those
    /// would not come back through the host.
    case neighbours
    /// All.
    case all
  }
  /// Each once.
  public let ports: [PublishedPort]
  /// The addresses of the container, with the lengths of their subnets.
  public let addresses: [IPPrefix]
  /// Which connections are masqueraded.
  public let masquerading: Masquerading
  /// From where the ports can be reached; empty for everywhere.
  public let sources: [IPPrefix]

  /// Ports of the container with these addresses, of each family at most one.
  public init(
    _ ports: [PublishedPort], of addresses: [IPPrefix], _ masquerading: Masquerading,
    from sources: [IPPrefix]
  ) {
    // Mappings of all addresses and of all of one family may mean the same.
    var seen: Set<PublishedPort> = []
    let ports = ports.filter { seen.insert($0).inserted }
    // Rules of one address come before those of all: the first that fits decides.
    self.ports =
      ports.filter { !$0.isOfAllAddresses } + ports.filter { $0.isOfAllAddresses }
    self.addresses = addresses
    self.masquerading = masquerading
    self.sources = sources
  }

  /// Whether 127.0.0.1 is to lead to the container.
  public var areOfLoopback: Bool {
    masquerading != .none && ports.contains { $0.isOfLoopback }
  }
}
