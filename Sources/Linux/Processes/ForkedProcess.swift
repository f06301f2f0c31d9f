internal import CLinux

/// A copy of this process that does one thing and ends, while this process goes on.
///
/// It has none of this process's descriptors but one: it holds no lock, and keeps no reader of
/// this process's output waiting. It is killed when this process ends, and when this value goes
/// away. It may stay in the kernel for a while then, and init(1) reaps it.
public struct ForkedProcess: ~Copyable {
  private let identifier: Int32
  private let ending: FileDescriptor
  private var isLeft = false

  /// Makes the copy, which runs `body` and ends with the exit status that this returns: fork(2).
  ///
  /// For a process with one thread.
  ///
  /// - Parameter descriptor: The `rawValue` of the one that it has; `body` may use the owner.
  public init(keeping descriptor: CInt, _ body: () -> CInt) throws(SystemError) {
    let parent = try Process.ending()
    guard let pid = try Process.fork() else {
      do { try Process.endWithParent(parent) } catch { Process.exit(1) }
      clinux_close_others(descriptor)
      Process.exit(body())
    }
    let opened = clinux_open_process(pid)
    if opened < 0 {
      _ = clinux_kill(pid, SIGKILL)
      _ = clinux_wait(pid)
    }
    ending = FileDescriptor(owning: CInt(try check(opened, "pidfd_open", "\(pid)")))
    identifier = pid
  }

  deinit {
    if !isLeft { _ = clinux_kill(identifier, SIGKILL) }
  }

  /// Waits until it has ended; false if it has not at the deadline.
  public borrowing func waitForEnd(until deadline: Deadline) throws(SystemError) -> Bool {
    try wait(for: [.readable(ending.rawValue)], until: deadline) != nil
  }

  /// Waits until it has ended, and leaves it to itself if it has not at the deadline. False then.
  public consuming func finish(until deadline: Deadline) throws(SystemError) -> Bool {
    isLeft = true
    guard try waitForEnd(until: deadline) else { return false }
    _ = try Process.waitForEnd(of: identifier)
    return true
  }
}
