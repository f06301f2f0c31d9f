import Addresses
import CNI
import JSON
import Linux
import Netlink
import PluginCore

/// One question for a MAC address and one packet, sent from the container as it would send them
/// itself, and watched at both ends and both ports for a second.
///
/// It is asked for by name only: neighbour tables and learnt MAC addresses are refreshed, and an
/// application sees a connection that goes at once.
struct Probe {
  private let question: TraceQuestion
  private let way: Tracer.Way
  private let host: HostReading
  private let filter: ProbeFilter

  /// Nil where the packet has no way that could be watched: an address, a route or a link is
  /// missing.
  init?(_ tracer: Tracer) {
    guard let way = tracer.way, let source = way.source else { return nil }
    question = tracer.question
    host = tracer.host
    self.way = way
    filter = ProbeFilter(source: source, destination: way.destination, nextHop: way.nextHop)
  }

  /// What was seen at one place, in the order of the way.
  struct Sighting: Hashable {
    let place: String
    var counts: [ProbeFilter.Kind: Int] = [:]
  }

  struct Outcome {
    enum Verdict: String {
      /// The packet was answered.
      case answered
      /// It arrived, and was refused.
      case refused
      /// Nothing came back within a second.
      case silent
    }
    let verdict: Verdict
    let sightings: [Sighting]
    let traffic: String
    /// The rule that dropped something meanwhile; nil where none did, or the packet was answered.
    let rule: RuleCounters.Increase?
  }

  func run() throws -> Outcome {
    let sandbox = try NetworkNamespace(path: question.from.record.sandbox)
    let own = try NetworkNamespace.current()
    guard let end = question.from.end, let source = way.source else {
      throw Failure("\(question.from.name) has no link to send from")
    }
    var sightings = [
      Sighting(place: "\(question.from.name) \(end.link.name)"),
      Sighting(place: "port \(question.from.port.name)"),
    ]
    let first = Watch(
      try PacketSocket(in: sandbox, index: end.link.index, filter: filter.instructions))
    guard let port = question.from.hostLink else {
      throw Failure("the port \(question.from.port.name) has no link")
    }
    var watches = [
      first, Watch(try PacketSocket(in: own, index: port.index, filter: filter.instructions)),
    ]
    if let target = question.target, let inside = target.end, let link = target.hostLink {
      sightings.append(Sighting(place: "port \(target.port.name)"))
      sightings.append(Sighting(place: "\(target.name) \(inside.link.name)"))
      watches.append(
        Watch(try PacketSocket(in: own, index: link.index, filter: filter.instructions)))
      let place = try NetworkNamespace(path: target.record.sandbox)
      watches.append(
        Watch(
          try PacketSocket(in: place, index: inside.link.index, filter: filter.instructions)))
    }
    let attachments = [question.from] + (question.target.map { [$0] } ?? [])
    let counters = RuleCounters(attachments, until: host.deadline)
    if let request = addressRequest(from: source, mac: end.link.mac) { try? first.send(request) }
    let connection = try? send(from: sandbox)
    let limit = Deadline.after(.seconds(1))
    while !limit.hasPassed {
      let waiting = watches.map(\.readiness)
      guard try wait(for: waiting, until: limit) != nil else { break }
      for (index, watch) in watches.enumerated() {
        while let frame = try watch.receive() {
          guard let kind = filter.kind(frame) else { continue }
          sightings[index].counts[kind, default: 0] += 1
        }
      }
      if sightings[0].counts[.reply] != nil || sightings[0].counts[.refusal] != nil { break }
    }
    _ = connection
    let here = sightings[0].counts
    let verdict: Outcome.Verdict =
      here[.refusal] != nil ? .refused : here[.reply] != nil ? .answered : .silent
    var rule: RuleCounters.Increase?
    if verdict != .answered {
      rule = RuleCounters(attachments, until: .after(.seconds(5)))
        .increase(since: counters, attachments)
    }
    return Outcome(
      verdict: verdict, sightings: sightings, traffic: question.traffic.name, rule: rule)
  }

  /// The packet, by an ordinary socket: route, source and neighbour are the kernel's affair.
  private func send(from sandbox: borrowing NetworkNamespace) throws(SystemError) -> Connection {
    let octets = way.destination.bytes
    switch question.traffic {
    case .icmp:
      let socket = try FileDescriptor.connecting(to: octets, port: 0, type: .echo, in: sandbox)
      try socket.send(Self.echoRequest(isIPv6: way.destination.isIPv6))
      return Connection(socket)
    case .tcp(let port):
      return Connection(
        try FileDescriptor.connecting(to: octets, port: port, type: .stream, in: sandbox))
    case .udp(let port):
      let socket = try FileDescriptor.connecting(
        to: octets, port: port, type: .datagram, in: sandbox)
      try socket.send([])
      return Connection(socket)
    }
  }

