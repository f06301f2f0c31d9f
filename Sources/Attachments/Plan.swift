package import Addresses
package import CNI
package import JSON
internal import OVSDB
internal import OpenVSwitch
package import PluginConfigurations
package import PluginCore

/// Everything that one attachment is to have, decided before anything is done.
package struct Plan {
  /// The members of the configuration.
  package let configuration: OVSBridgeConfiguration
  /// Network, container ID and interface name.
  package let key: AttachmentKey
  /// The network's name.
  package var network: String { key.network }
  /// Container ID and interface name.
  package var attachment: Attachment { key.attachment }
  /// The bridge's name; empty for STATUS where the configuration does not say.
  package let bridge: String
  /// Where ovsdb-server listens.
  let endpoint: Endpoint
  /// The host end.
  let hostLink: HostLink
  /// Bytes, of both ends; nil for the kernel's.
  var mtu: UInt32?
  /// Whether an IPAM plugin gives addresses.
  package let hasIPAM: Bool
  /// Whether the IPAM plugin may speak to others by the container end, as `dhcp` does: then it is
  /// asked when the port forwards.
  package let needsWire: Bool
  /// The addresses of the configuration where the IPAM plugin also gives what a runtime requests;
  /// nil where all that it gives comes from the configuration.
  let configuredAddresses: [AttachmentResult.Address]?
  /// The requested MAC address; nil: derived from the first address, or the kernel's.
  package internal(set) var mac: MACAddress?
  /// The logical port of OVN; nil where there is none.
  package internal(set) var logicalPort: String?
  /// `K8S_POD_UID`; nil where the runtime did not tell.
  let podUID: String?
  /// `K8S_POD_NAME`, which other runtimes than those of Kubernetes set, too, with its namespace
  /// before it; nil where the runtime did not tell.
  let containerName: String?

  /// Joins the configuration and the requests for this attachment: `runtimeConfig` comes before
  /// `args.cni`, that before `CNI_ARGS`, that before the configuration.
  package init(_ request: Request, _ configuration: OVSBridgeConfiguration)
    throws(JSONDecodingError)
  {
    json = request.network.json
    self.configuration = configuration
    key = AttachmentKey(request)
    hostLink = HostLink(of: request.attachment)
    mtu = configuration.mtu
    hasIPAM = request.network.ipamType?.isEmpty == false
    let local = ["", "host-local", "static", "cluster"]
    needsWire = request.network.ipamType.map { !local.contains($0) } ?? false
    configuredAddresses =
      configuration.isGateway && request.network.ipamType == "static"
      ? try StaticConfiguration.configured(
        json[PluginMember.ipam][StaticConfiguration.Member.addresses]) : nil
    endpoint = configuration.endpoint
    mac = try Self.mac(request) ?? configuration.mac
    let argument: String? = try json.requests[RequestMember.ovnPort].decodeIfPresent()
    logicalPort = [argument, request.arguments[ArgumentKeys.logicalPort]].compactMap { $0 }.first {
      !$0.isEmpty
    }
    podUID = request.arguments[ArgumentKeys.podUID]
    containerName = request.arguments.podName.map { $0.description }
    // A runtime may leave members out in STATUS that it does not know.
    let isOptional =
      request.invocation.command == .status && json[OVSBridgeConfiguration.Member.bridge].isAbsent
    let other = logicalPort != nil ? "br-int" : isOptional ? "" : nil
    guard let bridge = configuration.bridge ?? other else {
      throw json[OVSBridgeConfiguration.Member.bridge].expected(
        "the name of an Open vSwitch bridge")
    }
    self.bridge = bridge
  }

  /// What its DEL would need.
  var detachment: Detachment {
    Detachment(key: key, endpoint: endpoint, json: json)
  }

  /// The configuration as it was given.
  let json: JSONCursor

  private static func mac(_ request: Request) throws(JSONDecodingError) -> MACAddress? {
    let json = request.network.json
    for place in [json[PluginMember.runtimeConfig][Capability.mac], json.requests[Capability.mac]]
    where place.value != "" {
      if let mac: MACAddress = try place.decodeIfPresent() { return mac }
    }
    guard let text = request.arguments[ArgumentKeys.mac] else { return nil }
    return try JSONCursor(["CNI_ARGS": ["MAC": .string(text)]])["CNI_ARGS"]["MAC"].decode()
  }

  /// What the rows of the attachment tell of it.
  func record(sandbox: String, addresses: [AttachmentResult.Address], mac: MACAddress?)
    -> AttachmentRecord
  {
    AttachmentRecord(
      key, sandbox: sandbox,
      addresses: addresses.map { $0.address.description }, mac: mac?.description,
      containerName: containerName)
  }
}
