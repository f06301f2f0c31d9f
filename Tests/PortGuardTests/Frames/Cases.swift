import Addresses
import PortGuard

/// What is there because a test wrote it so.
func certain<Value>(_ value: Value?) -> Value {
  guard let value else { preconditionFailure("a test's own value is none") }
  return value
}

/// The container of the table, and what else it may be.
enum Container {
  static let mac = "02:00:00:00:00:0a"
  static let ipv4 = "10.1.0.2"
  static let ipv6 = "fd00::2"
  static let linkLocal = "fe80::ff:fe00:a"
  /// A second sender, as one of VRRP.
  static let virtual = "00:00:5e:00:01:01"
  /// What is neither.
  static let other = "02:00:00:00:00:0b"

  static func prefixes(_ texts: [String]) throws -> [IPPrefix] {
    try texts.map { try IPPrefix($0) }
  }

  static func policy(_ mode: GuardPolicy.Mode = .full, allowsDHCP: Bool = false) throws
    -> GuardPolicy
  {
    let own = try prefixes(["10.1.0.2/32", "fd00::2/128", "fe80::ff:fe00:a/128"])
    let more = try prefixes(["10.1.0.100/32", "10.9.0.0/16", "fd00:9::/40"])
    return GuardPolicy(
      mode,
      [
        .init(certain(MACAddress(mac)), own), .init(certain(MACAddress(virtual)), more),
        .init(certain(MACAddress(mac)), try prefixes(["192.0.2.128/25", "fd00:7::/120"])),
      ], allowsDHCP: allowsDHCP)
  }
}

extension Case {
  private static func own(_ type: UInt16, _ payload: [UInt8], tags: [UInt16] = []) -> Frame {
    Frame(Container.mac, tags: tags, type: type, payload)
  }

  /// The table: what the policy above says about each frame.
  static let table: [Case] = arp + ipv4 + ipv6 + neighbours + others + tagged

  static let arp: [Case] = {
    typealias C = Container
    func frame(_ payload: [UInt8]) -> Frame { own(0x0806, payload) }
    return [
      Case(true, "ARP request from own", frame(Frame.arp(C.mac, C.ipv4, asks: "10.1.0.9"))),
      Case(true, "ARP reply", frame(Frame.arp(C.mac, C.ipv4, asks: "10.1.0.9", operation: 2))),
      Case(true, "gratuitous ARP", frame(Frame.arp(C.mac, C.ipv4, asks: C.ipv4))),
      Case(true, "ARP probe for own", frame(Frame.arp(C.mac, "0.0.0.0", asks: C.ipv4))),
      Case(false, "ARP probe for another", frame(Frame.arp(C.mac, "0.0.0.0", asks: "10.1.0.9"))),
      Case(false, "ARP of another", frame(Frame.arp(C.mac, "10.1.0.1", asks: "10.1.0.9"))),
      Case(
        false, "ARP of another, as reply",
        frame(Frame.arp(C.mac, "10.1.0.1", asks: "10.1.0.9", operation: 2))),
      Case(
        false, "ARP with another's hardware address",
        frame(Frame.arp(C.other, C.ipv4, asks: "10.1.0.9"))),
      Case(
        false, "ARP with the other sender's hardware address",
        frame(Frame.arp(C.virtual, C.ipv4, asks: "10.1.0.9"))),
      Case(
        false, "ARP of another kind of hardware",
        frame([0, 6] + Frame.arp(C.mac, C.ipv4, asks: "10.1.0.9").dropFirst(2))),
      Case(
        false, "ARP with long addresses",
        frame(Frame.bytes("00010800060c") + Frame.arp(C.mac, C.ipv4, asks: C.ipv4).dropFirst(6))),
      Case(false, "RARP", own(0x8035, Frame.arp(C.mac, C.ipv4, asks: "10.1.0.9"))),
      Case(
        true, "ARP of the virtual router",
        Frame(C.virtual, type: 0x0806, Frame.arp(C.virtual, "10.1.0.100", asks: "10.1.0.100"))),
      Case(
        false, "ARP of the virtual router for the container",
        Frame(C.virtual, type: 0x0806, Frame.arp(C.virtual, C.ipv4, asks: "10.1.0.100"))),
      Case(
        true, "ARP from a prefix",
        frame(Frame.arp(C.mac, "192.0.2.200", asks: "10.1.0.9"))),
    ]
  }()

