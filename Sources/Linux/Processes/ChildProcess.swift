internal import CLinux

/// A program that was started and gets bytes on standard input, gives bytes on standard output.
///
/// It runs in a process group of its own, which is killed when this value goes away before the
/// program has ended.
public struct ChildProcess: ~Copyable {
  /// How a program ended.
  public enum Status: Hashable, Sendable, CustomStringConvertible {
    /// It ended by itself with this exit status.
    case exited(CInt)
    /// This signal ended it.
    case signaled(CInt)

    /// `exit status 1`, `signal 9`
    public var description: String {
      switch self {
      case .exited(let status): "exit status \(status)"
      case .signaled(let number): "signal \(number)"
      }
    }
  }
  /// Where a program's standard error goes.
  public enum StandardError: Hashable, Sendable {
    /// To ours.
    case inherited
    /// To its standard output.
    case merged
    /// To the program that waits for its end.
    case piped
  }
  /// What a program answered.
  public struct Output: Hashable, Sendable {
    /// How it ended.
    public let status: Status
    /// All of its standard output.
    public let bytes: [UInt8]
  }
  /// Why there is no answer.
  public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
    /// It had not ended at the deadline, and was killed.
    case deadlinePassed(path: String)
    /// It wrote more than this many bytes, and was killed.
    case tooMuchOutput(path: String, limit: Int)
    /// A system call failed.
    case system(SystemError)

