import CLinux
import Foundation

/// What a program answered.
public struct Output: Sendable, CustomStringConvertible {
  /// As one would type it.
  public let command: String
  /// Its exit status; the negative number of the signal that ended it.
  public let status: Int32
  /// Its standard output, octet by octet.
  public let bytes: [UInt8]
  /// Its standard error.
  public let stderr: String

  /// Its standard output.
  public var stdout: String { String(decoding: bytes, as: UTF8.self) }
  /// The command, how it ended, and both streams.
  public var description: String {
    "`\(command)` ended with \(status)\n\(stdout)\(stderr.isEmpty ? "" : "stderr: \(stderr)")"
  }
  /// The output of a program that must have succeeded.
  @discardableResult
  public func checked() throws -> Output {
    guard status == 0 else { throw RunError(description: description) }
    return self
  }
}

/// A program that did not answer, or not as it must.
public struct RunError: Error, CustomStringConvertible {
  /// Which, and how it ended.
  public let description: String
  /// With this description.
  public init(description: String) { self.description = description }
}

/// Where `name` is in `PATH`, or where Debian has what is not for every user. A path is itself.
public func executable(_ name: String) throws -> String {
  if name.contains("/") { return name }
  let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
  let directories = path.split(separator: ":").map(String.init)
  for directory in directories + ["/usr/local/sbin", "/usr/sbin", "/sbin"] {
    let candidate = "\(directory)/\(name)"
    if access(candidate, X_OK) == 0 { return candidate }
  }
  throw RunError(description: "\(name) is not in PATH (\(path)); `make setup` installs it")
}

/// Runs a program to its end: no shell, its own process group, killed at the timeout.
///
/// `environment` replaces the one of this process. Octets left by a grandchild that outlives the
/// program are not waited for.
public func run(
  _ name: String, _ arguments: [String] = [], environment: [String: String]? = nil,
  input: some Sequence<UInt8> = "".utf8, timeout: Duration = .seconds(30)
) throws -> Output {
  let command = ([name] + arguments).joined(separator: " ")
  let child = try Child(
    executable(name), arguments, environment ?? ProcessInfo.processInfo.environment,
    input: Array(input))
  let timeout = timeout * slowness
  let deadline = ContinuousClock.now + timeout
  while !child.hasEnded, child.pump(until: deadline) {}
  let isLate = !child.hasEnded
  let status = child.reap()
  if isLate {
    throw RunError(
      description: """
        `\(command)` had not ended after \(timeout), and was killed
        stdout: \(String(decoding: child.output, as: UTF8.self))
        stderr: \(String(decoding: child.errors, as: UTF8.self))
        """)
  }
  return Output(
    command: command, status: status, bytes: child.output,
    stderr: String(decoding: child.errors, as: UTF8.self))
}

/// A program that runs, and the three pipes to it.
private final class Child {
  private(set) var output: [UInt8] = []
  private(set) var errors: [UInt8] = []
  private(set) var hasEnded = false
  private let pid: pid_t
  private var input: ArraySlice<UInt8>
  private var ending: CInt = -1
  private var pipes: [CInt] = [-1, -1, -1]

  init(_ path: String, _ arguments: [String], _ environment: [String: String], input: [UInt8])
    throws
  {
    // A program that does not read its input must not end this process.
    signal(SIGPIPE, SIG_IGN)
    var theirs: [CInt] = []
    for stream in 0..<3 {
      var ends: [CInt] = [-1, -1]
      guard clinux_pipe(&ends) == 0 else { throw RunError(description: "pipe: \(errno)") }
      pipes[stream] = stream == 0 ? ends[1] : ends[0]
      theirs.append(stream == 0 ? ends[0] : ends[1])
      clinux_set_nonblocking(pipes[stream], 1)
    }
    self.input = input[...]
    let started = spawn(path, [path] + arguments, environment, theirs)
    for end in theirs { close(end) }
    pid = started
    guard started > 0 else {
      for end in pipes { close(end) }
      throw RunError(description: "\(path): \(String(cString: strerror(-started)))")
    }
    ending = CInt(clinux_open_process(started))
  }

  deinit { for end in pipes + [ending] where end >= 0 { close(end) } }

  /// Moves what can be moved; false when nothing could be until the deadline.
  func pump(until deadline: ContinuousClock.Instant) -> Bool {
    var set = [(ending, POLLIN), (pipes[1], POLLIN), (pipes[2], POLLIN), (pipes[0], POLLOUT)].map {
      pollfd(fd: $0.0, events: Int16($0.1), revents: 0)
    }
    let left = (deadline - .now) / .milliseconds(1)
    guard left > 0 else { return false }
    guard clinux_poll(&set, set.count, CInt(min(left.rounded(.up), 1e9))) != 0 else { return false }
    if set[0].revents != 0 { hasEnded = true }
    read(1, into: &output)
    read(2, into: &errors)
    if set[3].revents != 0 || input.isEmpty { write() }
    return true
  }

  /// The status; kills the program if it has not ended.
  func reap() -> Int32 {
    if !hasEnded { kill(-pid, SIGKILL) }
    let status = clinux_wait(pid)
    let number = clinux_ending_signal(status)
    return number != 0 ? -number : clinux_exit_status(status)
  }

  private func read(_ stream: Int, into bytes: inout [UInt8]) {
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while pipes[stream] >= 0 {
      let count = clinux_read(pipes[stream], &chunk, chunk.count)
      if count > 0 {
        bytes += chunk[..<count]
      } else {
        if count != -Int(EAGAIN) { shut(stream) }
        return
      }
    }
  }

  private func write() {
    while !input.isEmpty, pipes[0] >= 0 {
      let count = input.withUnsafeBytes { clinux_write(pipes[0], $0.baseAddress, $0.count) }
      if count == -Int(EAGAIN) { return }
      input = count < 0 ? [] : input.dropFirst(count)
    }
    shut(0)
  }

  private func shut(_ stream: Int) {
    if pipes[stream] >= 0 { close(pipes[stream]) }
    pipes[stream] = -1
  }
}

/// Starts `path` in a process group of its own with these descriptors as 0, 1 and 2, no signal
/// blocked and none ignored; a negative error number if that is not possible.
func spawn(
  _ path: String, _ arguments: [String], _ environment: [String: String], _ streams: [CInt]
) -> pid_t {
  var argv = arguments.map { strdup($0) } + [nil]
  var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
  defer { for text in argv + envp { free(text) } }
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  for (stream, end) in streams.enumerated() {
    posix_spawn_file_actions_adddup2(&actions, end, CInt(stream))
  }
  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  var signals = sigset_t()
  sigemptyset(&signals)
  posix_spawnattr_setsigmask(&attributes, &signals)
  sigaddset(&signals, SIGPIPE)
  posix_spawnattr_setsigdefault(&attributes, &signals)
  posix_spawnattr_setpgroup(&attributes, 0)
  posix_spawnattr_setflags(
    &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
  var pid: pid_t = 0
  let error = posix_spawn(&pid, path, &actions, &attributes, &argv, &envp)
  return error == 0 ? pid : -error
}