  static let ipv4: [Case] = {
    typealias C = Container
    func frame(_ payload: [UInt8]) -> Frame { own(0x0800, payload) }
    let server = Frame.udp(67, 68)
    return [
      Case(true, "IPv4 from own", frame(Frame.ipv4(C.ipv4))),
      Case(true, "IPv4 with options", frame(Frame.ipv4(C.ipv4, options: 3))),
      Case(true, "IGMP", frame(Frame.ipv4(C.ipv4, "224.0.0.22", next: 2))),
      Case(false, "IPv4 of another", frame(Frame.ipv4("10.1.0.3"))),
      Case(false, "IPv4 of another with options", frame(Frame.ipv4("10.1.0.3", options: 10))),
      Case(false, "IPv4 from no address", frame(Frame.ipv4("0.0.0.0"))),
      Case(false, "IPv4 from everyone", frame(Frame.ipv4("255.255.255.255"))),
      Case(false, "IPv4 of the other sender", frame(Frame.ipv4("10.1.0.100"))),
      Case(true, "IPv4 from a prefix", frame(Frame.ipv4("192.0.2.129"))),
      Case(false, "IPv4 beside a prefix", frame(Frame.ipv4("192.0.2.127"))),
      Case(true, "VRRP", Frame(C.virtual, type: 0x0800, Frame.ipv4("10.9.3.4", next: 112))),
      Case(false, "VRRP from beside", Frame(C.virtual, type: 0x0800, Frame.ipv4("10.8.3.4"))),
      Case(false, "IPv4 with another source", Frame(C.other, type: 0x0800, Frame.ipv4(C.ipv4))),
      Case(false, "version 6 as IPv4", frame([0x65] + Frame.ipv4(C.ipv4).dropFirst())),
      Case(false, "IPv4 with a short header", frame([0x44] + Frame.ipv4(C.ipv4).dropFirst())),
      Case(true, "UDP", frame(Frame.ipv4(C.ipv4, next: 17, Frame.udp(4000, 67)))),
      Case(false, "DHCP offer", frame(Frame.ipv4(C.ipv4, next: 17, server))),
      Case(
        false, "DHCP offer behind options",
        frame(Frame.ipv4(C.ipv4, next: 17, options: 2, server))),
      Case(
        false, "DHCP offer, first fragment",
        frame(Frame.ipv4(C.ipv4, next: 17, fragment: 0x2000, server))),
      Case(
        true, "a later fragment that looks like a DHCP offer",
        frame(Frame.ipv4(C.ipv4, next: 17, fragment: 0x0002, server))),
      Case(
        false, "a later fragment of another",
        frame(Frame.ipv4("10.1.0.3", next: 17, fragment: 0x0002, server))),
      Case(true, "TCP from port 67", frame(Frame.ipv4(C.ipv4, next: 6, server))),
    ]
  }()

  /// What differs where the container is a DHCP client.
  static func dhcp(_ passes: Bool) -> [Case] {
    func frame(_ payload: [UInt8]) -> Frame { own(0x0800, payload) }
    let request = Frame.udp(68, 67)
    let all = "255.255.255.255"
    return [
      Case(passes, "DHCP request", frame(Frame.ipv4("0.0.0.0", all, next: 17, request))),
      Case(
        passes, "DHCP request with options",
        frame(Frame.ipv4("0.0.0.0", all, next: 17, options: 1, request))),
      Case(
        false, "DHCP request with another source",
        Frame(Container.other, type: 0x0800, Frame.ipv4("0.0.0.0", all, next: 17, request))),
      Case(
        false, "DHCP request of another address",
        frame(Frame.ipv4("10.1.0.3", all, next: 17, request))),
      Case(false, "DHCP request to one", frame(Frame.ipv4("0.0.0.0", next: 17, request))),
      Case(
        false, "DHCP offer from no address",
        frame(Frame.ipv4("0.0.0.0", all, next: 17, Frame.udp(67, 68)))),
      Case(
        false, "UDP from no address",
        frame(Frame.ipv4("0.0.0.0", all, next: 17, Frame.udp(68, 68)))),
      Case(false, "TCP from no address", frame(Frame.ipv4("0.0.0.0", all, next: 6, request))),
    ]
  }
}
