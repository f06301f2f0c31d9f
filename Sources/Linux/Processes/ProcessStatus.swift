/// What /proc says of a process, which may have ended and not been reaped; see proc_pid_stat(5).
struct ProcessStatus {
  /// Whether it has ended, and its parent has not waited for it.
  private(set) var isZombie = false
  /// The process ID of its parent.
  private(set) var parent: UInt64 = 0
  /// When it began, in ticks since the machine started. With the process ID it names the process.
  private(set) var began: UInt64 = 0

  /// The status of `pid`; nil if there is no such process.
  ///
  /// A file without a name in parentheses is `EINVAL`.
  init?(_ pid: Int32) throws(SystemError) {
    let path = "/proc/\(pid)/stat"
    let bytes: [UInt8]
    do throws(SystemError) { bytes = try FileDescriptor.open(path).read(limit: 1024) } catch {
      // It may have ended since the file was opened.
      if error.errno == .noSuchFileOrDirectory || error.errno == .noSuchProcess { return nil }
      throw error
    }
    // The second field is a name in parentheses, which may have any bytes in it.
    guard let name = bytes.lastIndex(of: UInt8(ascii: ")")) else {
      throw SystemError("read", path, .invalidArgument)
    }
    var field = 2
    for byte in bytes[name...] {
      let digit = UInt64(byte ^ UInt8(ascii: "0"))
      if byte == UInt8(ascii: " ") {
        field += 1
      } else if field == 3 {
        isZombie = byte == UInt8(ascii: "Z")
      } else if field == 4, digit < 10 {
        parent = parent &* 10 &+ digit
      } else if field == 22, digit < 10 {
        began = began &* 10 &+ digit
      }
    }
  }
}
