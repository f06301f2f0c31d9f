internal import BPF

extension FrameProgram {
  /// How many extension headers are followed. A frame with more is dropped.
  static let mostExtensions: UInt32 = 6

  /// No DHCP server, no router, no neighbour discovery but of its own; the source is one of the
  /// sender's.
  ///
  /// `r0` counts extension headers, `r1` is where the header that is looked at begins, counted from
  /// the network header, `r3` says of which kind it is.
  ///
  /// The kernel follows every way through the program before it takes it, and a way that it has
  /// followed with more possible values need not be followed again. So the longest header comes
  /// first, and places are numbers and not addresses, which would be compared one by one.
  mutating func writeIPv6() {
    let (header, follow, fragment) = (code.label(), code.label(), code.label())
    let (datagram, control, source) = (code.label(), code.label(), code.label())
    code.place(ipv6)
    require(40, at: .r8)
    code.load(.byte, .r3, from: .r8, at: 0)
    code.compute(.shiftRight, .r3, 4)
    code.jump(to: drop, if: .r3, .notEqual, 6)
    code.compute(.move, .r9, 0)
    code.compute(.move, .r0, 0)
    code.compute(.move, .r1, 40)
    code.load(.byte, .r3, from: .r8, at: 6)

    code.place(header)
    for kind in FrameConstant.extensions {
      let next = code.label()
      code.jump(to: next, if: .r3, .notEqual, UInt32(kind))
      code.jump(to: follow)
      code.place(next)
    }
    code.jump(to: fragment, if: .r3, .equal, UInt32(FrameConstant.fragment))
    code.jump(to: control, if: .r3, .equal, UInt32(FrameConstant.icmpv6))
    code.jump(to: datagram, if: .r3, .equal, UInt32(FrameConstant.udp))
    code.jump(to: source)

    code.place(follow)
    writeNextHeader()
    code.load(.byte, .r2, from: .r5, at: 1)
    code.compute(.add, .r2, 1)
    code.compute(.shiftLeft, .r2, 3)
    code.compute(.add, .r1, .r2)
    code.jump(to: header)

    code.place(fragment)
    writeNextHeader()
    code.load(.half, .r2, from: .r5, at: 2)
    code.compute32(.and, .r2, loaded([0xff, 0xf8]))
    code.compute(.add, .r1, 8)
    code.jump(to: header, if: .r2, .equal, 0)
    // What was in the first fragment is not known here. It was looked at there.
    for kind in FrameConstant.unfragmentable {
      code.jump(to: drop, if: .r3, .equal, UInt32(kind))
    }
    code.jump(to: source)

    code.place(datagram)
    loadHeader(2)
    code.load(.half, .r2, from: .r5, at: 0)
    code.jump(to: drop, if: .r2, .equal, loaded(FrameConstant.dhcpv6Server[...]))
    code.jump(to: source)

    code.place(control)
    writeICMPv6(source)

    code.place(source)
    code.load(.double, .r2, from: .r8, at: 8)
    code.load(.double, .r3, from: .r8, at: 16)
    code.jump(to: sender6)
  }

  /// Puts the address of the header at `r1` into `r5`; it has `count` bytes at least. Changes `r2`.
  private mutating func loadHeader(_ count: Int32) {
    code.compute(.move, .r5, .r8)
    code.compute(.add, .r5, .r1)
    require(count, at: .r5)
  }

  /// Puts the kind of the header after that at `r1` into `r3`. Changes `r2` and `r5`.
  private mutating func writeNextHeader() {
    loadHeader(8)
    code.jump(to: drop, if: .r0, .greaterOrEqual, Self.mostExtensions)
    code.compute(.add, .r0, 1)
    code.load(.byte, .r3, from: .r5, at: 0)
  }

