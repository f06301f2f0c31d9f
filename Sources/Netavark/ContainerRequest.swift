public import Addresses
internal import CNI
public import JSON

/// A container that is to be connected to a network or disconnected from it (netavark plugin API
/// 1.0.0, "Exec"). Members for which podman has nothing are `null`.
public struct ContainerRequest: Hashable, Sendable, JSONDecodable {
  /// Ports of the host that lead to ports of the container.
  public struct PortMapping: Hashable, Sendable, JSONDecodable {
    /// The first port of the container.
    public let containerPort: UInt16
    /// The first port of the host.
    public let hostPort: UInt16
    /// The address of the host; empty for all.
    public let hostAddress: String
    /// Protocols, with commas between them.
    public let protocols: String
    /// How many consecutive ports, on both sides.
    public let count: UInt16

    /// The member `port_mappings[…]`.
    public init(_ json: JSONCursor) throws(JSONDecodingError) {
      containerPort = try json["container_port"].decode(in: 1...65535)
      hostPort = try json["host_port"].decode(in: 1...65535)
      hostAddress = try json["host_ip"].decodeIfPresent() ?? ""
      let protocols: String? = try json["protocol"].decodeIfPresent()
      self.protocols = protocols.flatMap { $0.isEmpty ? nil : $0 } ?? "tcp"
      count = max(1, try json["range"].decodeIfPresent() ?? 1)
      guard max(containerPort, hostPort) <= UInt16.max - (count - 1) else {
        throw json["range"].error(
          "\(count) ports from \(max(containerPort, hostPort)) exceed 65535")
      }
    }
  }

  /// Its ID.
  public let containerID: String
  /// Its name; of the containers of a pod, the pod's.
  public let containerName: String
  /// The container's, which every one of its networks is given; empty if there are none.
  public let portMappings: [PortMapping]
  /// The network.
  public let network: PodmanNetwork
  /// The name of the interface in the container.
  public let interfaceName: String
  /// Addresses that podman's address management gave, or that the user asked for.
  public let addresses: [IPAddress]
  /// The hardware address that the user asked for.
  public let mac: MACAddress?
  /// Other names of the container.
  public let aliases: [String]
  /// `--network NAME:KEY=VALUE`, except for the keys that podman itself knows.
  public let options: DriverOptions

  /// What a driver gets for `setup` and `teardown`.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    containerID = try json["container_id"].decode()
    containerName = try json["container_name"].decodeIfPresent() ?? ""
    portMappings = try json["port_mappings"].decodeIfPresent() ?? []
    network = try json["network"].decode()
    let given = json["network_options"]
    interfaceName = try given["interface_name"].decode()
    addresses = try given["static_ips"].decodeIfPresent() ?? []
    mac = try given["static_mac"].value == "" ? nil : given["static_mac"].decodeIfPresent()
    aliases = try given["aliases"].decodeIfPresent() ?? []
    options = try DriverOptions(given["options"])
  }
}
