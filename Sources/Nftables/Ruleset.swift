public import Addresses
public import JSON

// A ruleset as values: what nft(8) calls tables, chains, rules, maps and elements, each with the
// form that libnftables-json(5) gives it.

/// A table of the firewall. All else has its name within one.
public struct FirewallTable: Hashable, Sendable, CustomStringConvertible {
  /// Whose packets the chains of a table see.
  public enum Family: String, Hashable, Sendable {
    /// IPv4 and IPv6.
    case inet
    /// IPv4.
    case ip
    /// IPv6.
    case ip6
    /// Frames of one link.
    case netdev
    /// Frames that a bridge of the kernel forwards.
    case bridge
  }
  /// Where a chain begins that packets get to without a jump.
  public struct Hook: Hashable, Sendable {
    /// `filter`, `nat` or `route`.
    public let type: String
    /// `prerouting`, `postrouting`, `ingress` …
    public let name: String
    /// The lower ones come first. Names for some of them, as `srcnat`, are not legal at all hooks.
    public let priority: Int64
    /// The link, for those of the family `netdev`.
    public let device: String?

    /// A hook; packets that no rule decides about are accepted.
    public init(type: String, _ name: String, priority: Int64, device: String? = nil) {
      self.type = type
      self.name = name
      self.priority = priority
      self.device = device
    }
  }
  /// Its family.
  public let family: Family
  /// Its name; no other of the family has the same.
  public let name: String

  /// The table of this name.
  public init(_ family: Family, _ name: String) {
    self.family = family
    self.name = name
  }

  /// `inet patchbay-ports`
  public var description: String { "\(family.rawValue) \(name)" }

  /// The table itself.
  public var object: FirewallObject {
    FirewallObject(["table": ["family": .string(family.rawValue), "name": .string(name)]])
  }
  private func object(_ kind: String, _ members: [(String, JSONValue?)]) -> FirewallObject {
    let place: [(String, JSONValue?)] = [
      ("family", .string(family.rawValue)), ("table", .string(name)),
    ]
    return FirewallObject(.object([(kind, .object(place + members))]))
  }

  /// A chain; with a hook, one that packets begin with.
  public func chain(_ name: String, at hook: Hook? = nil) -> FirewallObject {
    object(
      "chain",
      [
        ("name", .string(name)), ("type", hook.map { .string($0.type) }),
        ("hook", hook.map { .string($0.name) }), ("prio", hook.map { .integer($0.priority) }),
        ("dev", hook?.device.map { .string($0) }), ("policy", hook.map { _ in "accept" }),
      ])
  }
  /// A rule at the end of `chain`.
  public func rule(
    _ chain: String, _ expressions: [FirewallExpression], comment: String? = nil
  ) -> FirewallObject {
    object(
      "rule",
      [
        ("chain", .string(chain)), ("comment", comment.map { .string($0) }),
        ("expr", .array(expressions.map { $0.json })),
      ])
  }
  /// The very rule that the kernel gave this number.
  public func rule(_ chain: String, handle: Int64) -> FirewallObject {
    object("rule", [("chain", .string(chain)), ("handle", .integer(handle))])
  }
  /// A map to verdicts, from keys of these types one after the other: `ipv4_addr`, `inet_service` …
  public func map(_ name: String, from types: [String]) -> FirewallObject {
    object("map", [("name", .string(name)), ("type", type(types)), ("map", "verdict")])
  }
  /// A set of such keys.
  public func set(_ name: String, of types: [String]) -> FirewallObject {
    object("set", [("name", .string(name)), ("type", type(types))])
  }
  private func type(_ types: [String]) -> JSONValue {
    types.count == 1 ? .string(types[0]) : .array(types.map { .string($0) })
  }
  /// Elements of the map `map`, which lead to `chain`; without it, as they are deleted, and those
  /// of a set.
  public func elements(
    _ map: String, _ keys: [FirewallKey], to chain: String? = nil
  ) -> FirewallObject {
    let elements = keys.map { key -> JSONValue in
      chain.map { [key.json, FirewallExpression.goto($0).json] } ?? key.json
    }
    return object("element", [("name", .string(map)), ("elem", .array(elements))])
  }
}

/// Something in the firewall.
public struct FirewallObject: Hashable, Sendable {
  /// An object with its kind as only member.
  public let json: JSONValue

  /// An object of this form.
  public init(_ json: JSONValue) { self.json = json }
}

/// A change of the firewall.
public struct FirewallCommand: Hashable, Sendable {
  /// An object with the command as only member.
  public let json: JSONValue

  init(_ name: String, _ object: FirewallObject) { json = .object([(name, object.json)]) }

