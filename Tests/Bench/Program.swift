import Glibc
import Linux

/// What cannot be measured, and why.
struct BenchError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// A program, and everything it is started with.
struct Program {
  let path: String
  var arguments: [String] = []
  /// `NAME=value`
  var environment: [String] = Program.inherited
  /// The file that is its standard input.
  var input = "/dev/null"
  /// The file that its standard output becomes.
  var output = "/dev/null"
  /// The file that its standard error becomes; nil for that of this process.
  var errors: String?

  /// The environment of this process, without what is said to plugins.
  static let inherited = Process.environment.filter { !$0.hasPrefix("CNI_") }

  /// How it went, measured from before its start until it was waited for.
  struct Run {
    var nanoseconds: Int64
    /// The exit status; 128 and the number of the signal that ended it.
    let status: Int32

    var milliseconds: Double { Double(nanoseconds) / 1e6 }
  }

  /// Runs it to its end.
  func run() throws -> Run {
    let started = Clock.monotonic
    let pid = try start()
    var status: CInt = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    return Run(nanoseconds: (Clock.monotonic - started).nanoseconds, status: Self.status(status))
  }

  /// Runs it to its end, which must be a good one.
  @discardableResult
  func checked(status expected: Int32 = 0) throws -> Run {
    let run = try run()
    guard run.status == expected else {
      throw BenchError(
        "\(([path] + arguments).joined(separator: " ")) ended with \(run.status), not "
          + "\(expected):\n\(text(output))")
    }
    return run
  }

  /// Runs all of them at once; the time is that until the last one has ended.
  static func together(_ programs: [Program]) throws -> (run: Run, statuses: [Int32]) {
    let started = Clock.monotonic
    var indices: [pid_t: Int] = [:]
    for (index, program) in programs.enumerated() { indices[try program.start()] = index }
    var statuses = [Int32](repeating: -1, count: programs.count)
    while !indices.isEmpty {
      var status: CInt = 0
      guard let index = indices.removeValue(forKey: waitpid(-1, &status, 0)) else { continue }
      statuses[index] = Self.status(status)
    }
    let run = Run(
      nanoseconds: (Clock.monotonic - started).nanoseconds,
      status: statuses.allSatisfy { $0 == 0 } ? 0 : 1)
    return (run, statuses)
  }

  private static func status(_ status: CInt) -> Int32 {
    status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
  }

  private func start() throws -> pid_t {
    var argv = ([path] + arguments).map { strdup($0) } + [nil]
    var envp = environment.map { strdup($0) } + [nil]
    defer { for text in argv + envp { free(text) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    if let errors {
      posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    }
    var pid: pid_t = 0
    let error = posix_spawnp(&pid, path, &actions, nil, &argv, &envp)
    guard error == 0 else {
      throw BenchError("cannot run \(path): \(String(cString: strerror(error)))")
    }
    return pid
  }
}

extension Program {
  /// The program `name` of this machine, looked up in `PATH`.
  static func tool(_ name: String, _ arguments: String...) -> Program {
    Program(path: name, arguments: arguments, output: "\(Place.directory)/tool.out")
  }

  /// What it prints, when it ends well.
  func printed() throws -> String {
    var program = self
    program.output = "\(Place.directory)/tool.out"
    try program.checked()
    return text(program.output)
  }
}

/// The content of a file; empty where there is none.
func text(_ path: String) -> String {
  guard let bytes = try? FileDescriptor.open(path).readToEnd() else { return "" }
  return String(decoding: bytes, as: UTF8.self)
}

/// Writes a file, whatever was there.
func fill(_ path: String, with text: String) throws {
  try FileDescriptor.open(path, [.writeOnly, .create, .truncate], mode: 0o644)
    .write(Array(text.utf8))
}
