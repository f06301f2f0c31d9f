internal import Addresses
internal import JSON
internal import Netlink
internal import Nftables
internal import PluginConfigurations

extension FilterRule {
  /// The rule of this form, as the kernel runs it: what nft(8) would make of it, so that it also
  /// shows it as it was said. Nil where it has an expression that is none of those below.
  init?(_ rule: JSONObject) {
    let comment = rule["comment"]?.text
    guard let expressions = rule["expr"]?.array,
      comment?.utf8.count ?? 0 <= RuleOwner.longestComment
    else { return nil }
    var translation = RuleTranslation()
    for expression in expressions where !translation.append(expression) { return nil }
    self.init(translation.expressions, comment: comment)
  }
}

/// The expressions of a rule, one after the other. Where one looks at a header, it is compared
/// first, once, whether the packet has that.
private struct RuleTranslation {
  private(set) var expressions: [FilterExpression] = []
  private var family: IPAddress.Family?
  private var transport: PublishedPort.Transport?

  /// False for an expression that is not known here.
  mutating func append(_ json: JSONValue) -> Bool {
    guard let members = json.object?.members, members.count == 1 else { return false }
    let content = members[0].value
    switch members[0].name {
    case "match": return append(match: content)
    case "jump": return append(content["target"]?.text.map { .jump($0) })
    case "goto": return append(content["target"]?.text.map { .goTo($0) })
    case "dnat":
      guard content.object?.members.count == 3, let address = content["addr"]?.address,
        content["family"]?.text == address.family.word, let port = content["port"]?.port
      else { return false }
      expressions += FilterExpression.translateDestination(to: address, port: port)
      return true
    default: return false
    }
  }

  private mutating func append(_ verdict: FilterExpression.Verdict?) -> Bool {
    guard let verdict else { return false }
    expressions.append(.verdict(verdict))
    return true
  }

  private mutating func append(match: JSONValue) -> Bool {
    guard match["op"]?.text == "==", let field = match["left"]?["payload"],
      let value = match["right"], let header = field["protocol"]?.text,
      let name = field["field"]?.text
    else { return false }
    if let transport = PublishedPort.Transport(rawValue: header) {
      guard name == "dport", let port = value.port, requires(transport) else { return false }
      expressions += [
        .load(.transport, offset: 2, count: 2),
        .compare(.equal, [UInt8(port >> 8), UInt8(truncatingIfNeeded: port)]),
      ]
      return true
    }
    guard let prefix = value.prefix, prefix.address.family.word == header, prefix.length > 0,
      requires(prefix.address.family)
    else { return false }
    let isIPv6 = prefix.address.isIPv6
    switch name {
    case "saddr": compare(prefix, at: isIPv6 ? 8 : 12)
    case "daddr": compare(prefix, at: isIPv6 ? 24 : 16)
    default: return false
    }
    return true
  }

  /// No more bytes are loaded than are compared, where the prefix ends with one.
  private mutating func compare(_ prefix: IPPrefix, at offset: UInt32) {
    let bytes = prefix.network.bytes
    let length = Int(prefix.length)
    let isWhole = length % 8 == 0
    let count = isWhole ? length / 8 : bytes.count
    expressions.append(.load(.network, offset: offset, count: UInt32(truncatingIfNeeded: count)))
    if !isWhole {
      expressions.append(
        .mask(
          bytes.indices.map { index in
            UInt8(truncatingIfNeeded: 0xff00 >> min(max(length - 8 * index, 0), 8))
          }))
    }
    expressions.append(.compare(.equal, Array(bytes.prefix(count))))
  }

  /// False if the packet is to be of another family already.
  private mutating func requires(_ wanted: IPAddress.Family) -> Bool {
    if let family { return family == wanted }
    family = wanted
    expressions += FilterExpression.isOf(wanted)
    return true
  }

  private mutating func requires(_ wanted: PublishedPort.Transport) -> Bool {
    if let transport { return transport == wanted }
    transport = wanted
    expressions += [.loadTransport, .compare(.equal, [wanted.number])]
    return true
  }
}

extension JSONValue {
  /// The address that is written here.
  var address: IPAddress? { text.flatMap { IPAddress($0) } }

  fileprivate var port: UInt16? { integer.flatMap { UInt16(exactly: $0) } }

  /// A prefix, or an address as one of full length.
  fileprivate var prefix: IPPrefix? {
    if let address { return IPPrefix(address, length: address.family.bits) }
    guard let prefix = self["prefix"], let address = prefix["addr"]?.address,
      let length = prefix["len"]?.integer.flatMap({ UInt8(exactly: $0) })
    else { return nil }
    return IPPrefix(address, length: length)
  }
}

extension IPAddress.Family {
  /// What nft(8) calls its header.
  fileprivate var word: String { self == .v4 ? "ip" : "ip6" }
}
