import Addresses
import JSON

/// A packet as rules see it.
struct RulePacket {
  var input: String?
  var output: String?
  let source: IPAddress
  let destination: IPAddress
  let traffic: TraceQuestion.Traffic
  /// Whether it is the answer to one that went through.
  var isReply = false

  /// The answer to it.
  var reply: RulePacket {
    RulePacket(
      input: output, output: input, source: destination, destination: source, traffic: traffic,
      isReply: true)
  }
}

/// One rule of libnftables-json(5), applied to a packet.
enum RuleEvaluation {
  enum Verdict: Hashable {
    case accept
    case drop
    case leave
    case jump(String)
    case goto(String)
    /// A verdict map or another statement that decides by what is not read here.
    case unreadable
  }

  /// Whether the rule's conditions hold (nil: unknown), and what it decides; nil where
  /// it decides nothing.
  static func evaluate(_ expressions: [JSONValue], _ packet: RulePacket)
    -> (matches: Bool?, verdict: Verdict?)
  {
    var matches: Bool? = true
    for expression in expressions {
      guard let member = expression.object?.members.first else { continue }
      switch member.name {
      case "match":
        guard let holds = condition(member.value, packet) else {
          matches = nil
          continue
        }
        if !holds { return (false, nil) }
      case "accept": return (matches, .accept)
      case "drop", "reject": return (matches, .drop)
      case "return": return (matches, .leave)
      case "jump": return (matches, .jump(member.value["target"]?.text ?? ""))
      case "goto": return (matches, .goto(member.value["target"]?.text ?? ""))
      case "vmap", "queue": return (matches, .unreadable)
      case "xt":
        // iptables' own matches are shown without content; a comment holds always.
        if member.value["type"]?.text == "match", member.value["name"]?.text != "comment" {
          matches = nil
        } else if member.value["type"]?.text == "target" {
          return (matches, .unreadable)
        }
      case "limit": matches = nil
      default: continue
      }
    }
    return (matches, nil)
  }

  /// Whether a match holds; nil where that is unknown.
  static func condition(_ match: JSONValue, _ packet: RulePacket) -> Bool? {
    guard let left = match["left"], let right = match["right"],
      let found = values(of: left, packet)
    else { return nil }
    guard let holds = includes(right, found) else { return nil }
    switch match["op"]?.text {
    case "==", "in": return holds
    case "!=": return !holds
    default: return nil
    }
  }

  /// What a packet has for an expression: any of the names by which rules write it.
  private static func values(of expression: JSONValue, _ packet: RulePacket) -> [JSONValue]? {
    if let meta = expression["meta"]?["key"]?.text {
      switch meta {
      case "iifname", "iif": return [.string(packet.input ?? "")]
      case "oifname", "oif": return [.string(packet.output ?? "")]
      case "nfproto":
        return [.string(packet.destination.isIPv6 ? "ipv6" : "ipv4")]
      case "l4proto": return protocols(packet)
      default: return nil
      }
    }
    if let payload = expression["payload"] {
      let field = payload["field"]?.text ?? ""
      switch payload["protocol"]?.text {
      case "ip"?, "ip6"?:
        let isIPv6 = payload["protocol"]?.text == "ip6"
        guard isIPv6 == packet.destination.isIPv6 else { return [] }
        switch field {
        case "saddr": return [.string(packet.source.description)]
        case "daddr": return [.string(packet.destination.description)]
        case "protocol", "nexthdr": return protocols(packet)
        default: return nil
        }
      case let name?:
        guard name == packet.traffic.name || name == "th" else {
          return ["tcp", "udp", "icmp", "icmpv6", "sctp"].contains(name) ? [] : nil
        }
        guard let port = packet.traffic.port, field == (packet.isReply ? "sport" : "dport") else {
          return nil
        }
        return [.integer(Int64(port))]
      case nil: return nil
      }
    }
    if expression["ct"]?["key"]?.text == "state" {
      return [.string(packet.isReply ? "established" : "new")]
    }
    return nil
  }

  private static func protocols(_ packet: RulePacket) -> [JSONValue] {
    switch packet.traffic {
    case .tcp: ["tcp", 6]
    case .udp: ["udp", 17]
    case .icmp: packet.destination.isIPv6 ? ["ipv6-icmp", "icmpv6", 58] : ["icmp", 1]
    }
  }

  /// Whether `right` is or contains one of `found`; nil where it cannot be read.
  private static func includes(_ right: JSONValue, _ found: [JSONValue]) -> Bool? {
    if let members = right.array ?? right["set"]?.array {
      var isUnknown = false
      for member in members {
        switch includes(member, found) {
        case true?: return true
        case nil: isUnknown = true
        case false?: continue
        }
      }
      return isUnknown ? nil : false
    }
    if let prefix = right["prefix"], let text = prefix["addr"]?.text,
      let length = prefix["len"]?.integer, let bits = UInt8(exactly: length)
    {
      guard let address = IPAddress(text), let network = IPPrefix(address, length: bits) else {
        return nil
      }
      return found.contains { $0.text.flatMap { IPAddress($0) }.map(network.contains) ?? false }
    }
    if let bounds = right["range"]?.array, bounds.count == 2 {
      guard let low = bounds[0].integer, let high = bounds[1].integer, low <= high else {
        return nil
      }
      return found.contains { $0.integer.map { (low...high).contains($0) } ?? false }
    }
    if let text = right.text {
      if text.hasPrefix("@") { return nil }
      if text.hasSuffix("*") {
        return found.contains { $0.text?.hasPrefix(text.dropLast()) ?? false }
      }
      return found.contains(right)
    }
    return right.integer == nil ? nil : found.contains(right)
  }
}
