public import Addresses
public import JSON

/// What a container has from a network (netavark plugin API 1.0.0, "StatusBlock").
public struct ContainerStatus: Hashable, Sendable {
  /// An interface in the container.
  public struct Interface: Hashable, Sendable {
    /// Its name.
    public let name: String
    /// Its hardware address.
    public let mac: MACAddress
    /// Its addresses, with their gateways.
    public let addresses: [Address]

    /// An interface.
    public init(name: String, mac: MACAddress, addresses: [Address]) {
      self.name = name
      self.mac = mac
      self.addresses = addresses
    }
  }
  /// An address of an interface.
  public struct Address: Hashable, Sendable {
    /// With the length of its subnet's prefix.
    public let prefix: IPPrefix
    /// The next hop; nil if there is none.
    public let gateway: IPAddress?

    /// An address.
    public init(_ prefix: IPPrefix, gateway: IPAddress?) {
      self.prefix = prefix
      self.gateway = gateway
    }
  }

  /// The interfaces that the network gave it.
  public let interfaces: [Interface]
  /// Name servers, for `/etc/resolv.conf` in place of the host's.
  public let nameservers: [String]
  /// Search domains, likewise.
  public let searchDomains: [String]

  /// A status.
  public init(interfaces: [Interface], nameservers: [String] = [], searchDomains: [String] = []) {
    self.interfaces = interfaces
    self.nameservers = nameservers
    self.searchDomains = searchDomains
  }

  /// As `setup` prints it. A gateway that is not there is left out: podman would show `null` as
  /// `<nil>`.
  public var json: JSONValue {
    let interfaces = interfaces.map { interface in
      let subnets = interface.addresses.map { address in
        JSONValue.object([
          ("ipnet", .string(address.prefix.description)),
          ("gateway", address.gateway.map { .string($0.description) }),
        ])
      }
      let value = JSONValue.object([
        ("mac_address", .string(interface.mac.description)), ("subnets", .array(subnets)),
      ])
      return (interface.name, Optional(value))
    }
    func list(_ texts: [String]) -> JSONValue? {
      texts.isEmpty ? nil : .array(texts.map { .string($0) })
    }
    return .object([
      ("interfaces", .object(interfaces)), ("dns_server_ips", list(nameservers)),
      ("dns_search_domains", list(searchDomains)),
    ])
  }
}
