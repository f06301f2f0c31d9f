import Foundation
import TestSupport

/// Ethernet frames as a container with CAP_NET_RAW can make them, in hexadecimal digits.
struct HostileFrames {
  /// The MAC address of the container's link, without colons.
  let own: String
  /// Those of the host's links which the container may send to.
  let targets: [String]
  /// An IPv4 address of the host, and the container's own.
  let host4: String
  let own4: String
  /// The same of IPv6.
  let host6: String
  let own6: String

  /// Each with what it is.
  var all: [(name: String, frame: String)] {
    let groups = ["ffffffffffff", "333300000001", "01005e000001"]
    var frames: [(String, String)] = []
    for target in targets + groups {
      for (name, type, payload) in packets {
        frames.append(("\(name) to \(target)", target + own + type + payload))
        // The kernel takes the VLAN 0 for none, by both tags (IEEE 802.1Q, 802.1ad).
        frames.append(("\(name) to \(target), VLAN 0", target + own + "81000000" + type + payload))
        frames.append(("\(name) to \(target), 802.1ad", target + own + "88a80000" + type + payload))
      }
    }
    return frames
  }

  /// A router advertisement with a default route, and a prefix of which to make an address.
  func advertisement(_ prefix: String, source: String = "fe80::66") -> String {
    let body =
      "8600000040000708" + "0000000000000000" + "030440c0" + "00015180" + "00003840" + "00000000"
      + Self.hex(prefix) + "0101" + own
    return ipv6(source, "ff02::1", 58, body, hops: 255)
  }
  /// The same as a frame to all nodes.
  func advertisementFrame(_ prefix: String) -> String {
    "333300000001" + own + "86dd" + advertisement(prefix)
  }

  private var packets: [(name: String, type: String, payload: String)] {
    var packets: [(String, String, String)] = []
    let text = "68656c6c6f"
    for (source, target) in [
      (own4, host4), ("127.0.0.1", host4), (host4, host4), ("0.0.0.0", host4),
      (own4, "255.255.255.255"), ("0.0.0.0", "255.255.255.255"), (own4, "224.0.0.1"),
      (own4, "127.0.0.1"), (own4, "198.51.100.7"),
    ] {
      packets.append(("UDP \(source) \(target)", "0800", ipv4(source, target, 17, udp(text))))
    }
    packets += [
      ("UDP with options", "0800", ipv4(own4, host4, 17, udp(text), options: "07070400000000")),
      ("first fragment", "0800", ipv4(own4, host4, 17, udp(text + "000000"), fragment: 0x2000)),
      ("last fragment", "0800", ipv4(own4, host4, 17, "0011223344556677", fragment: 2)),
      ("DHCP", "0800", ipv4("0.0.0.0", "255.255.255.255", 17, udp("0101", from: 68, to: 67))),
      ("TCP SYN", "0800", ipv4(own4, host4, 6, "15b3270f" + zeros(8) + "5002ffff00000000")),
      ("ping", "0800", ipv4(own4, host4, 1, checksummed("08000000" + "00010001"))),
      ("IPv4 redirect", "0800", ipv4(own4, host4, 1, checksummed("05010000" + Self.hex(own4)))),
      ("IGMP query", "0800", ipv4(own4, "224.0.0.1", 2, checksummed("11640000" + zeros(4)))),
      ("IPv4 in IPv4", "0800", ipv4(own4, host4, 4, ipv4(own4, host4, 17, udp(text)))),
      ("ARP request", "0806", arp(1, own4, host4)), ("ARP reply", "0806", arp(2, own4, host4)),
      ("gratuitous ARP", "0806", arp(1, own4, own4)),
      ("ARP probe", "0806", arp(1, "0.0.0.0", host4)),
      ("ARP for the host's", "0806", arp(2, host4, host4)),
      ("UDP over IPv6", "86dd", ipv6(own6, host6, 17, udp(text), checksumAt: 6)),
      ("UDP over IPv6 from the host", "86dd", ipv6(host6, host6, 17, udp(text), checksumAt: 6)),
      ("ping over IPv6", "86dd", ipv6(own6, host6, 58, "80000000" + "00010001")),
      ("ping to all nodes", "86dd", ipv6("fe80::66", "ff02::1", 58, "80000000" + "00010001")),
      ("router advertisement", "86dd", advertisement("2001:db8:66::")),
      (
        "neighbour solicitation", "86dd",
        ipv6("fe80::66", host6, 58, "8700000000000000" + Self.hex(host6) + "0101" + own, hops: 255)
      ),
      (
        "neighbour advertisement", "86dd",
        ipv6(
          "fe80::66", "ff02::1", 58, "8800000060000000" + Self.hex(host6) + "0201" + own, hops: 255)
      ),
      (
        "IPv6 redirect", "86dd",
        ipv6(
          "fe80::66", host6, 58,
          "8900000000000000" + Self.hex("fe80::66") + Self.hex("2001:db8:77::1"), hops: 255)
      ),
      ("MLD query", "86dd", ipv6("fe80::66", "ff02::1", 58, "8200000000000000" + zeros(16))),
      // An option with the order to answer by a parameter problem.
      ("unknown option", "86dd", ipv6(own6, host6, 0, "1100" + "c20400000000" + udp(text))),
      ("IPv6 fragment", "86dd", ipv6(own6, host6, 44, "1100000100000001" + udp(text))),
      (
        "DHCPv6", "86dd",
        ipv6("fe80::66", "ff02::1:2", 17, udp("01000001", from: 546, to: 547), checksumAt: 6)
      ),
    ]
    return packets
  }

