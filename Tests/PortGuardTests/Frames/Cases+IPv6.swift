import PortGuard

extension Case {
  private static func own(_ payload: [UInt8]) -> Frame {
    Frame(Container.mac, type: 0x86dd, payload)
  }

  static let ipv6: [Case] = {
    typealias C = Container
    let echo = Frame.icmpv6(128)
    let server = Frame.udp(547, 546)
    func behind(_ headers: [UInt8], _ next: UInt8, _ content: [UInt8]) -> [UInt8] {
      var bytes: [UInt8] = []
      for (position, _) in headers.enumerated() {
        bytes += Frame.header(position + 1 < headers.count ? headers[position + 1] : next)
      }
      return Frame.ipv6(C.ipv6, next: headers[0], bytes + content)
    }
    return [
      Case(true, "IPv6 from own", own(Frame.ipv6(C.ipv6, next: 58, echo))),
      Case(true, "IPv6 from the link-local", own(Frame.ipv6(C.linkLocal, next: 58, echo))),
      Case(true, "TCP over IPv6", own(Frame.ipv6(C.ipv6, next: 6, server))),
      Case(true, "nothing over IPv6", own(Frame.ipv6(C.ipv6, next: 59, []))),
      Case(false, "IPv6 of another", own(Frame.ipv6("fd00::3", next: 58, echo))),
      Case(false, "another link-local", own(Frame.ipv6("fe80::1", next: 58, echo))),
      Case(false, "IPv6 from no address", own(Frame.ipv6("::", next: 58, echo))),
      Case(
        false, "IPv6 of another behind headers",
        own(Frame.ipv6("fd00::3", next: 0, Frame.header(58) + echo))),
      Case(true, "IPv6 from a prefix", own(Frame.ipv6("fd00:7::ff", next: 6, server))),
      Case(false, "IPv6 beside a prefix", own(Frame.ipv6("fd00:7::100", next: 6, server))),
      Case(
        true, "IPv6 of the other sender from a prefix",
        Frame(C.virtual, type: 0x86dd, Frame.ipv6("fd00:9:ff::1", next: 6, server))),
      Case(
        false, "IPv6 of the other sender beside it",
        Frame(C.virtual, type: 0x86dd, Frame.ipv6("fd00:9:100::1", next: 6, server))),
      Case(
        false, "version 4 as IPv6",
        own([0x40] + Frame.ipv6(C.ipv6, next: 58, echo).dropFirst())),
      Case(false, "DHCPv6 server", own(Frame.ipv6(C.linkLocal, next: 17, server))),
      Case(true, "DHCPv6 client", own(Frame.ipv6(C.linkLocal, next: 17, Frame.udp(546, 547)))),
      Case(false, "DHCPv6 server behind a header", own(behind([60], 17, server))),
      Case(
        false, "DHCPv6 server behind seven headers",
        own(behind([0, 60, 60, 60, 43, 60, 60], 17, server))),
      Case(
        false, "UDP behind a header longer than the packet",
        own(Frame.ipv6(C.ipv6, next: 60, [17, 9, 1, 4, 0, 0, 0, 0] + Frame.udp(5, 6)))),
      Case(
        false, "ICMPv6 behind a header longer than the packet",
        own(Frame.ipv6(C.ipv6, next: 43, [58, 200, 1, 4, 0, 0, 0, 0] + echo))),
      Case(
        true, "later fragment of UDP, behind a header",
        own(
          Frame.ipv6(
            C.ipv6, next: 60,
            Frame.header(44) + Frame.fragment(17, offset: 9, more: false) + server))),
      Case(true, "UDP behind three headers", own(behind([0, 43, 60], 17, Frame.udp(5, 6)))),
      Case(
        true, "first fragment",
        own(Frame.ipv6(C.ipv6, next: 44, Frame.fragment(58, offset: 0, more: true) + echo))),
      Case(
        true, "later fragment",
        own(Frame.ipv6(C.ipv6, next: 44, Frame.fragment(58, offset: 9, more: false) + echo))),
      Case(
        true, "later fragment that looks like a router advertisement",
        own(
          Frame.ipv6(
            C.ipv6, next: 44, Frame.fragment(58, offset: 9, more: false) + Frame.icmpv6(134)))),
      Case(
        false, "later fragment of another",
        own(Frame.ipv6("fd00::3", next: 44, Frame.fragment(58, offset: 9, more: false) + echo))),
      Case(
        false, "later fragment with a header to come",
        own(Frame.ipv6(C.ipv6, next: 44, Frame.fragment(60, offset: 9, more: false) + echo))),
      Case(
        false, "first fragment of a DHCPv6 server",
        own(Frame.ipv6(C.ipv6, next: 44, Frame.fragment(17, offset: 0, more: true) + server))),
    ]
  }()

