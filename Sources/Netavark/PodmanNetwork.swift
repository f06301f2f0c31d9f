public import Addresses
internal import CNI
public import JSON

/// A network as podman stores it and gives it to a driver (netavark plugin API 1.0.0, "Network").
///
/// What a driver returns for `create` replaces it, so members that are unknown here are kept.
public struct PodmanNetwork: Hashable, Sendable, JSONDecodable {
  /// One subnet of it.
  public struct Subnet: Hashable, Sendable, JSONDecodable {
    /// Its prefix.
    public let prefix: IPPrefix
    /// How containers reach other networks; nil for `create`, after which podman chooses one, and
    /// for internal networks.
    public let gateway: IPAddress?

    /// The member `subnets[…]`.
    public init(_ json: JSONCursor) throws(JSONDecodingError) {
      prefix = try json["subnet"].decode()
      gateway = try json["gateway"].decodeAddressIfPresent()
    }
  }

  /// A route of every container.
  public struct Route: Hashable, Sendable, JSONDecodable {
    /// Where it leads.
    public let destination: IPPrefix
    /// The next hop.
    public let gateway: IPAddress
    /// Its priority; nil is the kernel's.
    public let metric: UInt32?

    /// The member `routes[…]`.
    public init(_ json: JSONCursor) throws(JSONDecodingError) {
      destination = try json["destination"].decode()
      gateway = try json["gateway"].decode()
      metric = try json["metric"].decodeIfPresent()
    }
  }

  /// All of it, in podman's order.
  public var json: JSONObject
  /// Its name.
  public let name: String
  /// `--interface-name`: the name of the driver's link on the host; nil if it was not given.
  public let interfaceName: String?
  /// From these, podman's own address management gives addresses.
  public let subnets: [Subnet]
  /// `--route`
  public let routes: [Route]
  /// `--internal`: containers reach no other network.
  public let isInternal: Bool
  /// `--ipam-driver`; nil if it was not given.
  public let ipamDriver: String?
  /// `-o KEY=VALUE`
  public let options: DriverOptions

  /// What a driver gets for `create`, and the member `network` for other commands.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    guard let object = json.value?.object else { throw json.expected("an object") }
    self.json = object
    name = try json["name"].decode()
    let interfaceName: String? = try json["network_interface"].decodeIfPresent()
    self.interfaceName = interfaceName == "" ? nil : interfaceName
    subnets = try json["subnets"].decodeIfPresent() ?? []
    routes = try json["routes"].decodeIfPresent() ?? []
    isInternal = try json["internal"].decodeIfPresent() ?? false
    let ipamDriver: String? = try json["ipam_options"]["driver"].decodeIfPresent()
    self.ipamDriver = ipamDriver == "" ? nil : ipamDriver
    options = try DriverOptions(json["options"])
  }

  /// The subnet that contains `address`.
  public func subnet(of address: IPAddress) -> Subnet? {
    subnets.first { $0.prefix.contains(address) }
  }
}
