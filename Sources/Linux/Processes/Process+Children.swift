internal import CLinux

extension Process {
  /// Kinds of namespaces; see namespaces(7).
  public struct Namespaces: OptionSet, Sendable {
    /// Flags of unshare(2).
    public let rawValue: CInt
    /// The kinds that `rawValue` holds.
    public init(rawValue: CInt) { self.rawValue = rawValue }
    /// `CLONE_NEWNS`
    public static let mount = Namespaces(rawValue: CLINUX_CLONE_NEWNS)
    /// `CLONE_NEWNET`
    public static let network = Namespaces(rawValue: CLINUX_CLONE_NEWNET)
    /// `CLONE_NEWPID`: for children, the first of which is process 1, with whom all others end.
    public static let process = Namespaces(rawValue: CLINUX_CLONE_NEWPID)
    /// `CLONE_NEWUSER`
    public static let user = Namespaces(rawValue: CLINUX_CLONE_NEWUSER)
  }

  /// Leaves namespaces for new ones of the same kinds; see unshare(2).
  public static func unshare(_ kinds: Namespaces) throws(SystemError) {
    _ = try check(clinux_unshare(kinds.rawValue), "unshare", "\(kinds)")
  }

  /// The file that this program was started from; see proc_pid_exe(5).
  public static func executablePath() throws(SystemError) -> String {
    try symbolicLink("/proc/self/exe")
  }

  /// What the symbolic link at `path` says.
  public static func symbolicLink(_ path: String) throws(SystemError) -> String {
    var result = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, count in
      result = unsafe buffer.withMemoryRebound(to: CChar.self) {
        unsafe clinux_read_link(path, $0.baseAddress, $0.count)
      }
      count = max(0, result)
    }
    _ = try check(result, "readlink", path)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The effective group ID; see getegid(2).
  public static var effectiveGroup: UInt32 { CLinux::getegid() }

  // MARK: - Children that go on as this program

  /// Makes a copy of this process: its ID, or nil in the copy. See fork(2).
  public static func fork() throws(SystemError) -> Int32? {
    let pid = try check(clinux_fork(), "fork", "this process")
    return pid == 0 ? nil : Int32(truncatingIfNeeded: pid)
  }

  /// A descriptor that becomes readable when this process ends; see pidfd_open(2).
  public static func ending() throws(SystemError) -> FileDescriptor {
    FileDescriptor(
      owning: CInt(try check(clinux_open_process(identifier), "pidfd_open", "this process")))
  }

  /// Lets the kernel kill this process when its parent ends.
  ///
  /// - Parameter parent: The parent's `ending()`: it may have ended already.
  public static func endWithParent(_ parent: borrowing FileDescriptor) throws(SystemError) {
    _ = try check(clinux_end_with_parent(), "prctl", "PR_SET_PDEATHSIG")
    let hasEnded = try Linux.wait(for: [.readable(parent.rawValue)], until: .after(.zero)) != nil
    if hasEnded { exit(1) }
  }

  /// Waits until any child has ended; `ECHILD` when there is none.
  public static func waitForAny() throws(SystemError) -> (pid: Int32, status: ChildProcess.Status) {
    var status: CInt = 0
    let pid = try check(unsafe clinux_wait_any(&status), "waitpid", "any child")
    return (Int32(truncatingIfNeeded: pid), ended(Int(status)))
  }

  /// Waits until the child `pid` has ended.
  public static func waitForEnd(of pid: Int32) throws(SystemError) -> ChildProcess.Status {
    ended(try check(clinux_wait(pid), "waitpid", "\(pid)"))
  }

  private static func ended(_ status: Int) -> ChildProcess.Status {
    let signal = clinux_ending_signal(status)
    return signal != 0 ? .signaled(signal) : .exited(clinux_exit_status(status))
  }

  /// Goes on as the program at `path`, with no signal ignored or blocked; see execve(2).
  public static func execute(_ path: String, _ arguments: [String], environment: [String])
    throws(SystemError) -> Never
  {
    var argv = unsafe arguments.map { unsafe strdup($0) }
    var envp = unsafe environment.map { unsafe strdup($0) }
    unsafe argv.append(nil)
    unsafe envp.append(nil)
    clinux_reset_signals()
    let result = unsafe clinux_execute(path, argv, envp)
    unsafe argv.forEach { unsafe free($0) }
    unsafe envp.forEach { unsafe free($0) }
    throw SystemError("execve", path, Errno(rawValue: CInt(-result)))
  }
}

extension Process.Namespaces: CustomStringConvertible {
  /// `CLONE_NEWNS|CLONE_NEWNET`
  public var description: String {
    let names: [(Process.Namespaces, String)] = [
      (.mount, "CLONE_NEWNS"), (.network, "CLONE_NEWNET"), (.process, "CLONE_NEWPID"),
      (.user, "CLONE_NEWUSER"),
    ]
    return names.filter { contains($0.0) }.map { $0.1 }.joined(separator: "|")
  }
}
