import CNI
import PluginCore
import Addresses
import Linux
import Netlink
import Unixctl

/// Finds why one container does not reach another, an address or this host: the checks in the order
/// in which a fault explains the others. It reads only, and sends no packet.
final class Tracer {
  let host: HostReading
  let question: TraceQuestion
  var findings = Findings()
  private(set) var frames: [TracedFrame] = []
  /// The way of the packet; nil where it has none, or no addresses.
  private(set) var way: Way?

  init(_ question: TraceQuestion, on host: HostReading) {
    self.question = question
    self.host = host
  }

  /// Runs all checks; what cannot be looked at because of an earlier fault is left out.
  func run() {
    SwitchChecks.check(host, &findings)
    let ends = [question.from] + (question.target.map { [$0] } ?? [])
    for end in ends { SwitchChecks.check(end, host, &findings) }
    SwitchChecks.checkDuplicates(ends, host, &findings)
    guard let inside = question.from.end else { return }
    guard let destination = question.destination, question.family != nil else {
      checkLayer2()
      return
    }
    guard let there = route(inside, to: destination, of: question.from) else {
      return
    }
    let hop = there.gateway ?? destination
    let way = Way(
      destination: destination,
      source: there.source ?? question.from.addresses(destination.family).first?.address,
      nextHop: hop)
    self.way = way
    if let target = question.target, let end = target.end, let source = way.source {
      checkWayBack(target, end, to: source)
    }
    follow(way)
    checkRest(way)
  }

  // MARK: - Routes

  /// What is known of the way of the packet.
  struct Way {
    let destination: IPAddress
    /// Nil where the kernel chooses none.
    let source: IPAddress?
    let nextHop: IPAddress
  }

  /// The route of `attachment` to `destination`; nil, with a finding, without one.
  private func route(
    _ inside: AttachmentReading.Inside, to destination: IPAddress, of attachment: AttachmentReading
  ) -> RouteLookup? {
    let name = attachment.name
    func missing(_ reason: String) {
      let interface = attachment.record.attachment.interfaceName
      let family = destination.isIPv6 ? "-6 " : ""
      let near = attachment.addresses(destination.family).first { $0.contains(destination) }
      findings.fault(
        "no-route", name, "\(name) has no route to \(destination)\(reason).",
        remedy: near.map {
          "\(attachment.entering) ip \(family)route add \($0.masked) dev \(interface)"
        }
          ?? attachment.gatewayAddress(destination.family, on: host).map {
            "\(attachment.entering) ip \(family)route add default via \($0)"
          })
    }
    let lookup: RouteLookup
    do throws(RouteError) {
      lookup = try inside.socket.route(to: destination, until: host.deadline)
    } catch {
      guard error.isRefusal else {
        findings.skipped("route", name, "\(error)")
        return nil
      }
      missing("")
      return nil
    }
    if lookup.kind == .refused {
      missing(": a route there says that it is unreachable")
      return nil
    }
    if let index = lookup.linkIndex, index != inside.link.index, lookup.kind == .unicast {
      let other = try? inside.socket.link(.index(index), until: host.deadline).name
      findings.doubt(
        "other-device", name,
        "\(name) sends to \(destination) by \(other ?? "another link"), not by \(inside.link.name)."
      )
      return nil
    }
    let via = lookup.gateway.map { "by the gateway \($0)" } ?? "on the link"
    let from = lookup.source.map { ", from \($0)" } ?? ""
    findings.good("route", name, "\(destination) is \(via)\(from)")
    return lookup
  }

  /// Whether the answer has a route that leads back to the same link.
  private func checkWayBack(
    _ target: AttachmentReading, _ end: AttachmentReading.Inside, to source: IPAddress
  ) {
    let name = target.name
    do throws(RouteError) {
      let back = try end.socket.route(to: source, until: host.deadline)
      guard back.kind == .unicast, let index = back.linkIndex, index != end.link.index else {
        return
      }
      let other = (try? end.socket.link(.index(index), until: host.deadline).name) ?? "\(index)"
      let isStrict =
        ["all", end.link.name].contains {
          setting("ipv4/conf/\($0)/rp_filter", in: target) == "1"
        } && !source.isIPv6
      if isStrict {
        findings.fault(
          "rp-filter", name,
          "\(name) drops what comes from \(source), because its route back is by \(other) and "
            + "rp_filter is strict.",
          remedy: "\(target.entering) ip route replace \(source) dev \(end.link.name)")
      } else {
        findings.doubt(
          "other-device", name, "\(name) answers \(source) by \(other), not by \(end.link.name).")
      }
    } catch {
      guard error.isRefusal else { return }
      let gateway = target.gatewayAddress(source.family, on: host)
      let near = target.addresses(source.family).first { $0.contains(source) }
      findings.fault(
        "no-route", name, "\(name) has no route back to \(source).",
        remedy: near.map { "\(target.entering) ip route add \($0.masked) dev \(end.link.name)" }
          ?? gateway.map { "\(target.entering) ip route add default via \($0)" })
    }
  }

  func setting(_ path: String, in attachment: AttachmentReading) -> String? {
    guard let namespace = try? NetworkNamespace(path: attachment.record.sandbox) else { return nil }
    return (try? namespace.readSetting(path)) ?? nil
  }

