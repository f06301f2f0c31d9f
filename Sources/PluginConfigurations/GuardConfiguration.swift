public import Addresses
internal import CNI
public import JSON

/// What the container behind a port may send, from the members `guard` and `macspoofchk`. The
/// addresses that the attachment gets itself are not here.
public struct GuardConfiguration: Hashable, Sendable {
  /// How much of a frame is looked at.
  public enum Mode: String, Hashable, Sendable, CaseIterable, JSONDecodable {
    /// Its source alone, as with `macspoofchk` of the reference bridge plugin.
    case mac
    /// Also the addresses of IPv4, IPv6, ARP and neighbour discovery.
    case full
  }
  /// Which link-local addresses of IPv6 are the container's.
  public enum LinkLocal: String, Hashable, Sendable, CaseIterable, JSONDecodable {
    /// The one that follows from its Ethernet address: RFC 4291, appendix A.
    case eui64
    /// All.
    case any
  }
  /// Members of a plugin configuration.
  public enum Member: String, JSONMember {
    case `guard`, macspoofchk
  }
  /// Members of the object `guard`.
  public enum Detail: String, JSONMember {
    case mode, allowed, dhcpClient, linkLocal
  }
  /// What may be sent besides.
  public struct Allowed: Hashable, Sendable {
    /// The members.
    public enum Member: String, JSONMember {
      case mac, ips
    }
    /// Nil for the attachment's own.
    public let mac: MACAddress?
    /// Without bits beyond the prefixes; nil for the attachment's own addresses.
    public let prefixes: [IPPrefix]?
  }

  /// How much of a frame is looked at.
  public let mode: Mode
  /// At most 64.
  public let allowed: [Allowed]
  /// Whether requests to DHCP servers pass.
  public let dhcpClient: Bool
  /// Which link-local addresses of IPv6 are the container's.
  public let linkLocal: LinkLocal

  /// How many addresses `allowed` may have in all: each is an instruction or a rule of its own.
  public static let mostAddresses = 256

  /// Reads the members of a plugin configuration; nil where nothing is policed.
  public static func decode(_ json: JSONCursor) throws(JSONDecodingError) -> Self? {
    let member = json[Member.guard]
    let reference: Bool = try json[Member.macspoofchk].decodeIfPresent() ?? false
    switch member.value {
    case nil, .null: return reference ? Self(.mac) : nil
    case .bool(false):
      if reference {
        throw member.error("false and \"macspoofchk\": true exclude each other")
      }
      return nil
    case .bool(true), .object: break
    case .string("mac"): return Self(.mac)
    default: throw member.expected("true, false, \"mac\" or an object")
    }
    let isDHCP = json[PluginMember.ipam][IPAMMember.type].value == "dhcp"
    let guarded =
      member.value == true ? Self(.full, dhcpClient: isDHCP) : try Self(member, isDHCP: isDHCP)
    try guarded.check(member, json)
    return guarded
  }

  // MARK: - In the rows of an attachment

  /// What is said besides the mode, as JSON; nil where that is nothing.
  public var details: String? {
    guard self != Self(mode) else { return nil }
    let items = allowed.map { item -> JSONValue in
      .object([
        (Allowed.Member.mac.rawValue, item.mac.map { .string($0.description) }),
        (
          Allowed.Member.ips.rawValue,
          item.prefixes.map { .array($0.map { .string($0.description) }) }
        ),
      ])
    }
    let json: JSONValue = .object([
      (Detail.allowed.rawValue, .array(items)), (Detail.dhcpClient.rawValue, .bool(dhcpClient)),
      (Detail.linkLocal.rawValue, .string(linkLocal.rawValue)),
    ])
    return String(decoding: json.encoded(), as: UTF8.self)
  }

  /// Reads what the rows of an attachment have: the mode, and `details`. Nil for what is not of
  /// that form.
  public init?(mode: String, details: String?) {
    guard let mode = Mode(rawValue: mode) else { return nil }
    guard let details else {
      self = Self(mode)
      return
    }
    guard let value = try? JSONValue(parsing: Array(details.utf8)), value.object != nil,
      let read = try? Self(JSONCursor(value), mode: mode, isDHCP: false)
    else { return nil }
    self = read
  }

  private init(_ mode: Mode, dhcpClient: Bool = false) {
    self.mode = mode
    self.dhcpClient = dhcpClient
    allowed = []
    linkLocal = .eui64
  }

  private init(_ json: JSONCursor, mode: Mode? = nil, isDHCP: Bool) throws(JSONDecodingError) {
    let named: Mode? = try json[Detail.mode].decodeIfPresent()
    self.mode = mode ?? named ?? .full
    linkLocal = try json[Detail.linkLocal].decodeIfPresent() ?? .eui64
    dhcpClient = try json[Detail.dhcpClient].decodeIfPresent() ?? isDHCP
    allowed = try Self.allowed(json[Detail.allowed])
  }

  private static func allowed(_ json: JSONCursor) throws(JSONDecodingError) -> [Allowed] {
    guard !json.isAbsent else { return [] }
    var allowed: [Allowed] = []
    var count = 0
    for item in try json.elements(atMost: 64) {
      if item.value?.object == nil {
        throw item.expected("an object with \"mac\", \"ips\" or both")
      }
      let mac: MACAddress? = try item[Allowed.Member.mac].decodeIfPresent()
      var prefixes: [IPPrefix]?
      if !item[Allowed.Member.ips].isAbsent {
        var found: [IPPrefix] = []
        for address in try item[Allowed.Member.ips].elements(atMost: mostAddresses) {
          found.append(try prefix(address))
        }
        count += found.count
        prefixes = found
      }
      if mac == nil, prefixes == nil { throw item.error("has neither \"mac\" nor \"ips\"") }
      allowed.append(Allowed(mac: mac, prefixes: prefixes))
    }
    guard count <= mostAddresses else {
      throw json.error("\(count) addresses are too many; at most \(mostAddresses) are legal in all")
    }
    return allowed
  }

  /// An address, or all of a prefix.
  private static func prefix(_ json: JSONCursor) throws(JSONDecodingError) -> IPPrefix {
    let text = try json.decode(String.self)
    if let address = IPAddress(text) { return IPPrefix(single: address) }
    let prefix: IPPrefix = try json.decode()
    // An address with the length of its subnet would allow the whole subnet.
    guard prefix.masked == prefix else {
      throw json.error(
        "\"\(text)\" has bits beyond its prefix; write \"\(prefix.address)\" for the address, "
          + "\"\(prefix.masked)\" for all of the subnet")
    }
    return prefix
  }

  /// Refuses what could never have an address, or never pass the guard.
  private func check(_ member: JSONCursor, _ json: JSONCursor) throws(JSONDecodingError) {
    let hasIPAM = json[PluginMember.ipam][IPAMMember.type].value?.text?.isEmpty == false
    let hasAddresses = allowed.contains { $0.prefixes?.isEmpty == false }
    if mode == .full, !hasIPAM, !hasAddresses {
      throw member.error(
        "without \"ipam\" there are no addresses that could pass; name them in "
          + "\"guard\": {\"allowed\": [{\"ips\": […]}]}, or write \"mac\"")
    }
  }
}
