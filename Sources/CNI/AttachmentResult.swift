public import Addresses
public import JSON

/// What ADD made (CNI specification 1.1.0, section 5 "Success").
///
/// Members that are not known are kept, so that a chained plugin hands them on.
public struct AttachmentResult: Hashable, Sendable {
  /// A link that the attachment has; on the host, or in a sandbox.
  public struct Interface: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// Its hardware address, as text: it need not be Ethernet. Nil where it has none.
    public var mac: String?
    /// Bytes; nil where the result does not have it. Since 1.1.0.
    public var mtu: UInt32?
    /// The path of the network namespace; nil on the host.
    public var sandbox: String?
    /// Members that are not known, among them `socketPath` and `pciID`.
    public var others = JSONObject()

    /// An interface.
    public init(name: String, mac: String?, mtu: UInt32? = nil, sandbox: String?) {
      self.name = name
      self.mac = mac
      self.mtu = mtu
      self.sandbox = sandbox
    }
  }

  /// An address of an interface.
  public struct Address: Hashable, Sendable {
    /// The address with the prefix length of its subnet.
    public var address: IPPrefix
    /// The next hop of a default route; nil without one.
    public var gateway: IPAddress?
    /// The index in `interfaces`; nil in the result of an IPAM plugin.
    public var interface: Int?
    /// Members that are not known.
    public var others = JSONObject()

    /// An address.
    public init(_ address: IPPrefix, gateway: IPAddress? = nil, interface: Int? = nil) {
      self.address = address
      self.gateway = gateway
      self.interface = interface
    }
  }

  /// The links, in the order of their making.
  public var interfaces: [Interface] = []
  /// The addresses.
  public var addresses: [Address] = []
  /// The routes.
  public var routes: [Route] = []
  /// Name servers and the like.
  public var dns = DNS()
  /// Members that are not known.
  public var others = JSONObject()

  /// A result with nothing in it.
  public init() {}
}

/// A route that an attachment has.
public struct Route: Hashable, Sendable, JSONDecodable {
  /// Where it leads; `0.0.0.0/0` or `::/0` is the default route.
  public var destination: IPPrefix
  /// The next hop; nil: the gateway of the address of that family.
  public var gateway: IPAddress?
  /// Bytes; nil: the link's. Since 1.1.0, as all that follow; the reference plugins write them
  /// since 0.3.0.
  public var mtu: UInt32?
  /// Bytes, the largest segment that TCP announces; nil: the kernel's.
  public var advertisedMSS: UInt32?
  /// The lower one wins; nil: the kernel's default.
  public var priority: UInt32?
  /// The routing table; nil: main.
  public var table: UInt32?
  /// 0 universe, 200 site, 253 link, 254 host; nil: what fits the next hop. See rtnetlink(7).
  public var scope: UInt8?
  /// Members that are not known.
  public var others = JSONObject()

  /// A route.
  public init(to destination: IPPrefix, gateway: IPAddress? = nil) {
    self.destination = destination
    self.gateway = gateway
  }

  /// The members that are known.
  public enum Member: String, JSONMember {
    case destination = "dst"
    case gateway = "gw"
    case mtu
    case advertisedMSS = "advmss"
    case priority, table, scope
  }
  private static let members = Member.allCases.map { $0.rawValue }

  /// `{"dst": …, "gw": …}` and what else is there.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    let prefix: IPPrefix = try json[Member.destination].decode()
    destination = prefix.unmapped
    gateway = try json[Member.gateway].decodeAddressIfPresent()?.unmapped
    if let gateway, gateway.family != destination.address.family {
      throw json[Member.gateway].error("\(gateway) is not of the family of \(destination)")
    }
    mtu = try json[Member.mtu].decodeIfPresent(in: 0...UInt32(65535))
    advertisedMSS = try json[Member.advertisedMSS].decodeIfPresent(in: 0...UInt32(65535))
    priority = try json[Member.priority].decodeIfPresent()
    table = try json[Member.table].decodeIfPresent()
    scope = try json[Member.scope].decodeIfPresent()
    others = json.others(than: Self.members)
  }

  /// The route as versions 0.1.0 and 0.2.0 have it, or with all its members.
  func json(_ version: SpecificationVersion) -> JSONValue {
    var members: [(String, JSONValue?)] = [
      (Member.destination.rawValue, .string(destination.description)),
      (Member.gateway.rawValue, gateway.map { .string($0.description) }),
    ]
    if version >= .v0_3_0 {
      members += [
        (Member.mtu.rawValue, mtu.map { .integer(Int64($0)) }),
        (Member.advertisedMSS.rawValue, advertisedMSS.map { .integer(Int64($0)) }),
        (Member.priority.rawValue, priority.map { .integer(Int64($0)) }),
        (Member.table.rawValue, table.map { .integer(Int64($0)) }),
        (Member.scope.rawValue, scope.map { .integer(Int64($0)) }),
      ]
      members += others.members.map { ($0.name, $0.value) }
    }
    return .object(members)
  }
}

/// How names are resolved (section 5 "Success", `dns`).
public struct DNS: Hashable, Sendable, JSONDecodable {
  /// Addresses of name servers, in the order of preference.
  public var nameservers: [String] = []
  /// The local domain; nil where there is none.
  public var domain: String?
  /// Domains to try for short names.
  public var search: [String] = []
  /// Options of the resolver.
  public var options: [String] = []

  /// The members.
  public enum Member: String, JSONMember {
    case nameservers, domain, search, options
  }

  /// Nothing.
  public init() {}

  /// Whether nothing is said.
  public var isEmpty: Bool { self == DNS() }

  /// An object with any of its members.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    if !json.isAbsent, json.value?.object == nil { throw json.expected("an object") }
    nameservers = try json[Member.nameservers].decodeIfPresent() ?? []
    domain = try json[Member.domain].decodeIfPresent()
    search = try json[Member.search].decodeIfPresent() ?? []
    options = try json[Member.options].decodeIfPresent() ?? []
  }

  /// Without the members that are empty.
  public var json: JSONValue {
    func list(_ items: [String]) -> JSONValue? {
      items.isEmpty ? nil : .array(items.map { .string($0) })
    }
    return .object([
      (Member.nameservers.rawValue, list(nameservers)),
      (Member.domain.rawValue, domain.map { .string($0) }),
      (Member.search.rawValue, list(search)), (Member.options.rawValue, list(options)),
    ])
  }
}

extension JSONCursor {
  /// The members of this object that are none of `known`.
  func others(than known: [String]) -> JSONObject {
    value?.object?.others(than: known) ?? JSONObject()
  }
}
