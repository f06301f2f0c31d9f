public import Addresses
internal import CLinux
public import Linux

/// Tells a network where an address is, so that nobody goes on sending to where it was.
///
/// What is sent is made here, octet by octet; `Batch.announceAddresses` leaves it to the kernel.
public enum Announcement {
  /// Announces `addresses` of the link with index `index`, which has `mac`, in `namespace`.
  ///
  /// IPv4 by gratuitous ARP, IPv6 by unsolicited neighbour advertisement. The link must be up.
  /// The kernel lets the socket go only after all processors have passed a quiet moment
  /// (synchronize_net), which takes some 10 ms: what is in a hurry uses `Batch.announceAddresses`.
  public static func send(
    _ addresses: [IPAddress], mac: MACAddress, on index: Int32,
    in namespace: borrowing NetworkNamespace
  ) throws(RouteError) {
    guard let first = addresses.first else { return }
    let socket: FileDescriptor
    // With protocol 0 the socket receives nothing; see packet(7).
    do { socket = try namespace.socket(AF_PACKET, CInt(SOCK_RAW.rawValue), 0) } catch {
      throw .system(.announce(first, on: index), error)
    }
    for address in addresses {
      for frame in frames(address, mac: mac) {
        do { try socket.send(frame: frame, on: index) } catch {
          throw .refused(.announce(address, on: index), error.errno, words: nil)
        }
      }
    }
  }

  /// What is sent for one address.
  static func frames(_ address: IPAddress, mac: MACAddress) -> [[UInt8]] {
    address.isIPv6
      ? [neighbourAdvertisement(address, mac: mac)]
      // The request is the announcement of RFC 5227 §2.3. Some hosts learn from replies alone.
      : [arp(address, mac: mac, isReply: false), arp(address, mac: mac, isReply: true)]
  }

  /// Gratuitous ARP (RFC 826, RFC 5944 §4.6): sender and target are the same IPv4 address.
  static func arp(_ address: IPAddress, mac: MACAddress, isReply: Bool) -> [UInt8] {
    var frame = ethernet(to: .broadcast, from: mac, ETH_P_ARP)
    frame += [0, 1, 0x08, 0x00, 6, 4, 0, isReply ? 2 : 1]
    frame += mac.bytes + address.bytes
    // RFC 5227 §2.3 leaves the target's hardware address of a request to its sender; of a gratuitous
    // reply it is the sender's own (RFC 5944 §4.6).
    frame += isReply ? mac.bytes : [UInt8](repeating: 0, count: 6)
    return frame + address.bytes
  }

  /// Unsolicited neighbour advertisement (RFC 4861 §7.2.6) to all nodes, from the address itself.
  static func neighbourAdvertisement(_ address: IPAddress, mac: MACAddress) -> [UInt8] {
    let allNodes: [UInt8] = [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    // Type 136, code 0, checksum; flags: Override (RFC 4861 §4.4).
    var message: [UInt8] = [136, 0, 0, 0, 0x20, 0, 0, 0]
    message += address.bytes
    // Option 2, target link-layer address, one unit of eight octets (RFC 4861 §4.6.1).
    message += [2, 1] + mac.bytes
    let length = UInt8(truncatingIfNeeded: message.count)
    // The pseudo-header of RFC 8200 §8.1, next header 58 (ICMPv6).
    let sum = checksum(address.bytes + allNodes + [0, 0, 0, length, 0, 0, 0, 58] + message)
    message[2] = UInt8(sum >> 8)
    message[3] = UInt8(sum & 0xff)
    // RFC 2464 §7: the address of Ethernet for a group is 33:33 and its last four octets.
    var frame = [0x33, 0x33] + allNodes.suffix(4) + mac.bytes + etherType(ETH_P_IPV6)
    // Version 6; payload length; next header; hop limit 255, which no router leaves at that.
    frame += [0x60, 0, 0, 0, 0, length, 58, 255]
    return frame + address.bytes + allNodes + message
  }

  /// The Internet checksum (RFC 1071) of an even number of octets.
  static func checksum(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for (position, octet) in bytes.enumerated() {
      sum &+= position % 2 == 0 ? UInt32(octet) << 8 : UInt32(octet)
    }
    while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
    return ~UInt16(truncatingIfNeeded: sum)
  }

  private static func ethernet(to: MACAddress, from: MACAddress, _ type: CInt) -> [UInt8] {
    to.bytes + from.bytes + etherType(type)
  }

  private static func etherType(_ type: CInt) -> [UInt8] {
    [UInt8(truncatingIfNeeded: type >> 8), UInt8(truncatingIfNeeded: type)]
  }
}