  // MARK: - Packets

  private func udp(_ payload: String, from source: Int = 5555, to port: Int = 9999) -> String {
    String(format: "%04x%04x%04x0000", source, port, 8 + payload.count / 2) + payload
  }
  private func arp(_ operation: Int, _ sender: String, _ target: String) -> String {
    String(format: "000108000604%04x", operation) + own + Self.hex(sender) + zeros(6)
      + Self.hex(target) + zeros(18)
  }

  private func ipv4(
    _ source: String, _ target: String, _ number: Int, _ payload: String, options: String = "",
    fragment: Int = 0
  ) -> String {
    let options = options + zeros((8 - options.count % 8) % 8 / 2)
    let length = 20 + options.count / 2
    let header =
      String(
        format: "%02x00%04x0001%04x40%02x", 0x40 + length / 4, length + payload.count / 2, fragment,
        number) + "0000" + Self.hex(source) + Self.hex(target) + options
    return checksummed(header, at: 10) + payload
  }

  /// - Parameter checksumAt: Where in the payload its checksum is; in ICMPv6 at 2.
  private func ipv6(
    _ source: String, _ target: String, _ number: Int, _ payload: String, hops: Int = 64,
    checksumAt: Int? = nil
  ) -> String {
    let addresses = Self.hex(source) + Self.hex(target)
    let count = payload.count / 2
    var payload = payload
    if let place = checksumAt ?? (number == 58 ? 2 : nil) {
      let pseudo = addresses + String(format: "%08x000000%02x", count, number)
      payload = String(
        checksummed(pseudo + payload, at: pseudo.count / 2 + place).dropFirst(pseudo.count))
    }
    return String(format: "60000000%04x%02x%02x", count, number, hops) + addresses + payload
  }

  /// `digits` with the checksum of RFC 1071 over all of them at byte `place`.
  private func checksummed(_ digits: String, at place: Int = 2) -> String {
    var bytes = Self.bytes(digits)
    (bytes[place], bytes[place + 1]) = (0, 0)
    var sum = 0
    for index in stride(from: 0, to: bytes.count, by: 2) {
      sum += Int(bytes[index]) << 8 + (index + 1 < bytes.count ? Int(bytes[index + 1]) : 0)
    }
    while sum >> 16 != 0 { sum = sum & 0xffff + sum >> 16 }
    (bytes[place], bytes[place + 1]) = (UInt8(~sum >> 8 & 0xff), UInt8(~sum & 0xff))
    return bytes.map { String(format: "%02x", $0) }.joined()
  }

  private func zeros(_ count: Int) -> String { String(repeating: "00", count: count) }

  private static func bytes(_ digits: String) -> [UInt8] {
    let characters = Array(digits)
    return stride(from: 0, to: characters.count - 1, by: 2).map {
      UInt8(String(characters[$0...($0 + 1)]), radix: 16) ?? 0
    }
  }

  /// The digits of an IP address.
  static func hex(_ address: String) -> String {
    var bytes = [UInt8](repeating: 0, count: 16)
    let family = address.contains(":") ? AF_INET6 : AF_INET
    inet_pton(family, address, &bytes)
    return bytes.prefix(family == AF_INET6 ? 16 : 4).map { String(format: "%02x", $0) }.joined()
  }
}

extension Sandbox {
  /// Sends frames from a link, each in hexadecimal digits, one after the other.
  func sendFrames(_ frames: [String], from link: String = "eth0") throws {
    let program = """
      use Socket;
      socket(my $s, 17, 3, 0) or die $!;
      while (<STDIN>) {
        chomp;
        send($s, pack("H*", $_), 0, pack("SnlSCCa8", 17, 0, $ARGV[0], 0, 0, 6, "")) or die $!;
      }
      """
    let index = try self.link(link)["ifindex"].integer ?? 0
    try exec(
      "perl", ["-e", program, "\(index)"], input: Array(frames.joined(separator: "\n").utf8)
    ).checked()
  }

  /// The MAC address of a link, without colons.
  func hardwareAddress(_ link: String = "eth0") throws -> String {
    (try self.link(link)["address"].text ?? "").replacing(":", with: "")
  }
}