  /// ICMP echo request (RFC 792, RFC 4443 §4.1). For ICMPv6 the kernel fills in the checksum.
  private static func echoRequest(isIPv6: Bool) -> [UInt8] {
    var message: [UInt8] = [isIPv6 ? 128 : 8, 0, 0, 0, 0x70, 0x62, 0, 1]
    guard !isIPv6 else { return message }
    // RFC 1071: the complement of the sum of all words.
    var sum: UInt32 = 0
    for index in stride(from: 0, to: message.count, by: 2) {
      sum += UInt32(message[index]) << 8 | UInt32(message[index + 1])
    }
    while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
    let checksum = ~UInt16(truncatingIfNeeded: sum)
    message[2] = UInt8(checksum >> 8)
    message[3] = UInt8(checksum & 0xff)
    return message
  }

  /// An ARP request for the next hop (RFC 826): two answers show that an address is used twice.
  private func addressRequest(from source: IPAddress, mac: MACAddress?) -> [UInt8]? {
    guard !source.isIPv6, let mac else { return nil }
    var frame = [UInt8](repeating: 0xff, count: 6) + mac.bytes + [8, 6]
    frame += [0, 1, 8, 0, 6, 4, 0, 1] + mac.bytes + source.bytes
    return frame + [UInt8](repeating: 0, count: 6) + way.nextHop.bytes
  }

  /// Keeps the socket open until the watching ends.
  private final class Connection {
    private let socket: FileDescriptor
    init(_ socket: consuming FileDescriptor) { self.socket = socket }
  }
  private final class Watch {
    private let socket: PacketSocket
    init(_ socket: consuming PacketSocket) { self.socket = socket }
    var readiness: Readiness { socket.readiness }
    func receive() throws(SystemError) -> [UInt8]? { try socket.receive() }
    func send(_ frame: [UInt8]) throws(SystemError) { try socket.send(frame) }
  }
}

extension Probe.Outcome {
  /// What was seen where, and what that says.
  func lines(isBrief: Bool) -> [String] {
    var lines: [String] = []
    if !isBrief {
      let column = sightings.map(\.place.count).max() ?? 0
      lines += sightings.map { sighting in
        let count = { (kind: ProbeFilter.Kind) in sighting.counts[kind] ?? 0 }
        let place = sighting.place + String(repeating: " ", count: column - sighting.place.count)
        return "  \(place)  questions \(count(.question)), answered \(count(.answer)); \(traffic) "
          + "\(count(.request)), answers \(count(.reply) + count(.refusal))"
      }
    }
    guard let rule else { return lines + Paragraph.lines(sentence) }
    let text = "\(sentence) Meanwhile \(rule.subject) counted \(rule.packets)."
    return lines + Paragraph.lines(text) + ["    \(rule.remedy)"]
  }

  /// Where the packet was seen last.
  private var sentence: String {
    switch verdict {
    case .answered: return "\(traffic) is answered."
    case .refused: return "\(traffic) arrives, and is refused."
    case .silent: break
    }
    let reached = sightings.lastIndex { ($0.counts[.request] ?? 0) > 0 }
    let replies = sightings.firstIndex { ($0.counts[.reply] ?? 0) > 0 }
    if let replies, replies > 0 {
      return "No answer within 1 s: an answer is seen at \(sightings[replies].place), not at "
        + "\(sightings[replies - 1].place)."
    }
    guard let reached else {
      let asked = sightings.lastIndex { ($0.counts[.question] ?? 0) > 0 }
      let place = asked.map { "is seen at \(sightings[$0].place) last, and " } ?? ""
      return "No answer within 1 s: the question for the MAC address \(place)is not answered."
    }
    guard reached + 1 < sightings.count else {
      return "No answer within 1 s: \(traffic) reaches \(sightings[reached].place), and nothing "
        + "responds."
    }
    return "No answer within 1 s: \(traffic) is seen at \(sightings[reached].place), not at "
      + "\(sightings[reached + 1].place)."
  }

  var json: JSONValue {
    .object([
      ("verdict", .string(verdict.rawValue)),
      (
        "seen",
        .array(
          sightings.map { sighting in
            func count(_ kind: ProbeFilter.Kind) -> JSONValue {
              .integer(Int64(sighting.counts[kind] ?? 0))
            }
            return [
              "place": .string(sighting.place), "questions": count(.question),
              "answers": count(.answer), "requests": count(.request), "replies": count(.reply),
              "refusals": count(.refusal),
            ]
          })
      ),
      (
        "rule",
        rule.map {
          [
            "subject": .string($0.subject), "packets": .integer($0.packets),
            "remedy": .string($0.remedy),
          ]
        }
      ),
    ])
  }
}
