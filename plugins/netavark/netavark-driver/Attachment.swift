import Addresses
import CNI
import CNIRuntime
import JSON
import Netavark
import PluginConfigurations

extension ContainerRequest {
  /// The attachment's identity, besides the name of the network.
  var attachment: Attachment {
    Attachment(containerID: containerID, interfaceName: interfaceName)
  }

  /// What the plugins of `list` get: requests go to the capabilities that they declare, or else
  /// into `CNI_ARGS`. The container's name is `K8S_POD_NAME`, by which IPAM plugins know for whom
  /// an address is.
  func parameters(
    _ list: NetworkList, requestsAddresses: Bool, sandboxPath: String
  ) throws(DriverError) -> AttachmentParameters {
    let declared = list.plugins.flatMap { $0.capabilities }
    var pairs = [(key: "IgnoreUnknown", value: "1")]
    // What ends a value in CNI_ARGS cannot be in one.
    if !containerName.isEmpty, !containerName.utf8.contains(where: { $0 == 0x3b || $0 == 0x3d }) {
      pairs.append((ArgumentKeys.podName, containerName))
    }
    var capabilities = JSONObject()
    if let mac {
      if declared.contains("mac") {
        capabilities["mac"] = .string(mac.description)
      } else {
        pairs.append((ArgumentKeys.mac, mac.description))
      }
    }
    if requestsAddresses, !addresses.isEmpty {
      let texts = addresses.map { list.prefix(of: $0)?.description ?? $0.description }
      if declared.contains("ips") {
        capabilities["ips"] = .array(texts.map { .string($0) })
      } else {
        guard texts.count == 1 else {
          throw DriverError(
            "network \"\(network.name)\" takes one address: no plugin of \"\(list.name)\" has the "
              + "capability \"ips\"")
        }
        pairs.append((ArgumentKeys.ip, texts[0]))
      }
    }
    if !aliases.isEmpty, declared.contains("aliases") {
      capabilities["aliases"] = .object([
        (network.name, .array(aliases.map { .string($0) }))
      ])
    }
    return AttachmentParameters(
      attachment, sandboxPath: sandboxPath, arguments: Arguments(pairs: pairs),
      capabilities: capabilities)
  }

  /// The container's ports as the capability `portMappings` has them.
  var portMappingsCapability: JSONValue { .array(portMappings.flatMap { $0.entries }) }
}

extension ContainerRequest.PortMapping {
  /// One for each port and protocol.
  fileprivate var entries: [JSONValue] {
    protocols.split(separator: ",").flatMap { name in
      (0..<count).map { offset in
        .object([
          ("hostPort", .integer(Int64(hostPort + offset))),
          ("containerPort", .integer(Int64(containerPort + offset))),
          ("protocol", .string(String(name))),
          ("hostIP", hostAddress.isEmpty ? nil : .string(hostAddress)),
        ])
      }
    }
  }
}

extension NetworkList {
  /// `address` with the prefix length of the subnet of an `ipam` that contains it; podman gives
  /// none.
  func prefix(of address: IPAddress) -> IPPrefix? {
    for plugin in plugins {
      let ipam = plugin.json[PluginMember.ipam]
      let ranges = (ipam?[HostLocalConfiguration.Member.ranges]?.array ?? []).flatMap {
        $0.array ?? []
      }
      let subnets = ([ipam].compactMap { $0 } + ranges).map { $0[AddressRange.Member.subnet]?.text }
      let addresses = (ipam?[StaticConfiguration.Member.addresses]?.array ?? []).map {
        $0[StaticConfiguration.AddressMember.address]?.text
      }
      for text in subnets + addresses {
        guard let text, let subnet = try? IPPrefix(text), subnet.contains(address) else {
          continue
        }
        return IPPrefix(address, length: subnet.length)
      }
    }
    return nil
  }
}

extension ContainerStatus {
  /// What podman is told of the result of ADD. Refuses one without an address or a MAC address that
  /// was requested: a plugin may have ignored the request.
  init(_ result: JSONValue, _ request: ContainerRequest) throws(DriverError) {
    let decoded: AttachmentResult
    do throws(JSONDecodingError) {
      decoded = try AttachmentResult(JSONCursor(result), defaultVersion: .v0_1_0)
    } catch { throw DriverError("the plugins' result cannot be read: \(error)") }
    let network = request.network.name
    for address in request.addresses
    where !decoded.addresses.contains(where: { $0.address.address == address }) {
      let given = decoded.addresses.map { $0.address.description }.joined(separator: ", ")
      throw DriverError(
        "network \"\(network)\" gave \(given.isEmpty ? "no address" : given), not the requested "
          + "\(address)")
    }
    var interfaces: [Interface] = []
    for (index, interface) in decoded.interfaces.enumerated() {
      guard interface.sandbox?.isEmpty == false, let text = interface.mac,
        let mac = MACAddress(text)
      else { continue }
      if interface.name == request.interfaceName, let wanted = request.mac, wanted != mac {
        throw DriverError(
          "network \"\(network)\" gave the MAC address \(mac), not the requested \(wanted)")
      }
      let addresses = decoded.addresses.filter { ($0.interface ?? index) == index }
      interfaces.append(
        Interface(
          name: interface.name, mac: mac,
          addresses: addresses.map { Address($0.address, gateway: $0.gateway) }))
    }
    self.init(
      interfaces: interfaces, nameservers: decoded.dns.nameservers,
      searchDomains: decoded.dns.search)
  }
}
