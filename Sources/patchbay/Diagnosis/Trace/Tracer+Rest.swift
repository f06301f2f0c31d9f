import PluginCore
import Addresses
import Linux
import Netlink
import OpenVSwitch

extension Tracer {
  /// What is left when routes, bridges and this host are well: sizes, checksums, neighbours, what
  /// listens, and what filters in the target.
  func checkRest(_ way: Way) {
    let from = question.from
    if let target = question.target { checkSizes(from, target) }
    checkChecksums()
    checkNeighbour(way)
    checkFilters()
    guard let target = question.target, let end = target.end, let source = way.source else {
      return
    }
    checkFirewall(
      at: "input",
      RulePacket(
        input: end.link.name, output: nil, source: source, destination: way.destination,
        traffic: question.traffic), in: target)
    checkListener(target, way.destination)
  }

  /// Whether a container hands over TCP and UDP without checksums, which a userspace datapath
  /// passes on as they are.
  private func checkChecksums() {
    guard host.root.otherConfiguration["userspace-tso-enable"] != "true" else { return }
    for end in [question.from] + (question.target.map { [$0] } ?? []) {
      guard end.bridge.datapath == .netdev, let inside = end.end else { continue }
      let name = inside.link.name
      guard
        (try? inside.socket.hasTransmitChecksumOffload(name)) == true
      else { continue }
      findings.fault(
        "tx-checksum", end.name,
        "\(end.name) sends TCP and UDP with unfinished checksums, which a bridge on the userspace "
          + "datapath passes on: ping works, TCP does not.",
        remedy: "\(end.entering) ethtool -K \(name) tx off")
    }
  }

  /// Whether the container knows the right MAC address for its next hop.
  private func checkNeighbour(_ way: Way) {
    let from = question.from
    guard let inside = from.end,
      let known = try? inside.socket.neighbours(of: inside.link.index, until: host.deadline)
        .first(where: { $0.address == way.nextHop })
    else { return }
    let right =
      host.holder(of: way.nextHop)?.mac
      ?? host.attachments.first { other in
        other.bridge.name == from.bridge.name
          && other.addresses(way.nextHop.family).contains { $0.address == way.nextHop }
      }?.end?.link.mac
    let remedy = "\(from.entering) ip neigh del \(way.nextHop) dev \(inside.link.name)"
    if let mac = known.mac, let right, mac != right {
      findings.fault(
        "neighbour-wrong", from.name,
        "\(from.name) sends to \(way.nextHop) by the MAC address \(mac), and \(right) is right.",
        remedy: remedy)
    } else if known.isUnreachable {
      findings.doubt(
        "arp-failed", from.name, "\(way.nextHop) has not responded to \(from.name) lately.",
        remedy: "\(from.entering) ip neigh show \(way.nextHop)")
    }
  }

  /// Whether something in the target takes what is sent to the port.
  private func checkListener(_ target: AttachmentReading, _ address: IPAddress) {
    guard let port = question.traffic.port,
      let listeners = try? Listeners(question.traffic, in: target.record.sandbox)
    else { return }
    let traffic = question.traffic.name
    let remedy = "\(target.entering) ss -ln\(traffic == "tcp" ? "t" : "u")"
    switch listeners.answer(address, port) {
    case .listens: findings.good("listener", target.name, "listens on \(traffic) port \(port)")
    case .none:
      findings.fault(
        "no-listener", target.name, "Nothing in \(target.name) listens on \(traffic) port \(port).",
        remedy: remedy)
    case .elsewhere(let other):
      findings.fault(
        "loopback-listener", target.name,
        "In \(target.name), \(traffic) port \(port) is listened on at \(other) only, not at "
          + "\(address).", remedy: remedy)
    }
  }
}
