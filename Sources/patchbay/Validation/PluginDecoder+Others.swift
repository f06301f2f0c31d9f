import Addresses
import CNI
import CNIRuntime
import JSON
import PluginConfigurations
import PluginCore

/// What a decoder does not stop at: what the plugin refuses for another reason, and what it accepts
/// though it can hardly be meant.
extension PluginDecoder {
  static func bridgeFaults(_ json: JSONCursor, _ document: JSONCursor) -> [Fault] {
    var faults = UnsupportedMember.all(in: json).map {
      Fault(.error, "\($0.fault); \($0.reason)")
    }
    // An attachment with an OVN port has br-int; a file of defaults may name a bridge.
    let hasOther = !json[FlatFile.Member.path].isAbsent || !json[PluginMember.args].isAbsent
    if json[OVSBridgeConfiguration.Member.bridge].value?.text?.isEmpty
      ?? json[OVSBridgeConfiguration.Member.bridge].isAbsent, !hasOther
    {
      faults.append(
        .init(
          .warning, json[OVSBridgeConfiguration.Member.bridge],
          "missing; without it only an attachment with OvnPort in CNI_ARGS is made"))
    }
    guard json[PluginMember.ipam][IPAMMember.type].value?.text?.isEmpty ?? true else {
      return faults
    }
    if let members = try? json[PluginMember.ipam].members, !members.isEmpty {
      faults.append(
        .init(
          .warning, json[PluginMember.ipam][IPAMMember.type],
          "missing; without it no plugin gives addresses, and the rest of ipam has no effect"))
    }
    let version = json[PluginMember.cniVersion].value?.text ?? SpecificationVersion.v0_1_0.rawValue
    let isOld = [SpecificationVersion.v0_1_0, .v0_2_0].contains { $0.rawValue == version }
    // What is chosen of several is the highest.
    if isOld, document[NetworkList.Member.cniVersions].isAbsent {
      faults.append(
        .init(
          .error, json[PluginMember.ipam],
          "missing; cniVersion \"\(version)\" cannot express an attachment without address, 0.3.0 "
            + "and later can"))
    }
    for member in [OVSBridgeConfiguration.Member.isGateway, .isDefaultGateway, .ipMasq]
    where json[member].value == true {
      faults.append(
        .init(.warning, json[member], "true has no effect without ipam and its addresses"))
    }
    return faults
  }

  static func hostLocalFaults(_ json: JSONCursor, _ document: JSONCursor) -> [Fault] {
    let faults = strayGateways(json, document)
    let place = json[PluginMember.ipam][HostLocalConfiguration.Member.dataDir]
    guard let path = place.value?.text, !path.isEmpty, !path.hasPrefix("/") else { return faults }
    let reason = "\"\(path)\" is not an absolute path: it depends on where the runtime was started"
    return faults + [.init(.warning, place, reason)]
  }

  /// Gateways that lie outside of the subnet whose containers are to reach them.
  static func strayGateways(_ json: JSONCursor, _ document: JSONCursor) -> [Fault] {
    let ipam = json[PluginMember.ipam]
    let sets = (try? ipam[HostLocalConfiguration.Member.ranges].elements) ?? []
    let ranges = sets.flatMap { (try? $0.elements) ?? [] }.map {
      ($0, $0[AddressRange.Member.subnet])
    }
    let addresses = ((try? ipam[StaticConfiguration.Member.addresses].elements) ?? []).map {
      ($0, $0[StaticConfiguration.AddressMember.address])
    }
    return ([(ipam, ipam[AddressRange.Member.subnet])] + ranges + addresses).compactMap {
      place, subnet in
      guard let text = subnet.value?.text, let prefix = try? IPPrefix(text),
        let gateway = place[AddressRange.Member.gateway].value?.text.flatMap({ IPAddress($0) }),
        !prefix.contains(gateway)
      else { return nil }
      return .init(
        .warning, place[AddressRange.Member.gateway],
        "\(gateway) is outside of \(prefix.masked): containers do not reach it without a route")
    }
  }

  static func staticFaults(_ json: JSONCursor, _ document: JSONCursor) -> [Fault] {
    let isToldLater =
      json[PluginMember.capabilities][Capability.ips].value == true
      || !json[PluginMember.args].isAbsent
    let place = json[PluginMember.ipam][StaticConfiguration.Member.addresses]
    guard place.isAbsent || place.value == .array([]), !isToldLater else {
      return unassignable(place) + strayGateways(json, document)
    }
    return [
      .init(.warning, place, "missing; without it only an attachment with IP in CNI_ARGS is made")
    ]
  }

  /// An address of `static` that no interface can have. What is no address is reported already.
  private static func unassignable(_ addresses: JSONCursor) -> [Fault] {
    guard (try? StaticConfiguration.configured(addresses)) != nil else { return [] }
    do throws(JSONDecodingError) {
      try StaticConfiguration.requireAssignable(addresses)
      return []
    } catch { return [Fault(.error, "\(error)")] }
  }

  static func mirrorFaults(_ json: JSONCursor, _ document: JSONCursor) -> [Fault] {
    let first = (try? document[NetworkList.Member.plugins].elements)?.first ?? document
    guard first.path == json.path, let type = json[PluginMember.type].value?.text else { return [] }
    let reason = "\(type) goes after the plugin that makes the port, as ovs-bridge"
    return [.init(.error, json[PluginMember.type], reason)]
  }

  static func portmapFaults(_ json: JSONCursor, _ document: JSONCursor) -> [Fault] {
    var faults = mirrorFaults(json, document)
    if let member = PortmapConfiguration.unsupported(in: json) {
      faults.append(Fault(.error, "\(member.fault); \(member.reason)"))
    }
    if json[PluginMember.capabilities][Capability.portMappings].value != true {
      faults.append(
        .init(
          .warning, json[PluginMember.capabilities],
          "without \"portMappings\": true runtimes name no ports, and none is published"))
    }
    return faults
  }
}

extension Fault {
  /// `reason`, of what is at `place`.
  fileprivate init(_ severity: Severity, _ place: JSONCursor, _ reason: String) {
    self.init(severity, place.error(reason).description)
  }
}
