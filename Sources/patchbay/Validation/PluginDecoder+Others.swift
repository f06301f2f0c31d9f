import Addresses
import CNI
import JSON
import PluginConfigurations

/// What a decoder does not stop at: what the plugin refuses for another reason, and what it accepts
/// though it can hardly be meant.
extension PluginDecoder {
  static func bridgeFaults(_ json: JSONCursor, _ document: JSONCursor) -> [Fault] {
    var faults = UnsupportedMember.all(in: json).map {
      Fault(.error, "\($0.fault); \($0.reason)")
    }
    // An attachment with an OVN port has br-int; a file of defaults may name a bridge.
    let hasOther = ["configuration_path", "args"].contains { !json[$0].isAbsent }
    if json["bridge"].value?.text?.isEmpty ?? json["bridge"].isAbsent, !hasOther {
      faults.append(
        .init(
          .warning, json["bridge"],
          "missing; without it only an attachment with OvnPort in CNI_ARGS is made"))
    }
    guard json["ipam"]["type"].value?.text?.isEmpty ?? true else {
      return faults
    }
    if let members = try? json["ipam"].members, !members.isEmpty {
      faults.append(
        .init(
          .warning, json["ipam"]["type"],
          "missing; without it no plugin gives addresses, and the rest of ipam has no effect"))
    }
    let version = json["cniVersion"].value?.text ?? SpecificationVersion.v0_1_0.rawValue
    let isOld = [SpecificationVersion.v0_1_0, .v0_2_0].contains { $0.rawValue == version }
    // What is chosen of several is the highest.
    if isOld, document["cniVersions"].isAbsent {
      faults.append(
        .init(
          .error, json["ipam"],
          "missing; cniVersion \"\(version)\" cannot express an attachment without address, 0.3.0 "
            + "and later can"))
    }
    for name in ["isGateway", "isDefaultGateway", "ipMasq"] where json[name].value == true {
      faults.append(
        .init(.warning, json[name], "true has no effect without ipam and its addresses"))
    }
    return faults
  }

  static func hostLocalFaults(_ json: JSONCursor, _ document: JSONCursor) -> [Fault] {
    let faults = strayGateways(json, document)
    let place = json["ipam"]["dataDir"]
    guard let path = place.value?.text, !path.isEmpty, !path.hasPrefix("/") else { return faults }
    let reason = "\"\(path)\" is not an absolute path: it depends on where the runtime was started"
    return faults + [.init(.warning, place, reason)]
  }

  /// Gateways that lie outside of the subnet whose containers are to reach them.
  static func strayGateways(_ json: JSONCursor, _ document: JSONCursor) -> [Fault] {
    let ipam = json["ipam"]
    let sets = (try? ipam["ranges"].elements) ?? []
    let ranges = sets.flatMap { (try? $0.elements) ?? [] }.map { ($0, $0["subnet"]) }
    let addresses = ((try? ipam["addresses"].elements) ?? []).map { ($0, $0["address"]) }
    return ([(ipam, ipam["subnet"])] + ranges + addresses).compactMap { place, subnet in
      guard let text = subnet.value?.text, let prefix = try? IPPrefix(text),
        let gateway = place["gateway"].value?.text.flatMap({ IPAddress($0) }),
        !prefix.contains(gateway)
      else { return nil }
      return .init(
        .warning, place["gateway"],
        "\(gateway) is outside of \(prefix.masked): containers do not reach it without a route")
    }
  }

  static func staticFaults(_ json: JSONCursor, _ document: JSONCursor) -> [Fault] {
    let isToldLater = json["capabilities"]["ips"].value == true || !json["args"].isAbsent
    let place = json["ipam"]["addresses"]
    guard place.isAbsent || place.value == .array([]), !isToldLater else {
      return strayGateways(json, document)
    }
    return [
      .init(.warning, place, "missing; without it only an attachment with IP in CNI_ARGS is made")
    ]
  }

  static func mirrorFaults(_ json: JSONCursor, _ document: JSONCursor) -> [Fault] {
    let first = (try? document["plugins"].elements)?.first ?? document
    guard first.path == json.path, let type = json["type"].value?.text else { return [] }
    let reason = "\(type) goes after the plugin that makes the port, as ovs-bridge"
    return [.init(.error, json["type"], reason)]
  }

  static func portmapFaults(_ json: JSONCursor, _ document: JSONCursor) -> [Fault] {
    var faults = mirrorFaults(json, document)
    if let member = PortmapConfiguration.unsupported(in: json) {
      faults.append(Fault(.error, "\(member.fault); \(member.reason)"))
    }
    if json["capabilities"]["portMappings"].value != true {
      faults.append(
        .init(
          .warning, json["capabilities"],
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
