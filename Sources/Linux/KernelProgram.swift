internal import CLinux

/// A BPF program in the kernel; see bpf(2). The kernel frees it when nothing refers to it any more:
/// neither this value nor a link.
public struct KernelProgram: ~Copyable {
  private let descriptor: FileDescriptor

  /// Which program it is.
  public struct Identity: Hashable, Sendable {
    /// Unique among the programs of this kernel.
    public let number: UInt32
    /// A digest of the instructions: programs with the same ones have the same.
    public let tag: UInt64
  }

  /// Loads a program of the kind XDP: `instructions` as the kernel has them, eight bytes each. A
  /// program that its verifier refuses is `EINVAL` or `EACCES`.
  ///
  /// `name` has at most 15 letters, digits, `_` and `.`.
  public init(xdp instructions: [UInt64], named name: String) throws(SystemError) {
    let result = unsafe instructions.withUnsafeBufferPointer {
      unsafe clinux_load_xdp($0.baseAddress, $0.count, name)
    }
    descriptor = FileDescriptor(owning: CInt(try check(result, "bpf", "BPF_PROG_LOAD")))
  }

  /// Opens the program that has this number; `ENOENT` if there is none.
  public init(number: UInt32) throws(SystemError) {
    descriptor = FileDescriptor(
      owning: CInt(try check(clinux_open_bpf_program(number), "bpf", "program \(number)")))
  }

  /// Valid as long as this value is.
  public var fileDescriptor: CInt { descriptor.rawValue }

  /// Which program it is.
  public borrowing func identity() throws(SystemError) -> Identity {
    var number: UInt32 = 0
    var tag: UInt64 = 0
    _ = try check(
      unsafe clinux_bpf_program_info(descriptor.rawValue, &number, &tag), "bpf",
      "BPF_OBJ_GET_INFO_BY_FD")
    return Identity(number: number, tag: tag)
  }
}
