internal import Addresses
public import CNI
public import JSON

/// The members of a configuration with `"ipam": {"type": "static"}`, all legal, and what
/// `CNI_ARGS` adds to them. They mean the same as the reference plugin's.
public struct StaticConfiguration: Hashable, Sendable {
  /// Members of `ipam`.
  public enum Member: String, JSONMember {
    case addresses, dns
  }
  /// Members of an element of `addresses`.
  public enum AddressMember: String, JSONMember {
    case address, gateway
  }
  /// The addresses with their gateways, in the order of the result.
  public let addresses: [AttachmentResult.Address]
  /// Handed on in the result.
  public let routes: [Route]
  /// Handed on in the result.
  public let dns: DNS

  /// Nothing: what releasing needs.
  public init() {
    addresses = []
    routes = []
    dns = DNS()
  }

  /// Decodes the members.
  ///
  /// - Parameters:
  ///   - arguments: `CNI_ARGS`, whose `IP` and `GATEWAY` are read.
  ///   - mayLackIPAM: A runtime may have left it out, as from the configurations of STATUS.
  public init(
    _ json: JSONCursor, _ arguments: Arguments = Arguments(), mayLackIPAM: Bool = false
  ) throws(JSONDecodingError) {
    let ipam = json[PluginMember.ipam]
    guard !ipam.isAbsent || mayLackIPAM else {
      throw ipam.error(
        "missing; an object with \"addresses\" is required", message: missingIPAMMessage)
    }
    try ipam.checkObject()
    var added = try Self.added(arguments)
    try Self.addGateways(to: &added, arguments)
    let configured = try Self.configured(ipam[Member.addresses])
    var addresses = configured + added
    for requests in [
      json.requests[Capability.ips], json[PluginMember.runtimeConfig][Capability.ips],
    ] {
      // These come instead of all others.
      let list = try Self.requested(requests)
      if !list.isEmpty { addresses = list }
    }
    self.addresses = addresses
    routes = try ipam[IPAMMember.routes].decodeIfPresent() ?? []
    dns = try ipam[Member.dns].decodeIfPresent() ?? DNS()
    let version: String = try json[PluginMember.cniVersion].decodeIfPresent() ?? ""
    let old: Set = ["", SpecificationVersion.v0_1_0.rawValue, SpecificationVersion.v0_2_0.rawValue]
    let six = addresses.count { $0.address.address.isIPv6 }
    guard !old.contains(version) || (six <= 1 && addresses.count - six <= 1) else {
      throw ipam[Member.addresses].tooManyAddresses(version)
    }
  }

  /// Decodes `ipam.addresses`, to which a runtime may add others.
  public static func configured(_ json: JSONCursor) throws(JSONDecodingError)
    -> [AttachmentResult.Address]
  {
    guard !json.isAbsent else { return [] }
    var addresses: [AttachmentResult.Address] = []
    for element in try json.elements(atMost: 255) {
      let text: String = try element[AddressMember.address].decodeIfPresent() ?? ""
      guard let address = prefix(text) else {
        throw element[AddressMember.address].error(
          text.isEmpty ? "missing; ADDRESS/LENGTH is required" : "\"\(text)\": \(reason(text))",
          message: "the 'address' field is expected to be in CIDR notation, got: '\(text)'")
      }
      let gateway = try element[AddressMember.gateway].decodeAddressIfPresent()?.unmapped
      if let gateway, gateway.family != address.address.family {
        throw element[AddressMember.gateway].error("\(gateway) is not of the family of \(address)")
      }
      addresses.append(.init(address, gateway: gateway))
    }
    return addresses
  }

  /// Refuses addresses of `ipam.addresses` that no interface can have, and one that is there twice:
  /// the main plugin would find them out in every ADD.
  public static func requireAssignable(_ json: JSONCursor) throws(JSONDecodingError) {
    var seen: Set<IPPrefix> = []
    for (index, address) in try configured(json).map({ $0.address }).enumerated() {
      let isFirst = seen.insert(address).inserted
      guard !isFirst || !address.address.isAssignable else { continue }
      throw try json.elements(atMost: 255)[index][AddressMember.address].error(
        isFirst
          ? "\(address): no interface can have this address; name another one"
          : "\(address) is there twice; take one of them away")
    }
  }

  private static func requested(_ json: JSONCursor) throws(JSONDecodingError)
    -> [AttachmentResult.Address]
  {
    guard !json.isAbsent else { return [] }
    var addresses: [AttachmentResult.Address] = []
    for element in try json.elements(atMost: 255) {
      let text: String = try element.decode()
      guard let address = prefix(text) else {
        throw element.error(
          "\"\(text)\": \(reason(text))",
          message: "an entry in the 'ips' field is NOT in CIDR notation, got: '\(text)'")
      }
      addresses.append(.init(address))
    }
    return addresses
  }

  /// `IP` of `CNI_ARGS`: one address or several, with commas between them.
  private static func added(_ arguments: Arguments) throws(JSONDecodingError)
    -> [AttachmentResult.Address]
  {
    var addresses: [AttachmentResult.Address] = []
    for text in list(arguments[ArgumentKeys.ip]) {
      guard let address = prefix(text) else {
        throw JSONDecodingError(
          path: JSONPath(),
          reason: "CNI_ARGS IP: \"\(text)\": \(reason(text))",
          message: "the 'ip' field is expected to be in CIDR notation, got: '\(text)'")
      }
      addresses.append(.init(address))
    }
    return addresses
  }

  /// `GATEWAY` of `CNI_ARGS`: each is that of the addresses of `CNI_ARGS` in whose subnet it is.
  private static func addGateways(
    to addresses: inout [AttachmentResult.Address], _ arguments: Arguments
  ) throws(JSONDecodingError) {
    for text in list(arguments[ArgumentKeys.gateway]) {
      guard let gateway = IPAddress(text)?.unmapped else {
        throw JSONDecodingError(
          path: JSONPath(),
          reason: "CNI_ARGS GATEWAY: \"\(text)\" is not an IP address; it is one, or several with "
            + "commas between them",
          message: "invalid gateway address: \(text)")
      }
      for index in addresses.indices where addresses[index].address.contains(gateway) {
        addresses[index].gateway = gateway
      }
    }
  }

  private static func list(_ text: String?) -> [String] {
    guard let text else { return [] }
    return text.split(separator: ",", omittingEmptySubsequences: false).map { item in
      String(item.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
  }

  /// One that maps IPv4 as that, as the reference plugin has it.
  private static func prefix(_ text: String) -> IPPrefix? {
    (try? IPPrefix(text))?.unmapped
  }

  private static func reason(_ text: String) -> String {
    do {
      _ = try IPPrefix(text)
      return ""
    } catch { return error.description }
  }
}
