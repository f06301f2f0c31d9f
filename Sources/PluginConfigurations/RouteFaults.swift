internal import Addresses
internal import CNI
internal import JSON

/// Faults of `ipam.routes` that the kernel would find only when everything else is made, whichever
/// plugin gives the addresses.
public enum RouteFaults {
  /// The most routes that an attachment may have. More in `ipam` are for the IPAM plugin to refuse.
  public static let limit = 4096

  /// Refuses a route that is there twice, and a gateway of IPv4 that no address of the ranges could
  /// reach. What cannot be read is for the IPAM plugin to refuse.
  static func check(_ json: JSONCursor) throws(JSONDecodingError) {
    let list = json[PluginMember.ipam][IPAMMember.routes]
    guard let count = list.value?.array?.count, count > 0, count <= limit else { return }
    let subnets = try subnets(json)
    var seen: Set<Identity> = []
    var isScoped = false
    for element in try list.elements(atMost: limit) {
      guard let identity = Identity(element) else { continue }
      guard seen.insert(identity).inserted else {
        throw element.error(
          "the route to \(identity.destination) is there twice; take one of them away")
      }
      // A host route of the link itself may lead to a gateway anywhere.
      if !element[Route.Member.scope].isAbsent { isScoped = true }
      guard !isScoped, !subnets.isEmpty, let gateway = identity.gateway, !gateway.isIPv6,
        !subnets.contains(where: { $0.contains(gateway) })
      else { continue }
      let known = subnets.map { $0.description }.joined(separator: ", ")
      throw element[Route.Member.gateway].error(
        "\(gateway) is in no subnet of the ranges (\(known)), so that the container could not "
          + "reach it; without \"gw\" the route leads to the range's own gateway")
    }
  }

  /// What makes a route another one.
  private struct Identity: Hashable {
    let destination: IPPrefix
    let gateway: IPAddress?
    let table: JSONValue?
    let priority: JSONValue?

    /// Nil for what is no route.
    init?(_ json: JSONCursor) {
      guard let text = json[Route.Member.destination].value?.text else { return nil }
      do throws(IPPrefix.ParseError) {
        destination = try IPPrefix(text).masked
      } catch { return nil }
      gateway = json[Route.Member.gateway].value?.text.flatMap { IPAddress($0) }
      table = json[Route.Member.table].value
      priority = json[Route.Member.priority].value
    }
  }

  /// The subnets of IPv4 of the ranges; none where addresses may come from elsewhere.
  private static func subnets(_ json: JSONCursor) throws(JSONDecodingError) -> [IPPrefix] {
    if json[PluginMember.runtimeConfig][Capability.ipRanges].value?.array == nil,
      json[PluginMember.capabilities][Capability.ipRanges].value == true
    {
      return []
    }
    return try ConfiguredRanges.all(json).compactMap { range in
      guard let text = range[AddressRange.Member.subnet].value?.text,
        let prefix = try? IPPrefix(text), !prefix.address.isIPv6
      else { return nil }
      return prefix.masked
    }
  }
}
