public import Addresses

/// What the container behind a port may send: which Ethernet addresses, and with each of them which
/// addresses of IPv4 and IPv6.
///
/// Both mechanisms are generated from this value: `FrameProgram`, which is an XDP program, and
/// `FrameRules`, which is a table of nftables. Policing is by source: where a frame goes to does
/// not matter, and frames towards the container are not looked at.
public struct GuardPolicy: Hashable, Sendable {
  /// An Ethernet address that may send, and what it may send from.
  public struct Sender: Hashable, Sendable {
    /// Source of the frame, sender of ARP, and link-layer address of neighbour discovery.
    public let mac: MACAddress
    /// Of IPv4: ascending, none twice, no bits beyond the prefixes.
    public let ipv4: [IPPrefix]
    /// Of IPv6, link-local ones included: ascending, none twice, no bits beyond the prefixes.
    public let ipv6: [IPPrefix]

    /// The sender `mac` with these addresses.
    public init(_ mac: MACAddress, _ prefixes: [IPPrefix]) {
      self.mac = mac
      let masked = Set(prefixes.map { $0.masked }).sorted {
        ($0.address, $0.length) < ($1.address, $1.length)
      }
      ipv4 = masked.filter { !$0.address.isIPv6 }
      ipv6 = masked.filter { $0.address.isIPv6 }
    }
  }

  /// How much of a frame is looked at.
  public enum Mode: Hashable, Sendable {
    /// The source of the frame alone; a sender's addresses have no effect.
    case mac
    /// Everything.
    case full
  }

  /// How much of a frame is looked at.
  public let mode: Mode
  /// In the order of their Ethernet addresses, none twice.
  public let senders: [Sender]
  /// Whether requests to DHCP servers pass, from 0.0.0.0 to everyone.
  public let allowsDHCP: Bool

  /// Nothing passes.
  public static let nothing = GuardPolicy(.mac, [])

  /// The policy; of two senders with one Ethernet address, it has the addresses of both.
  public init(_ mode: Mode, _ senders: [Sender], allowsDHCP: Bool = false) {
    self.mode = mode
    self.allowsDHCP = allowsDHCP
    var merged: [Sender] = []
    for mac in Set(senders.map { $0.mac }).sorted(by: {
      $0.bytes.lexicographicallyPrecedes($1.bytes)
    }) {
      let prefixes = senders.filter { $0.mac == mac }.flatMap { $0.ipv4 + $0.ipv6 }
      merged.append(Sender(mac, mode == .mac ? [] : prefixes))
    }
    self.senders = merged
  }
}

extension IPPrefix {
  /// fe80::/64, all link-local addresses of IPv6.
  public static let linkLocal =
    IPPrefix(.linkLocalNetwork, length: 64) ?? IPPrefix(single: .linkLocalNetwork)

  /// The link-local address that an interface with this Ethernet address gives itself.
  public static func linkLocal(of mac: MACAddress) -> IPPrefix {
    IPPrefix(single: .linkLocal(of: mac))
  }
}