  static let neighbours: [Case] = {
    typealias C = Container
    let (mac, other) = (Frame.bytes(C.mac), Frame.bytes(C.other))
    let (source, target, nonce): ([UInt8], [UInt8], [UInt8]) = (
      [1, 1] + mac, [2, 1] + mac, [14, 1, 1, 2, 3, 4, 5, 6]
    )
    func packet(_ from: String, _ content: [UInt8], to: String = "ff02::1") -> Frame {
      own(Frame.ipv6(from, to, next: 58, content))
    }
    func behind(_ header: [UInt8], _ next: UInt8, _ content: [UInt8]) -> Frame {
      own(Frame.ipv6(C.linkLocal, next: next, header + content))
    }
    let advertisement = Frame.neighbour(136, C.ipv6, option: target)
    let router = Frame.icmpv6(134, [UInt8](repeating: 0, count: 8))
    return [
      Case(true, "advertisement of own", packet(C.ipv6, advertisement)),
      Case(true, "advertisement of own from the link-local", packet(C.linkLocal, advertisement)),
      Case(true, "advertisement without option", packet(C.ipv6, Frame.neighbour(136, C.ipv6))),
      Case(
        false, "advertisement of another's address",
        packet(C.ipv6, Frame.neighbour(136, "fd00::3", option: target))),
      Case(
        false, "advertisement of own with another's hardware address",
        packet(C.ipv6, Frame.neighbour(136, C.ipv6, option: [2, 1] + other))),
      Case(false, "advertisement of own from another", packet("fd00::3", advertisement)),
      Case(
        false, "advertisement with another option",
        packet(C.ipv6, Frame.neighbour(136, C.ipv6, option: source))),
      Case(
        false, "advertisement with two options",
        packet(C.ipv6, Frame.neighbour(136, C.ipv6, option: target + [2, 1] + other))),
      Case(true, "solicitation", packet(C.ipv6, Frame.neighbour(135, "fd00::9", option: source))),
      Case(true, "solicitation without option", packet(C.ipv6, Frame.neighbour(135, "fd00::9"))),
      Case(
        true, "solicitation with a nonce",
        packet(C.linkLocal, Frame.neighbour(135, "fd00::9", option: nonce))),
      Case(
        false, "solicitation with another's hardware address",
        packet(C.ipv6, Frame.neighbour(135, "fd00::9", option: [1, 1] + other))),
      Case(false, "solicitation of another", packet("fd00::3", Frame.neighbour(135, "fd00::9"))),
      Case(
        false, "solicitation with two options",
        packet(C.ipv6, Frame.neighbour(135, "fd00::9", option: nonce + [1, 1] + other))),
      Case(true, "duplicate address detection", packet("::", Frame.neighbour(135, C.ipv6))),
      Case(
        true, "the same for the link-local, with a nonce",
        packet("::", Frame.neighbour(135, C.linkLocal, option: nonce))),
      Case(false, "the same for another's address", packet("::", Frame.neighbour(135, "fd00::3"))),
      Case(
        false, "the same with a hardware address",
        packet("::", Frame.neighbour(135, C.ipv6, option: source))),
      Case(false, "router advertisement", packet(C.linkLocal, router)),
      Case(
        false, "redirect",
        packet(C.linkLocal, Frame.icmpv6(137, [UInt8](repeating: 0, count: 32)))),
      Case(
        true, "router solicitation",
        packet(C.linkLocal, Frame.icmpv6(133, source), to: "ff02::2")),
      Case(true, "router solicitation without option", packet(C.linkLocal, Frame.icmpv6(133))),
      Case(
        false, "router solicitation with another's hardware address",
        packet(C.linkLocal, Frame.icmpv6(133, [1, 1] + other))),
      Case(false, "router solicitation of another", packet("fe80::1", Frame.icmpv6(133))),
      Case(false, "router advertisement behind options", behind(Frame.header(58), 0, router)),
      Case(
        false, "router advertisement behind two headers",
        behind(Frame.header(43) + Frame.header(58), 60, router)),
      Case(
        false, "router advertisement in a fragment",
        behind(Frame.fragment(58, offset: 0, more: true), 44, router)),
      Case(
        false, "router advertisement in the only fragment",
        behind(Frame.fragment(58, offset: 0, more: false), 44, router)),
      Case(
        false, "router advertisement behind options in a fragment",
        behind(Frame.fragment(60, offset: 0, more: true) + Frame.header(58), 44, router)),
      Case(false, "own advertisement behind options", behind(Frame.header(58), 60, advertisement)),
      Case(
        true, "membership report from no address",
        own(Frame.ipv6("::", "ff02::16", next: 0, Frame.header(58) + Frame.icmpv6(143)))),
      Case(
        true, "older membership report from no address",
        own(Frame.ipv6("::", "ff02::1:ff00:2", next: 0, Frame.header(58) + Frame.icmpv6(131)))),
      Case(
        true, "membership report from own",
        own(Frame.ipv6(C.linkLocal, "ff02::16", next: 0, Frame.header(58) + Frame.icmpv6(143)))),
      Case(
        false, "membership report from another",
        own(Frame.ipv6("fe80::1", "ff02::16", next: 0, Frame.header(58) + Frame.icmpv6(143)))),
      Case(
        false, "membership report from no address to one",
        own(Frame.ipv6("::", "fd00::9", next: 0, Frame.header(58) + Frame.icmpv6(143)))),
    ]
  }()

