internal import CLinux

/// What this process was given, and its end.
public enum Process {
  /// The environment variable `name`; nil if it is not set.
  public static func environment(_ name: String) -> String? {
    guard let value = unsafe name.withCString({ unsafe CLinux::getenv($0) }) else { return nil }
    return unsafe String(cString: value)
  }

  /// The whole environment, as `NAME=value`.
  public static var environment: [String] {
    var lines: [String] = []
    guard var next = unsafe clinux_environment() else { return lines }
    while let line = unsafe next.pointee {
      unsafe lines.append(String(cString: line))
      unsafe next += 1
    }
    return lines
  }

  /// The process ID; see getpid(2).
  public static var identifier: Int32 { CLinux::getpid() }

  /// A write to a closed pipe is `EPIPE` from now on, and one beyond the limit of a file's size
  /// `EFBIG`: neither is the end of the process. And what this process starts is waited for, even
  /// if `SIGCHLD` was ignored when it was started. Standard streams that were closed stay closed:
  /// nothing that is opened takes their place. Memory that is freed is kept for the next use.
  public static func prepare() {
    clinux_keep_memory()
    clinux_prepare_signals()
    clinux_occupy_standard_descriptors()
  }

  /// `SIGINT`, `SIGTERM` and `SIGHUP` do not end this process from now on; the processes that it
  /// starts still end by them. See sigprocmask(2).
  public static func blockTermination() { clinux_block_termination() }

  /// Ends the process; see _exit(2).
  public static func exit(_ status: CInt) -> Never { CLinux::_exit(status) }
}
