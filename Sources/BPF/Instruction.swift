/// One instruction of BPF, the machine in the kernel: RFC 9669. Eight bytes.
public struct Instruction: Hashable, Sendable {
  /// What it does: class, operation and kind of operands (RFC 9669 §3).
  public let code: UInt8
  /// The register it changes or compares.
  public let destination: Register
  /// The register it reads.
  public let source: Register
  /// Of a jump, how many instructions beyond the next; of a load or store, bytes from the address.
  public var offset: Int16
  /// The constant.
  public let immediate: Int32

  init(
    _ code: UInt8, _ destination: Register = .r0, _ source: Register = .r0, offset: Int16 = 0,
    immediate: Int32 = 0
  ) {
    self.code = code
    self.destination = destination
    self.source = source
    self.offset = offset
    self.immediate = immediate
  }

  /// As the kernel takes it, `struct bpf_insn` of a machine whose byte order is little-endian.
  public var word: UInt64 {
    UInt64(code) | UInt64(destination.rawValue) << 8 | UInt64(source.rawValue) << 12
      | UInt64(UInt16(bitPattern: offset)) << 16 | UInt64(UInt32(bitPattern: immediate)) << 32
  }
}

/// A register of 64 bits. `r0` holds the result at the end, `r1` the context at the beginning,
/// `r10` the address past the program's own 512 bytes of memory.
public enum Register: UInt8, Hashable, Sendable {
  case r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10
}

/// How much is loaded or stored.
public enum Width: UInt8, Hashable, Sendable {
  /// 4 bytes.
  case word = 0x00
  /// 2 bytes.
  case half = 0x08
  /// 1 byte.
  case byte = 0x10
  /// 8 bytes.
  case double = 0x18
}

/// What is computed from the destination and an operand, and goes into the destination.
public enum Computation: UInt8, Hashable, Sendable {
  case add = 0x00
  case or = 0x40
  case and = 0x50
  case shiftLeft = 0x60
  case shiftRight = 0x70
  case exclusiveOr = 0xa0
  case move = 0xb0
}

/// How the destination, without sign, compares with an operand.
public enum Comparison: UInt8, Hashable, Sendable {
  case equal = 0x10
  case greater = 0x20
  case greaterOrEqual = 0x30
  case notEqual = 0x50
  case less = 0xa0
  case lessOrEqual = 0xb0
}