    /// What was attempted, and why not.
    public var description: String {
      switch self {
      case .deadlinePassed(let path): "\(path) had not ended in time, and was killed"
      case .tooMuchOutput(let path, let limit):
        "\(path) wrote more than \(limit) bytes to standard output, and was killed"
      case .system(let error): error.description
      }
    }
  }

  private let path: String
  private let group: pid_t
  private let ending: FileDescriptor
  private let output: FileDescriptor
  var outputDescriptor: CInt { output.rawValue }
  private var errors: FileDescriptor?
  private var input: FileDescriptor?
  private var unwritten: ArraySlice<UInt8>
  private var isReaped = false

  /// Starts `path` with `input` on standard input and exactly this environment (`NAME=value`).
  ///
  /// It is killed when the thread that starts it ends, so that it does nothing that is not
  /// waited for any more.
  ///
  /// - Parameter isHeld: Whether it gets its input only when its end is waited for.
  public init(
    start path: String, arguments: [String] = [], environment: [String], input bytes: [UInt8],
    isHeld: Bool = false, standardError: StandardError = .inherited
  ) throws(SystemError) {
    let downward = try Pipe()
    let upward = try Pipe()
    var aside = standardError == .piped ? try Pipe() : nil
    try aside?.reading.setNonBlocking()
    try downward.writing.setNonBlocking()
    try upward.reading.setNonBlocking()
    // What fits is there before the program runs; all of it, but for a very long input.
    var rest = bytes[...]
    if !isHeld { try downward.writing.writeAvailable(&rest) }
    let merged = standardError == .merged ? upward.writing.rawValue : -1
    let pid = try spawn(
      path, [path] + arguments, environment, input: downward.reading.rawValue,
      output: upward.writing.rawValue, errors: aside?.writing.rawValue ?? merged)
    let opened = clinux_open_process(pid)
    if opened < 0 {
      _ = clinux_kill_group(pid, SIGKILL)
      _ = clinux_wait(pid)
    }
    ending = FileDescriptor(owning: CInt(try check(opened, "pidfd_open", path)))
    self.path = path
    group = pid
    output = upward.reading
    if let pipe = aside.take() { errors = .some(pipe.reading) } else { errors = nil }
    input = .some(downward.writing)
    unwritten = rest
    if rest.isEmpty { input = nil }
  }

  deinit {
    if !isReaped {
      // It may have left its group since.
      _ = clinux_kill_group(group, SIGKILL)
      _ = clinux_kill(group, SIGKILL)
      _ = clinux_wait(group)
    }
  }

  /// Waits for the end of the program and returns what it wrote. Past the deadline it is killed.
  ///
  /// - Parameter read: Gets what it writes to standard error, when it does, if that is piped.
  public consuming func finish(
    until deadline: Deadline, limit: Int = 16 << 20, errors read: ([UInt8]) -> Void = { _ in }
  ) throws(Failure) -> Output {
    var bytes: [UInt8] = []
    do throws(SystemError) {
      var isOpen = true
      var hasEnded = false
      while !hasEnded {
        if unwritten.isEmpty { input = nil }
        var events: [Readiness] = [.readable(ending.rawValue)]
        if isOpen { events.append(.readable(output.rawValue)) }
        if let fd = errors?.rawValue { events.append(.readable(fd)) }
        if let fd = input?.rawValue { events.append(.writable(fd)) }
        guard let ready = try wait(for: events, until: deadline) else {
          throw SystemError("", "", .timedOut)
        }
        hasEnded = ready == 0
        // One that writes without pause is always ready.
        guard hasEnded || !deadline.hasPassed else { throw SystemError("", "", .timedOut) }
        try input?.writeAvailable(&unwritten)
        // Once it has ended, what it left in the pipe is all there is: a grandchild may still
        // hold the other end.
        if let fd = errors?.rawValue, let chunk = try Self.readAvailable(fd) {
          if chunk.isEmpty { errors = nil } else { read(chunk) }
        }
        while isOpen, let chunk = try Self.readAvailable(output.rawValue) {
          isOpen = !chunk.isEmpty
          bytes += chunk
          guard bytes.count <= limit else { throw SystemError("", "", .fileTooLarge) }
        }
      }
      let status = try check(clinux_wait(group), "waitpid", path)
      isReaped = true
      let signal = clinux_ending_signal(status)
      return Output(
        status: signal != 0 ? .signaled(signal) : .exited(clinux_exit_status(status)), bytes: bytes)
    } catch {
      switch error.errno {
      case .timedOut: throw .deadlinePassed(path: path)
      case .fileTooLarge: throw .tooMuchOutput(path: path, limit: limit)
      default: throw .system(error)
      }
    }
  }

  /// What it has written since; nil if that is nothing, empty if it will write no more. At most
  /// what a pipe holds.
  static func readAvailable(_ descriptor: CInt) throws(SystemError) -> [UInt8]? {
    let (bytes, result) = unsafe received(64 << 10) { unsafe clinux_read(descriptor, $0, $1) }
    if result == -Int(EAGAIN) { return nil }
    _ = try check(result, "read", descriptorName(descriptor))
    return bytes
  }
}

/// Both ends of a pipe; see pipe(2).
private struct Pipe: ~Copyable {
  let reading: FileDescriptor
  let writing: FileDescriptor

  init() throws(SystemError) {
    var ends: (CInt, CInt) = (-1, -1)
    let result = unsafe withUnsafeMutablePointer(to: &ends) {
      unsafe $0.withMemoryRebound(to: CInt.self, capacity: 2) { unsafe clinux_pipe($0) }
    }
    _ = try check(result, "pipe2", "O_CLOEXEC")
    reading = FileDescriptor(owning: ends.0)
    writing = FileDescriptor(owning: ends.1)
  }
}

/// Starts `path` and returns its process ID; see vfork(2) and execve(2).
private func spawn(
  _ path: String, _ arguments: [String], _ environment: [String], input: CInt, output: CInt,
  errors: CInt
) throws(SystemError) -> pid_t {
  var argv = unsafe arguments.map { unsafe strdup($0) }
  var envp = unsafe environment.map { unsafe strdup($0) }
  unsafe argv.append(nil)
  unsafe envp.append(nil)
  defer {
    unsafe argv.forEach { unsafe free($0) }
    unsafe envp.forEach { unsafe free($0) }
  }
  let pid = unsafe clinux_spawn(path, argv, envp, input, output, errors)
  return pid_t(truncatingIfNeeded: try check(pid, "exec", path))
}