  /// Makes it unless it is there.
  public static func add(_ object: FirewallObject) -> Self { Self("add", object) }
  /// Makes it; refused where it is there.
  public static func create(_ object: FirewallObject) -> Self { Self("create", object) }
  /// Deletes it; refused where it is not there, or something refers to it.
  public static func delete(_ object: FirewallObject) -> Self { Self("delete", object) }
  /// Empties a chain or a set.
  public static func flush(_ object: FirewallObject) -> Self { Self("flush", object) }
}

/// The key of an element.
public struct FirewallKey: Hashable, Sendable {
  /// A value, or several as a concatenation.
  public let json: JSONValue

  /// A key of these values, one for each type of the map.
  public init(_ values: [JSONValue]) {
    json = values.count == 1 ? values[0] : ["concat": .array(values)]
  }
}

/// A part of a rule: a condition, or what is done.
public struct FirewallExpression: Hashable, Sendable {
  /// Its form.
  public let json: JSONValue

  /// An expression of this form.
  public init(_ json: JSONValue) { self.json = json }

  /// Goes on in another chain and does not come back.
  public static func goto(_ chain: String) -> Self {
    Self(["goto": ["target": .string(chain)]])
  }
  /// Goes on in another chain, and here if that decides nothing.
  public static func jump(_ chain: String) -> Self {
    Self(["jump": ["target": .string(chain)]])
  }
  /// The end of the packet.
  public static var drop: Self { Self(["drop": .null]) }
  /// No chain at this hook sees the packet any more, of this table.
  public static var accept: Self { Self(["accept": .null]) }
  /// The source becomes the address of the link that the packet leaves by.
  public static var masquerade: Self { Self(["masquerade": .null]) }
  /// The destination becomes `address` and `port`.
  public static func dnat(to address: IPAddress, port: UInt16) -> Self {
    let family: JSONValue = address.isIPv6 ? "ip6" : "ip"
    return Self([
      "dnat": [
        "family": family, "addr": .string(address.description), "port": .integer(Int64(port)),
      ]
    ])
  }
  /// Goes where the map `map` leads from these fields, one after the other; nowhere without such an
  /// element.
  public static func lookUp(_ fields: [FirewallField], in map: String) -> Self {
    let key = fields.count == 1 ? fields[0].json : ["concat": .array(fields.map { $0.json })]
    return Self(["vmap": ["key": key, "data": .string("@\(map)")]])
  }
  /// Goes on if `field` and `value` are so to each other: `==`, `!=`, `in` …
  public static func match(
    _ field: FirewallField, _ operator: String = "==", _ value: JSONValue
  ) -> Self {
    Self(["match": ["op": .string(`operator`), "left": field.json, "right": value]])
  }
  /// Goes on if an address is in `prefix`, or, with `!=`, is not.
  public static func match(
    _ field: FirewallField, _ operator: String = "==", in prefix: IPPrefix
  ) -> Self {
    // A prefix of full length is listed as an address.
    let value: JSONValue =
      prefix.length == prefix.address.family.bits
      ? .string(prefix.address.description)
      : [
        "prefix": [
          "addr": .string(prefix.network.description), "len": .integer(Int64(prefix.length)),
        ]
      ]
    return match(field, `operator`, value)
  }
}

/// What a condition looks at.
public struct FirewallField: Hashable, Sendable {
  /// Its form.
  public let json: JSONValue

  /// A field of this form.
  public init(_ json: JSONValue) { self.json = json }

  /// A field of a header: `ip` `saddr`, `th` `dport` …
  public static func header(_ protocol: String, _ field: String) -> Self {
    Self(["payload": ["protocol": .string(`protocol`), "field": .string(field)]])
  }
  /// The source or destination address of a family.
  public static func source(_ family: IPAddress.Family) -> Self { header(name(family), "saddr") }
  /// The destination address of a family.
  public static func destination(_ family: IPAddress.Family) -> Self {
    header(name(family), "daddr")
  }
  private static func name(_ family: IPAddress.Family) -> String { family == .v4 ? "ip" : "ip6" }
  /// What the kernel knows of the packet: `iifname`, `l4proto` …
  public static func meta(_ key: String) -> Self { Self(["meta": ["key": .string(key)]]) }
  /// What the kernel knows of the connection: `status`, `state` …
  public static func connection(_ key: String) -> Self { Self(["ct": ["key": .string(key)]]) }
  /// Of which type the destination address is for this host: `local`, `broadcast` …
  public static var destinationType: Self { Self(["fib": ["result": "type", "flags": ["daddr"]]]) }
}
