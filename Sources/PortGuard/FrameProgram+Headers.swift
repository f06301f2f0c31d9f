internal import BPF

/// What the bytes of headers mean.
enum FrameConstant {
  static let arp: [UInt8] = [0x08, 0x06]
  static let ipv4: [UInt8] = [0x08, 0x00]
  static let ipv6: [UInt8] = [0x86, 0xdd]
  /// IEEE 802.1Q, and the outer tag of IEEE 802.1ad.
  static let tags: [[UInt8]] = [[0x81, 0x00], [0x88, 0xa8]]

  /// RFC 826: hardware is Ethernet, addresses of 6 bytes; protocol is IPv4, addresses of 4.
  static let arpOfIPv4: [UInt8] = [0, 1, 8, 0, 6, 4]
  static let udp: UInt8 = 17
  static let icmpv6: UInt8 = 58
  /// UDP ports of servers and clients: RFC 2131, RFC 8415.
  static let dhcpServer: [UInt8] = [0, 67]
  static let dhcpClient: [UInt8] = [0, 68]
  static let dhcpv6Server: [UInt8] = [0x02, 0x23]

  /// Extension headers that another header follows: hop-by-hop, routing, destination options.
  static let extensions: [UInt8] = [0, 43, 60]
  static let fragment: UInt8 = 44
  /// What the kernel takes for an extension header as well; a fragment that is not the first may
  /// not say that it continues such a header.
  static let unfragmentable: [UInt8] = [0, 43, 44, 51, 60]

  /// RFC 2710, RFC 3810: reports of group membership.
  static let membershipReports: [UInt8] = [131, 143]
  /// RFC 4861: router solicitation up to redirect.
  static let neighbourDiscovery: ClosedRange<UInt8> = 133...137
  static let routerSolicitation: UInt8 = 133
  static let neighbourSolicitation: UInt8 = 135
  static let neighbourAdvertisement: UInt8 = 136
  /// Options of one unit of eight bytes: RFC 4861 §4.6.1, RFC 3971 §5.3.2.
  static let sourceOption: [UInt8] = [1, 1]
  static let targetOption: [UInt8] = [2, 1]
  static let nonceOption: [UInt8] = [14, 1]
}

extension FrameProgram {
  /// Finds the network header, behind one tag at most, and goes on by its kind.
  ///
  /// Without a jump: the kernel would follow all that comes behind twice, once for each place of
  /// the header.
  mutating func writeEthernet() {
    code.load(.half, .r3, from: .r6, at: 12)
    code.compute(.move, .r4, 0)
    for tag in FrameConstant.tags {
      // The difference is 0 for this tag alone, and only 0 - 1 has the highest bit set.
      code.compute(.move, .r5, .r3)
      code.compute(.exclusiveOr, .r5, Int32(loaded(tag[...])))
      code.compute(.add, .r5, -1)
      code.compute(.shiftRight, .r5, 63)
      code.compute(.or, .r4, .r5)
    }
    code.compute(.shiftLeft, .r4, 2)
    code.compute(.move, .r8, .r6)
    code.compute(.add, .r8, 12)
    code.compute(.add, .r8, .r4)
    require(2, at: .r8)
    code.load(.half, .r3, from: .r8, at: 0)
    code.compute(.add, .r8, 2)
    code.jump(to: ipv4, if: .r3, .equal, loaded(FrameConstant.ipv4[...]))
    code.jump(to: ipv6, if: .r3, .equal, loaded(FrameConstant.ipv6[...]))
    code.jump(to: arp, if: .r3, .equal, loaded(FrameConstant.arp[...]))
    code.jump(to: drop)
  }

  /// The sender has the Ethernet address of the frame and one of its own of IPv4, or none, and then
  /// asks for one of its own (RFC 5227 §2.1.1).
  mutating func writeARP() {
    code.place(arp)
    require(28, at: .r8)
    code.load(.word, .r2, from: .r8, at: 0)
    code.jump(to: drop, if: .r2, .notEqual, loaded(FrameConstant.arpOfIPv4[0..<4]))
    code.load(.half, .r2, from: .r8, at: 4)
    code.jump(to: drop, if: .r2, .notEqual, loaded(FrameConstant.arpOfIPv4[4..<6]))
    requireSource(at: .r8, 8)
    code.load(.word, .r2, from: .r8, at: 14)
    code.jump(to: sender4, if: .r2, .notEqual, 0)
    code.load(.word, .r2, from: .r8, at: 24)
    code.jump(to: sender4)
  }

  /// No DHCP server; the source is one of the sender's, or the frame asks a DHCP server.
  mutating func writeIPv4() {
    let source = code.label()
    code.place(ipv4)
    require(20, at: .r8)
    code.load(.byte, .r3, from: .r8, at: 0)
    code.compute(.move, .r4, .r3)
    code.compute(.shiftRight, .r4, 4)
    code.jump(to: drop, if: .r4, .notEqual, 4)
    code.compute(.and, .r3, 15)
    code.jump(to: drop, if: .r3, .less, 5)
    code.load(.byte, .r4, from: .r8, at: 9)
    code.jump(to: source, if: .r4, .notEqual, UInt32(FrameConstant.udp))
    // The ports are in the first fragment alone.
    code.load(.half, .r4, from: .r8, at: 6)
    code.compute32(.and, .r4, loaded([0x1f, 0xff]))
    code.jump(to: source, if: .r4, .notEqual, 0)
    code.compute(.shiftLeft, .r3, 2)
    code.compute(.add, .r3, .r8)
    require(4, at: .r3)
    code.load(.half, .r4, from: .r3, at: 0)
    code.jump(to: drop, if: .r4, .equal, loaded(FrameConstant.dhcpServer[...]))
    if policy.allowsDHCP {
      code.jump(to: source, if: .r4, .notEqual, loaded(FrameConstant.dhcpClient[...]))
      code.load(.half, .r4, from: .r3, at: 2)
      code.jump(to: source, if: .r4, .notEqual, loaded(FrameConstant.dhcpServer[...]))
      code.load(.word, .r4, from: .r8, at: 12)
      code.jump(to: source, if: .r4, .notEqual, 0)
      code.load(.word, .r4, from: .r8, at: 16)
      code.jump(to: sender, if: .r4, .equal, UInt32.max)
    }
    code.place(source)
    code.load(.word, .r2, from: .r8, at: 12)
    code.jump(to: sender4)
  }
}
