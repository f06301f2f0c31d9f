internal import Addresses
public import JSON

/// A result that a version of the specification cannot express.
public struct InexpressibleResult: Error, Hashable, Sendable, CustomStringConvertible {
  /// The version.
  public let version: SpecificationVersion

  /// What libcni says of it.
  public static let message = "cannot convert: no valid IP addresses"

  /// `cniVersion 0.2.0 cannot express an attachment without an address; …`
  public var description: String {
    "cniVersion \(version.rawValue) cannot express an attachment without an address; 0.3.0 and "
      + "later can"
  }
}

// MARK: - Writing

extension AttachmentResult {
  /// The result as `version` of the specification has it.
  public func json(_ version: SpecificationVersion) throws(InexpressibleResult) -> JSONValue {
    version < .v0_3_0 ? try legacyJSON(version) : listJSON(version)
  }

  /// 0.3.0 and later: lists of interfaces and addresses.
  private func listJSON(_ version: SpecificationVersion) -> JSONValue {
    let interfaces = interfaces.map { $0.json(version) }
    let addresses = addresses.map { $0.json(version) }
    let routes = routes.map { $0.json(version) }
    let hasDNS = !dns.isEmpty || version < .v1_0_0
    var members: [(String, JSONValue?)] = [
      ("cniVersion", .string(version.rawValue)),
      ("interfaces", interfaces.isEmpty ? nil : .array(interfaces)),
      ("ips", addresses.isEmpty ? nil : .array(addresses)),
      ("routes", routes.isEmpty ? nil : .array(routes)),
      ("dns", hasDNS ? dns.json : nil),
    ]
    members += others.members.map { ($0.name, $0.value) }
    return .object(members)
  }

  /// 0.1.0 and 0.2.0: the first address of each family, with its gateway and routes.
  private func legacyJSON(_ version: SpecificationVersion) throws(InexpressibleResult) -> JSONValue
  {
    func family(_ family: IPAddress.Family) -> JSONValue? {
      guard let first = addresses.first(where: { $0.address.address.family == family }) else {
        return nil
      }
      let routes = routes.filter { $0.destination.address.family == family }
      return .object([
        ("ip", .string(first.address.description)),
        ("gateway", first.gateway.map { .string($0.description) }),
        ("routes", routes.isEmpty ? nil : .array(routes.map { $0.json(version) })),
      ])
    }
    guard !addresses.isEmpty else { throw InexpressibleResult(version: version) }
    return .object([
      ("cniVersion", .string(version.rawValue)), ("ip4", family(.v4)), ("ip6", family(.v6)),
      ("dns", dns.json),
    ])
  }
}

extension AttachmentResult.Interface {
  fileprivate func json(_ version: SpecificationVersion) -> JSONValue {
    var members: [(String, JSONValue?)] = [
      ("name", .string(name)), ("mac", mac.map { .string($0) }),
    ]
    if version >= .v1_0_0 { members.append(("mtu", mtu.map { .integer(Int64($0)) })) }
    members.append(("sandbox", sandbox.map { .string($0) }))
    if version >= .v1_0_0 { members += others.members.map { ($0.name, $0.value) } }
    return .object(members)
  }
}

extension AttachmentResult.Address {
  fileprivate func json(_ version: SpecificationVersion) -> JSONValue {
    let family: JSONValue = address.address.isIPv6 ? "6" : "4"
    var members: [(String, JSONValue?)] = [
      ("version", version < .v1_0_0 ? family : nil),
      ("interface", interface.map { .integer(Int64($0)) }),
      ("address", .string(address.description)),
      ("gateway", gateway.map { .string($0.description) }),
    ]
    members += others.members.map { ($0.name, $0.value) }
    return .object(members)
  }
}

// MARK: - Reading

extension AttachmentResult {
  /// Reads a result in the form of its own `cniVersion`, or of `defaultVersion` if it states none.
  public init(_ json: JSONCursor, defaultVersion: SpecificationVersion) throws(JSONDecodingError) {
    guard json.value?.object != nil else { throw json.expected("an object") }
    let text: String = try json["cniVersion"].decodeIfPresent() ?? ""
    let stated = SpecificationVersion(rawValue: text)
    guard text.isEmpty || stated != nil else {
      throw json["cniVersion"].error(
        "\"\(text)\" is not one of \(SpecificationVersion.quotedList)")
    }
    dns = try json["dns"].decodeIfPresent() ?? DNS()
    if (stated ?? defaultVersion) < .v0_3_0 {
      try readLegacy(json["ip4"], .v4)
      try readLegacy(json["ip6"], .v6)
      return
    }
    interfaces = try json["interfaces"].decodeIfPresent() ?? []
    addresses = try json["ips"].decodeIfPresent() ?? []
    routes = try json["routes"].decodeIfPresent() ?? []
    others = json.others(than: ["cniVersion", "interfaces", "ips", "routes", "dns"])
    for (position, address) in addresses.enumerated() {
      guard let index = address.interface, !interfaces.indices.contains(index) else { continue }
      throw json["ips"].error(
        "ips[\(position)].interface is \(index), and there are \(interfaces.count) interfaces")
    }
  }

  private mutating func readLegacy(_ json: JSONCursor, _ family: IPAddress.Family)
    throws(JSONDecodingError)
  {
    guard !json.isAbsent else { return }
    let address: IPPrefix = try json["ip"].decode()
    guard address.address.family == family else {
      throw json["ip"].error("\(address) is not of this family")
    }
    addresses.append(Address(address, gateway: try json["gateway"].decodeAddressIfPresent()))
    routes += try json["routes"].decodeIfPresent() ?? []
  }
}

extension AttachmentResult.Interface: JSONDecodable {
  /// `{"name": …, "mac": …, "sandbox": …}` and what else is there.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    func text(_ json: JSONCursor) throws(JSONDecodingError) -> String? {
      let text: String? = try json.decodeIfPresent()
      return text?.isEmpty == true ? nil : text
    }
    name = try json["name"].decode()
    mac = try text(json["mac"])
    mtu = try json["mtu"].decodeIfPresent()
    sandbox = try text(json["sandbox"])
    others = json.others(than: ["name", "mac", "mtu", "sandbox"])
  }
}

extension AttachmentResult.Address: JSONDecodable {
  /// `{"address": …, "gateway": …, "interface": …}` and what else is there.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    address = try json["address"].decode()
    gateway = try json["gateway"].decodeAddressIfPresent()
    // Some runtimes write -1 for "no interface".
    let index: Int64? = try json["interface"].decodeIfPresent()
    interface = index.flatMap { $0 < 0 ? nil : Int(exactly: $0) }
    others = json.others(than: ["version", "address", "gateway", "interface"])
  }
}
