internal import Addresses
package import CNI
internal import Digests
internal import JSON
package import PluginConfigurations

/// The port of a bridge by which the host is a router for containers: the bridge's own internal
/// port, or, with a VLAN, an internal port of that.
package struct GatewayPort: Hashable {
  /// The name of port, interface and link.
  package let name: String
  /// The VLAN; nil for the bridge's own port.
  let tag: UInt16?

  /// The port for what is attached to `bridge` so. VLAN 0 is that of frames without tag, which the
  /// bridge's own port has, too.
  package init(of bridge: String, _ vlans: PortVLANs) {
    guard let tag = vlans.tag, tag > 0 else {
      name = bridge
      self.tag = nil
      return
    }
    let plain = "\(bridge).\(tag)"
    // IFNAMSIZ of linux/if.h is 16, with the final zero.
    name = plain.utf8.count <= 15 ? plain : "gw" + SHA2.hexadecimal(plain, bytes: 6)
    self.tag = tag
  }
}

/// What the gateway of an attachment is to have.
package struct Gateway: Hashable {
  let port: GatewayPort
  /// One for each address of the container, with the length of its subnet.
  let addresses: [IPPrefix]

  /// Nil where there is none, or nothing that it could be the gateway of.
  init?(_ plan: Plan, _ containers: [AttachmentResult.Address]) {
    guard let port = plan.gatewayPort else { return nil }
    var addresses: [IPPrefix] = []
    for address in containers {
      guard let prefix = plan.gatewayAddress(of: address), !addresses.contains(prefix) else {
        continue
      }
      addresses.append(prefix)
    }
    guard !addresses.isEmpty else { return nil }
    self.port = port
    self.addresses = addresses
  }

  /// One with every address that the configuration may lead to, before any container has one.
  /// Nil where there is none, or the configuration alone does not say.
  init?(configured plan: Plan) throws(JSONDecodingError) {
    guard let port = plan.gatewayPort else { return nil }
    if let subnets = plan.configuredAddresses {
      addresses = subnets.compactMap { plan.gatewayAddress(of: $0) }
    } else {
      addresses = try ConfiguredRanges.gateways(plan.json)
    }
    guard !addresses.isEmpty else { return nil }
    self.port = port
  }

  /// The families of the addresses.
  var families: Set<IPAddress.Family> { Set(addresses.map { $0.address.family }) }
}

extension Plan {
  /// Where the gateway is; nil where none is asked for.
  var gatewayPort: GatewayPort? {
    configuration.isGateway ? GatewayPort(of: bridge, configuration.vlans) : nil
  }

  /// The address and the subnet that the host gets as the gateway of `address`; nil where the
  /// configuration does not say. What a runtime requests never decides it: else one who may request
  /// an address could route a quarter of the Internet into the bridge.
  func gatewayAddress(of address: AttachmentResult.Address) -> IPPrefix? {
    guard let configuredAddresses else {
      return address.gateway.flatMap { IPPrefix($0, length: address.address.length) }
    }
    guard
      let subnet = configuredAddresses.first(where: { $0.address.contains(address.address.address) }
      )
    else { return nil }
    return (subnet.gateway ?? subnet.address.network.successor).flatMap {
      IPPrefix($0, length: subnet.address.length)
    }
  }

  /// What the IPAM plugin answered, with the gateways and default routes that it left to us.
  package func completed(_ result: AttachmentResult) throws(AttachmentError) -> AttachmentResult {
    guard configuration.isGateway else { return result }
    var result = result
    for index in result.addresses.indices {
      var address = result.addresses[index]
      if configuredAddresses == nil, address.gateway == nil {
        address.gateway = address.address.network.successor
      }
      guard let host = gatewayAddress(of: address) else {
        throw AttachmentError(
          .invalid,
          "isGateway: the configuration does not say what the gateway of \(address.address) is",
          details: "a requested address must be in a subnet of ipam.addresses, as {\"address\": "
            + "\"10.5.0.0/24\", \"gateway\": \"10.5.0.1\"}")
      }
      let gateway = address.gateway ?? host.address
      guard gateway != address.address.address else {
        throw AttachmentError(
          .invalid,
          "isGateway: the container has \(address.address), which would be the gateway's address",
          details: "name another gateway in ipam, or give the container another address")
      }
      result.addresses[index].gateway = gateway
    }
    guard configuration.isDefaultGateway else { return result }
    var families = Set(
      result.routes.filter { $0.destination.length == 0 }.map { $0.destination.address.family })
    for address in result.addresses {
      let family = address.address.address.family
      guard families.insert(family).inserted, let any = IPAddress(family, value: 0),
        let destination = IPPrefix(any, length: 0)
      else { continue }
      result.routes.append(Route(to: destination, gateway: address.gateway))
    }
    return result
  }
}