  // MARK: - Bridges

  /// Follows the packet through the bridge to its next hop, and from there on.
  private func follow(_ way: Way) {
    let from = question.from
    guard let start = bridgeEnd(of: from, way.source) else { return }
    if let next = holder(of: way.nextHop, near: from), next.attachment != nil {
      // The next hop is a container of the same bridge, mostly the target itself.
      checkBridge(from.bridge, start, next, way)
      return
    }
    guard let gateway = gateway(of: from, way) else { return }
    checkBridge(from.bridge, start, gateway.end, way)
    _ = findings.checkSize(
      of: from,
      by: from.sizes.dropLast() + [("its gateway \(gateway.link.name)", gateway.link.mtu)])
    guard !findings.hasFault, host.holder(of: way.destination) == nil else {
      checkFirewall(
        at: "input",
        RulePacket(
          input: gateway.link.name, output: nil, source: way.source ?? way.destination,
          destination: way.destination, traffic: question.traffic), in: nil)
      return
    }
    checkForwarding(way, gateway.link)
    guard let target = question.target, let end = bridgeEnd(of: target, way.destination),
      let near = gatewayEnd(of: target, way.destination.family)
    else { return }
    checkBridge(target.bridge, near, end, way)
  }

  /// The frames of both directions.
  private func checkBridge(
    _ bridge: DatabaseReading.Bridge, _ from: BridgeEnd, _ to: BridgeEnd, _ way: Way
  ) {
    guard host.control != nil else { return }
    let before = findings.all.count
    for isReply in [false, true] where findings.all.count == before {
      let path = FramePath(
        bridge: bridge, from: isReply ? to : from, to: isReply ? from : to,
        source: isReply ? way.destination : way.source,
        destination: isReply ? way.source : way.destination, traffic: question.traffic,
        isReply: isReply)
      PathChecks(host: host, path: path).check(&frames, &findings)
    }
    guard findings.all.count == before else { return }
    checkTags([from.port, to.port])
    let both = [from, to].map { "\($0.port.name) (\($0.interface.ofport ?? 0))" }
    let vlans = from.port.vlans.description
    findings.good("ports", "ports", "\(both.joined(separator: " and ")): \(vlans)")
    findings.good(
      "bridge", "bridge \(bridge.name)",
      "\(way.destination.isIPv6 ? "neighbour discovery" : "ARP") and \(question.traffic.name) go "
        + "from \(from.name) to \(to.name), and back")
  }

  /// Two attachments without addresses: a frame by MAC addresses alone.
  private func checkLayer2() {
    guard let target = question.target, let from = bridgeEnd(of: question.from, nil),
      let to = bridgeEnd(of: target, nil)
    else { return }
    guard question.from.bridge.name == target.bridge.name else {
      findings.fault(
        "other-bridge", question.from.name,
        "\(question.from.name) is on bridge \(question.from.bridge.name), \(target.name) on "
          + "\(target.bridge.name), and neither has an address.")
      return
    }
    guard host.control != nil else { return }
    let before = findings.all.count
    for isReply in [false, true] where findings.all.count == before {
      let path = FramePath(
        bridge: target.bridge, from: isReply ? to : from, to: isReply ? from : to, source: nil,
        destination: nil, traffic: .icmp, isReply: isReply)
      PathChecks(host: host, path: path).check(&frames, &findings)
    }
    if findings.all.count == before {
      checkTags([from.port, to.port])
      findings.good(
        "bridge", "bridge \(target.bridge.name)",
        "frames go from \(from.name) to \(to.name), and back (neither has an address)")
    }
    checkSizes(question.from, target)
  }

  /// A tag that is there and means nothing.
  private func checkTags(_ ports: [DatabaseReading.Port]) {
    for port in ports { findings.checkTag(of: port) }
  }

  func bridgeEnd(of attachment: AttachmentReading, _ address: IPAddress?) -> BridgeEnd? {
    guard let interface = attachment.interface, let mac = attachment.end?.link.mac else {
      return nil
    }
    return BridgeEnd(
      name: attachment.name, port: attachment.port, interface: interface, mac: mac,
      address: address, attachment: attachment)
  }

  /// The container of the bridge of `attachment` that has `address`.
  private func holder(of address: IPAddress, near attachment: AttachmentReading) -> BridgeEnd? {
    if let target = question.target, target.bridge.name == attachment.bridge.name,
      target.addresses(address.family).contains(where: { $0.address == address })
    {
      return bridgeEnd(of: target, address)
    }
    return host.attachments.first { other in
      other.bridge.name == attachment.bridge.name
        && other.addresses(address.family).contains { $0.address == address }
    }.flatMap { bridgeEnd(of: $0, address) }
  }

  // MARK: - Output

  /// Whether what one end may send passes all that is on the way to the other.
  func checkSizes(_ from: AttachmentReading, _ to: AttachmentReading) {
    guard let one = from.end?.link.mtu, to.end != nil else { return }
    if findings.checkSize(of: from, by: from.sizes + to.sizes.reversed()) { return }
    if findings.checkSize(of: to, by: to.sizes + from.sizes.reversed()) { return }
    findings.good("mtu", "rest", "MTU \(one) all the way")
  }
}
