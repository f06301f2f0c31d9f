import BPF
import CLinux
import Linux
import PortGuard
import Testing

/// A program in the kernel, given frames without a network: `BPF_PROG_TEST_RUN` of bpf(2).
struct Machine: ~Copyable {
  private let program: KernelProgram

  init(_ policy: GuardPolicy) throws {
    let instructions = try FrameProgram.instructions(for: policy)
    program = try KernelProgram(xdp: instructions.map { $0.word }, named: FrameProgram.name)
  }

  /// Whether the program lets the frame pass.
  func passes(_ frame: [UInt8]) throws -> Bool {
    var attribute = bpf_attr()
    attribute.test.prog_fd = UInt32(program.fileDescriptor)
    attribute.test.data_size_in = UInt32(frame.count)
    let result = frame.withUnsafeBytes { bytes in
      attribute.test.data_in = UInt64(UInt(bitPattern: bytes.baseAddress))
      return clinux_bpf(CInt(BPF_PROG_TEST_RUN.rawValue), &attribute)
    }
    try #require(result == 0, "bpf(BPF_PROG_TEST_RUN): \(result)")
    try #require([1, 2].contains(attribute.test.retval), "\(attribute.test.retval)")
    return attribute.test.retval == 2
  }
}