  static let others: [Case] = {
    typealias C = Container
    var tree = Frame(C.mac, type: 0x0027, [UInt8](repeating: 0x42, count: 46))
    tree.destination = Frame.bytes("01:80:c2:00:00:00")
    return [
      Case(false, "LLDP", Frame(C.mac, type: 0x88cc, [UInt8](repeating: 2, count: 46))),
      Case(false, "spanning tree", tree, isForwarded: false),
      Case(false, "PPPoE", Frame(C.mac, type: 0x8863, [UInt8](repeating: 2, count: 46))),
      Case(false, "MPLS", Frame(C.mac, type: 0x8847, [UInt8](repeating: 2, count: 46))),
    ]
  }()

  /// Frames with tags, which a Linux bridge and a trunk port hand on.
  static let tagged: [Case] = {
    typealias C = Container
    func frame(_ tags: [UInt16], _ source: String, mac: String = C.mac) -> Frame {
      Frame(mac, tags: tags, type: 0x0800, Frame.ipv4(source))
    }
    let advertisement = Frame.ipv6(
      C.linkLocal, next: 58, Frame.icmpv6(134, [UInt8](repeating: 0, count: 8)))
    return [
      Case(true, "tagged, from own", frame([5], C.ipv4)),
      Case(true, "priority-tagged, from own", frame([0x6000], C.ipv4)),
      Case(false, "tagged, of another", frame([5], "10.1.0.3")),
      Case(false, "tagged, with another source", frame([5], C.ipv4, mac: C.other)),
      Case(
        false, "tagged, ARP of another",
        Frame(C.mac, tags: [5], type: 0x0806, Frame.arp(C.mac, "10.1.0.1", asks: "10.1.0.9"))),
      Case(
        false, "tagged, router advertisement",
        Frame(C.mac, tags: [5], type: 0x86dd, advertisement)),
      Case(false, "two tags", frame([5, 6], C.ipv4)),
      Case(false, "two tags, of another", frame([5, 6], "10.1.0.3")),
      Case(false, "three tags", frame([5, 6, 7], C.ipv4)),
    ]
  }()
}
