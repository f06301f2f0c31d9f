internal import Addresses
public import BPF

/// A policy as a program of the kind XDP: it is given each frame and decides whether it passes.
///
/// It has neither maps nor helper functions: the addresses are constants in it. Bytes are compared
/// as they are loaded, so that none has to be turned round.
///
/// Registers: `r6` the frame, `r7` its end, `r8` the network header. An address that the sender is
/// to have is in `r2`, or, of IPv6, in `r2` and `r3`; then `r9` says whether there is a second one,
/// which waits in memory.
public struct FrameProgram {
  var code = Assembler()
  let policy: GuardPolicy

  /// Where a header of each kind is looked at.
  let (arp, ipv4, ipv6): (Assembler.Label, Assembler.Label, Assembler.Label)
  let pass: Assembler.Label
  let drop: Assembler.Label
  /// Passes if the sender is one of the policy's.
  let sender: Assembler.Label
  /// Passes if the sender is one of the policy's and has the address of IPv4.
  let sender4: Assembler.Label
  /// The same with IPv6.
  let sender6: Assembler.Label

  /// `XDP_DROP` and `XDP_PASS` of linux/bpf.h.
  private static let (drop, pass): (Int32, Int32) = (1, 2)

  /// The name that the kernel shows: `bpftool prog`, `ip -d link`.
  public static let name = "patchbay_guard"

  /// The instructions for `policy`. One with so many addresses that the kernel has no jump over
  /// them throws.
  public static func instructions(for policy: GuardPolicy) throws(Assembler.Failure)
    -> [Instruction]
  {
    var program = FrameProgram(policy)
    program.write()
    return try program.code.program()
  }

  private init(_ policy: GuardPolicy) {
    self.policy = policy
    (arp, ipv4, ipv6) = (code.label(), code.label(), code.label())
    pass = code.label()
    drop = code.label()
    sender = code.label()
    sender4 = code.label()
    sender6 = code.label()
  }

  private mutating func write() {
    // The kernel refuses a program with instructions that are never reached.
    guard !policy.senders.isEmpty else { return code.exit(Self.drop) }
    // struct xdp_md of linux/bpf.h begins with data and data_end.
    code.load(.word, .r6, from: .r1, at: 0)
    code.load(.word, .r7, from: .r1, at: 4)
    require(14, at: .r6)
    if policy.mode == .full {
      writeEthernet()
      writeARP()
      writeIPv4()
      writeIPv6()
      writeLists()
    }
    writeSenders(sender) { $0.code.jump(to: $0.pass) }
    code.place(pass)
    code.exit(Self.pass)
    code.place(drop)
    code.exit(Self.drop)
  }

  // MARK: - Parts

  /// Drops a frame that has fewer than `count` bytes from `pointer` on: only what is compared with
  /// the end may be loaded. Changes `r2`.
  mutating func require(_ count: Int32, at pointer: Register) {
    code.compute(.move, .r2, pointer)
    code.compute(.add, .r2, count)
    code.jump(to: drop, if: .r2, .greater, .r7)
  }

  /// Drops the frame unless the six bytes at `pointer` + `offset` are its source. Changes `r4` and
  /// `r5`.
  mutating func requireSource(at pointer: Register, _ offset: Int16) {
    code.load(.half, .r4, from: pointer, at: offset)
    code.load(.half, .r5, from: .r6, at: 6)
    code.jump(to: drop, if: .r4, .notEqual, .r5)
    code.load(.word, .r4, from: pointer, at: offset + 2)
    code.load(.word, .r5, from: .r6, at: 8)
    code.jump(to: drop, if: .r4, .notEqual, .r5)
  }

  /// At `label`: what `body` writes for the sender whose source address the frame has, and which
  /// leads elsewhere. A frame with any other source is dropped. Changes `r4` and `r5`.
  private mutating func writeSenders(
    _ label: Assembler.Label, _ body: (inout FrameProgram, GuardPolicy.Sender) -> Void
  ) {
    code.place(label)
    code.load(.half, .r4, from: .r6, at: 6)
    code.load(.word, .r5, from: .r6, at: 8)
    for sender in policy.senders {
      let next = code.label()
      code.jump(to: next, if: .r4, .notEqual, loaded(sender.mac.bytes[0..<2]))
      code.jump(to: next, if: .r5, .notEqual, loaded(sender.mac.bytes[2..<6]))
      body(&self, sender)
      code.place(next)
    }
    code.jump(to: drop)
  }
  private mutating func writeSenders(_ label: Assembler.Label, _ body: (inout FrameProgram) -> Void)
  {
    writeSenders(label) { program, _ in body(&program) }
  }

  private mutating func writeLists() {
    writeSenders(sender4) { $0.writeIPv4($1.ipv4) }
    writeSenders(sender6) { $0.writeIPv6($1.ipv6) }
  }

  /// Passes if the address in `r2` is one of `prefixes`. Changes `r3`.
  private mutating func writeIPv4(_ prefixes: [IPPrefix]) {
    for prefix in prefixes {
      let bytes = prefix.address.bytes
      if prefix.length == 32 {
        code.jump(to: pass, if: .r2, .equal, loaded(bytes[...]))
      } else {
        code.compute(.move, .r3, .r2)
        code.compute32(.and, .r3, loaded(prefix.mask.bytes[...]))
        code.jump(to: pass, if: .r3, .equal, loaded(bytes[...]))
      }
    }
    code.jump(to: drop)
  }

  /// Passes if the address in `r2` and `r3` is one of `prefixes`, unless there is a second one to
  /// look up. Changes `r4` and `r5`.
  ///
  /// The kernel refuses a program with instructions that are never reached.
  private mutating func writeIPv6(_ prefixes: [IPPrefix]) {
    let found = code.label()
    let isAny = prefixes.contains { $0.length == 0 }
    for prefix in isAny ? [] : prefixes {
      let next = code.label()
      let (bytes, mask) = (prefix.address.bytes, prefix.mask.bytes)
      compare(.r2, bytes[0..<8], mask[0..<8], else: next)
      compare(.r3, bytes[8..<16], mask[8..<16], else: next)
      code.jump(to: found)
      code.place(next)
    }
    if !isAny { code.jump(to: drop) }
    guard !prefixes.isEmpty else { return }
    code.place(found)
    code.jump(to: pass, if: .r9, .equal, 0)
    code.compute(.move, .r9, 0)
    code.load(.double, .r2, from: .r10, at: -16)
    code.load(.double, .r3, from: .r10, at: -8)
    code.jump(to: sender6)
  }

  private mutating func compare(
    _ register: Register, _ bytes: ArraySlice<UInt8>, _ mask: ArraySlice<UInt8>,
    else next: Assembler.Label
  ) {
    let mask = loadedDouble(mask)
    if mask == 0 { return }
    code.set(.r4, to: loadedDouble(bytes))
    if mask == .max {
      code.jump(to: next, if: register, .notEqual, .r4)
    } else {
      code.set(.r5, to: mask)
      code.compute(.and, .r5, register)
      code.jump(to: next, if: .r5, .notEqual, .r4)
    }
  }
}

/// What a register has when `bytes`, of which there are two or four, were loaded into it on a
/// machine whose byte order is little-endian.
func loaded(_ bytes: ArraySlice<UInt8>) -> UInt32 {
  bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
}
private func loadedDouble(_ bytes: ArraySlice<UInt8>) -> UInt64 {
  bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
}
