internal import CLinux

/// A copy of this process that does one thing and ends, while this process goes on.
///
/// It has none of this process's descriptors but one, and not its working directory: it holds no
/// lock, keeps no reader of this process's output waiting and no file system mounted. It is killed
/// when this process ends, and when this value goes away. It may stay in the kernel for a while
/// then, and is reaped by the process that inherits it: init(1), or a subreaper of prctl(2).
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
      clinux_keep_only(descriptor)
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
    if !isLeft, clinux_forget(identifier) == 0 { _ = clinux_kill(identifier, SIGKILL) }
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

  /// Lets this process end without waiting for it: the process that inherits it reaps it.
  ///
  /// Where that one reaps nothing, each that is left would be a zombie for ever. So one that is
  /// left is remembered in the file at `path`, one for each PID namespace, until it is reaped.
  /// While it is a zombie no other is left: this returns false then, and where it cannot be known.
  /// Several that are left before the first has ended may all become zombies, and no more.
  public borrowing func canBeLeft(rememberedAt path: String) -> Bool {
    do throws(SystemError) {
      // Where /proc is that of another PID namespace, this is another process.
      guard let own = try ProcessStatus(identifier), own.parent == UInt64(Process.identifier),
        !own.isZombie
      else { return false }
      let file = try FileDescriptor.open(path, [.readWrite, .create, .noFollow, .nonBlocking])
      guard try file.status().kind == .regular else { return false }
      let words = try file.readWords(at: 0, count: 3)
      if !words.isEmpty {
        guard words.count == 2, let pid = Int32(exactly: words[0]), pid > 0 else { return false }
        // It may be another process by now, which has the number of one that was reaped.
        if let last = try ProcessStatus(pid), last.began == words[1] { return !last.isZombie }
      }
      try file.write(words: [UInt64(identifier), own.began], at: 0)
      return true
    } catch { return false }
  }

  /// Leaves it to itself.
  public consuming func leave() { isLeft = true }
}