  /// Goes on to `source` where only that is left to be checked.
  private mutating func writeICMPv6(_ source: Assembler.Label) {
    typealias Constant = FrameConstant
    let (report, advertisement) = (code.label(), code.label())
    loadHeader(1)
    code.load(.byte, .r3, from: .r5, at: 0)
    for type in Constant.membershipReports {
      code.jump(to: report, if: .r3, .equal, UInt32(type))
    }
    code.jump(to: source, if: .r3, .less, UInt32(Constant.neighbourDiscovery.lowerBound))
    code.jump(to: source, if: .r3, .greater, UInt32(Constant.neighbourDiscovery.upperBound))
    // No host sends neighbour discovery behind an extension header, and none should take it in
    // fragments (RFC 6980); it serves to deceive what looks at less than this.
    code.jump(to: drop, if: .r0, .notEqual, 0)
    code.load(.half, .r1, from: .r8, at: 4)
    code.jump(to: advertisement, if: .r3, .equal, UInt32(Constant.neighbourAdvertisement))
    let solicitation = code.label()
    code.jump(to: solicitation, if: .r3, .equal, UInt32(Constant.neighbourSolicitation))
    code.jump(to: drop, if: .r3, .notEqual, UInt32(Constant.routerSolicitation))

    // Without option, or with one that names the sender.
    require(48, at: .r8)
    code.jump(to: source, if: .r1, .equal, loaded([0, 8]))
    code.jump(to: drop, if: .r1, .notEqual, loaded([0, 16]))
    require(56, at: .r8)
    writeOption(Constant.sourceOption, at: 48)
    code.jump(to: source)

    code.place(solicitation)
    writeSolicitation(source)

    code.place(advertisement)
    let named = code.label()
    require(64, at: .r8)
    code.jump(to: named, if: .r1, .equal, loaded([0, 24]))
    code.jump(to: drop, if: .r1, .notEqual, loaded([0, 32]))
    require(72, at: .r8)
    writeOption(Constant.targetOption, at: 64)
    code.place(named)
    // Both the address that it is about and the one that it is from are the sender's.
    loadTarget()
    code.store(.double, .r2, to: .r10, at: -16)
    code.store(.double, .r3, to: .r10, at: -8)
    code.compute(.move, .r9, 1)
    code.jump(to: source)

    code.place(report)
    jumpUnlessUnspecified(to: source)
    code.load(.half, .r2, from: .r8, at: 24)
    code.jump(to: sender, if: .r2, .equal, loaded([0xff, 0x02]))
    code.jump(to: drop)
  }

  /// From the sender, or from no address, and then for its own (RFC 4862 §5.4) and without an
  /// option that names it.
  private mutating func writeSolicitation(_ source: Assembler.Label) {
    typealias Constant = FrameConstant
    let unnamed = code.label()
    require(64, at: .r8)
    code.jump(to: unnamed, if: .r1, .equal, loaded([0, 24]))
    code.jump(to: drop, if: .r1, .notEqual, loaded([0, 32]))
    require(72, at: .r8)
    code.load(.half, .r2, from: .r8, at: 64)
    code.jump(to: unnamed, if: .r2, .equal, loaded(Constant.nonceOption[...]))
    writeOption(Constant.sourceOption, at: 64)
    jumpUnlessUnspecified(to: source)
    code.jump(to: drop)
    code.place(unnamed)
    jumpUnlessUnspecified(to: source)
    loadTarget()
    code.jump(to: sender6)
  }

  /// The option at `offset` from the network header is of this kind and names the frame's source.
  private mutating func writeOption(_ kind: [UInt8], at offset: Int16) {
    code.load(.half, .r2, from: .r8, at: offset)
    code.jump(to: drop, if: .r2, .notEqual, loaded(kind[...]))
    requireSource(at: .r8, offset + 2)
  }

  private mutating func loadTarget() {
    code.load(.double, .r2, from: .r8, at: 48)
    code.load(.double, .r3, from: .r8, at: 56)
  }

  /// Goes to `label` unless the source is `::`. Changes `r2` and `r3`.
  private mutating func jumpUnlessUnspecified(to label: Assembler.Label) {
    code.load(.double, .r2, from: .r8, at: 8)
    code.load(.double, .r3, from: .r8, at: 16)
    code.compute(.or, .r2, .r3)
    code.compute(.move, .r3, 0)
    code.jump(to: label, if: .r2, .notEqual, .r3)
  }
}
