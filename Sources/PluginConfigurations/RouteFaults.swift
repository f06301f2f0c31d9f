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
    let subnets = subnets(json)
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

  /// Refuses a subnet all of whose addresses go to containers, where none is named for the gateway
  /// that the host is to be.
  static func checkRoom(_ json: JSONCursor) throws(JSONDecodingError) {
    let ipam = json[PluginMember.ipam]
    guard let type = ipam[IPAMMember.type].value?.text, ["host-local", "cluster"].contains(type)
    else { return }
    try checkRoom(ofRange: ipam)
    let requested = json[PluginMember.runtimeConfig][Capability.ipRanges]
    for sets in [ipam[HostLocalConfiguration.Member.ranges], requested]
    where sets.value?.array != nil {
      for set in try sets.elements(atMost: limit) where set.value?.array != nil {
        for range in try set.elements(atMost: limit) { try checkRoom(ofRange: range) }
      }
    }
  }

  private static func checkRoom(ofRange range: JSONCursor) throws(JSONDecodingError) {
    let member = range[AddressRange.Member.subnet]
    guard range[AddressRange.Member.gateway].isAbsent, let text = member.value?.text,
      let subnet = try? IPPrefix(text), subnet.length >= subnet.address.family.bits - 1
    else { return }
    throw member.error(
      "\(subnet) has no address for a gateway besides those of containers; name one by \"gateway\"")
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
  private static func subnets(_ json: JSONCursor) -> [IPPrefix] {
    let ipam = json[PluginMember.ipam]
    guard let type = ipam[IPAMMember.type].value?.text, ["host-local", "cluster"].contains(type)
    else {
      return []
    }
    let requested = json[PluginMember.runtimeConfig][Capability.ipRanges].value?.array
    if requested == nil, json[PluginMember.capabilities][Capability.ipRanges].value == true {
      return []
    }
    let sets = (ipam[HostLocalConfiguration.Member.ranges].value?.array ?? []) + (requested ?? [])
    var texts = sets.flatMap { $0.array ?? [] }.map { $0[AddressRange.Member.subnet]?.text }
    texts.append(ipam[AddressRange.Member.subnet].value?.text)
    var subnets: [IPPrefix] = []
    for text in texts {
      guard let text, let prefix = try? IPPrefix(text), !prefix.address.isIPv6 else { continue }
      subnets.append(prefix.masked)
    }
    return subnets
  }
}
