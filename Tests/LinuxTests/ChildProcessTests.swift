import Foundation
import Linux
import TestSupport
import Testing

@Suite("Child processes")
struct ChildProcessTests {
  init() { Linux::Process.prepare() }

  /// Runs a program as a plugin runs its delegate.
  private func start(
    _ name: String, _ arguments: [String] = [], environment: [String] = [], input: [UInt8] = [],
    within limit: Duration = .seconds(20), maximum: Int = 16 << 20
  ) throws -> ChildProcess.Output {
    let child = try ChildProcess(
      start: executable(name), arguments: arguments, environment: environment, input: input)
    return try child.finish(until: .after(limit), limit: maximum)
  }
  private func shell(
    _ script: String, input: [UInt8] = [], within limit: Duration = .seconds(20),
    maximum: Int = 16 << 20
  ) throws -> ChildProcess.Output {
    try start(
      "sh", ["-c", script], environment: ["PATH=/usr/bin:/bin"], input: input, within: limit,
      maximum: maximum)
  }

  @Test("octets go in and come out, as they are")
  func octets() throws {
    let bytes = (0..<512).map { UInt8($0 % 256) }
    #expect(try start("cat", input: bytes).bytes == bytes)
    #expect(try start("cat").bytes == [])
  }

  @Test("much input and output at once do not deadlock", arguments: [65_536, 65_537, 4 << 20])
  func large(count: Int) throws {
    let bytes = [UInt8](repeating: 0x61, count: count)
    let output = try start("cat", input: bytes)
    #expect(output.bytes == bytes)
    #expect(output.status == .exited(0))
  }

  @Test("the environment is what was given, and no more")
  func environment() throws {
    let output = try start("env", environment: ["CNI_COMMAND=ADD", "EMPTY="])
    #expect(String(decoding: output.bytes, as: UTF8.self) == "CNI_COMMAND=ADD\nEMPTY=\n")
  }

  @Test("standard error is part of the output where that is asked for")
  func errors() throws {
    let child = try ChildProcess(
      start: executable("sh"), arguments: ["-c", "echo out; echo err >&2"], environment: [],
      input: [], standardError: .merged)
    let output = try child.finish(until: .after(.seconds(20)))
    #expect(String(decoding: output.bytes, as: UTF8.self) == "out\nerr\n")
  }

  @Test("one whose errors are merged gives them with its output")
  func bound() throws {
    let child = try ChildProcess(
      start: executable("sh"), arguments: ["-c", "cat; echo err >&2; exit 3"],
      environment: [], input: Array("in\n".utf8), standardError: .merged)
    let output = try child.finish(until: .after(.seconds(20)))
    #expect(String(decoding: output.bytes, as: UTF8.self) == "in\nerr\n")
    #expect(output.status == .exited(3))
    let error = try #require(throws: SystemError.self) {
      _ = try ChildProcess(start: "/nowhere", environment: [], input: [])
    }
    #expect(error.description == "exec(/nowhere): ENOENT (No such file or directory)")
  }

  @Test("one that writes errors without pause is killed at the deadline", .timeLimit(.minutes(2)))
  func endless() throws {
    let child = try ChildProcess(
      start: executable("sh"), arguments: ["-c", "exec /usr/bin/yes >&2"], environment: [],
      input: [], standardError: .piped)
    do throws(ChildProcess.Failure) {
      _ = try child.finish(until: .after(.seconds(1))) { _ in Clock.sleep(.milliseconds(5)) }
      Issue.record("it has ended")
    } catch { #expect("\(error)".hasSuffix("had not ended in time, and was killed"), "\(error)") }
  }

  @Test("one whose errors are piped gives them when it writes them, and its output apart")
  func aside() throws {
    let directory = try TemporaryDirectory()
    let child = try ChildProcess(
      start: executable("sh"),
      arguments: [
        "-c",
        "echo err >&2; until [ -e \(directory.path)/heard ]; do sleep 0.01; done; cat; echo end >&2",
      ],
      environment: ["PATH=/usr/bin:/bin"], input: Array("in\n".utf8),
      standardError: .piped)
    var errors = ""
    let output = try child.finish(until: .after(.seconds(20))) {
      errors += String(decoding: $0, as: UTF8.self)
      if errors == "err\n" { _ = try? directory.write("", to: "heard") }
    }
    #expect(String(decoding: output.bytes, as: UTF8.self) == "in\n")
    #expect(errors == "err\nend\n")
    // A flood is no reason to stand still.
    let flood = try ChildProcess(
      start: executable("sh"), arguments: ["-c", "head -c 1000000 /dev/zero >&2"],
      environment: ["PATH=/usr/bin:/bin"], input: [], standardError: .piped)
    var count = 0
    #expect(
      try flood.finish(until: .after(.seconds(20))) { count += $0.count }.status == .exited(0))
    #expect(count == 1_000_000)
  }

  @Test("one ends with the thread that started it")
  func ending() throws {
    let directory = try TemporaryDirectory()
    let held = Held()
    let thread = Thread {
      // The value stays, so that it is not this by which it is killed.
      do {
        held.child = try ChildProcess(
          start: "/bin/sh", arguments: ["-c", "echo $$ >\(directory.path)/pid; exec sleep 60"],
          environment: ["PATH=/usr/bin:/bin"], input: [])
      } catch { held.error = "\(error)" }
      // Long enough for it to say who it is.
      while held.error == nil, directory.read("pid")?.hasSuffix("\n") != true { usleep(1000) }
    }
    thread.start()
    var state: Substring?
    let end = ContinuousClock.now + .seconds(30)
    repeat {
      usleep(10_000)
      guard let pid = directory.read("pid")?.split(separator: "\n").first else { continue }
      // No process waits for it, so it stays, dead; see proc(5), /proc/pid/stat.
      let status = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
      state = status.split(separator: ") ").last?.prefix(1)
    } while state != "Z" && held.error == nil && ContinuousClock.now < end
    #expect(held.error == nil)
    #expect(state == "Z")
  }

  @Test("arguments arrive as they are")
  func arguments() throws {
    let output = try start("printf", ["%s|", "a b", "", "$HOME", "ü"])
    #expect(String(decoding: output.bytes, as: UTF8.self) == "a b||$HOME|ü|")
  }

  @Test(
    "how it ended is told",
    arguments: [
      ("exit 0", ChildProcess.Status.exited(0)), ("exit 3", .exited(3)), ("exit 255", .exited(255)),
      ("kill -9 $$", .signaled(9)), ("kill -TERM $$", .signaled(15)),
    ])
  func status(script: String, expected: ChildProcess.Status) throws {
    #expect(try shell(script).status == expected)
  }

  @Test("a status reads as a sentence's part")
  func statusText() {
    #expect(ChildProcess.Status.exited(1).description == "exit status 1")
    #expect(ChildProcess.Status.signaled(9).description == "signal 9")
  }

  @Test("past the deadline it is killed, with those it started")
  func deadline() throws {
    let directory = try TemporaryDirectory()
    let script = "sleep 61 & echo $! > \(directory.path)/pid; wait"
    let begin = Clock.monotonic
    let path = try executable("sh")
    let failure = #expect(throws: ChildProcess.Failure.self) {
      _ = try shell(script, within: .milliseconds(300))
    }
    #expect(Clock.monotonic - begin < .seconds(5))
    #expect(failure == .deadlinePassed(path: path))
    #expect(failure?.description == "\(path) had not ended in time, and was killed")
    let pid = try #require(
      directory.read("pid")?.split(separator: "\n").first.flatMap { Int32($0) })
    try eventually("the grandchild is gone") { isGone(pid) }
  }

  /// Whether there is no such process, or only its entry until its status is asked for.
  private func isGone(_ pid: Int32) -> Bool {
    let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
    return status.map { $0.contains(") Z ") } ?? true
  }

  @Test("one that has left its process group is killed all the same")
  func group() throws {
    let begin = Clock.monotonic
    #expect(throws: ChildProcess.Failure.self) {
      _ = try start(
        "perl", ["-e", "setpgrp(0, getpgrp(getppid())) or die; sleep 20"],
        within: .milliseconds(300))
    }
    #expect(Clock.monotonic - begin < .seconds(5))
  }

  @Test("one that was started and not finished is killed")
  func abandoned() throws {
    let directory = try TemporaryDirectory()
    do {
      let child = try ChildProcess(
        start: executable("sh"),
        arguments: ["-c", "echo $$ > \(directory.path)/pid; exec sleep 62"],
        environment: ["PATH=/usr/bin:/bin"], input: [])
      try eventually("it runs") { directory.read("pid")?.hasSuffix("\n") == true }
      _ = consume child
    }
    let pid = try #require(
      directory.read("pid")?.split(separator: "\n").first.flatMap { Int32($0) })
    #expect(isGone(pid))
  }

  @Test("one that does not read its input ends as it likes", arguments: [10, 1 << 20])
  func unread(count: Int) throws {
    let bytes = [UInt8](repeating: 0x61, count: count)
    #expect(try shell("exec 0<&-; sleep 0.1; echo x; exit 4", input: bytes).status == .exited(4))
    #expect(try start("true", input: bytes).status == .exited(0))
  }

  @Test("one that closes its output early still gets its input to the end")
  func closedOutput() throws {
    let directory = try TemporaryDirectory()
    let bytes = [UInt8](repeating: 0x61, count: 1 << 20)
    let output = try shell("exec 1>&-; cat > \(directory.path)/copy", input: bytes)
    #expect(output.status == .exited(0))
    #expect(output.bytes == [])
    #expect(directory.read("copy")?.utf8.count == bytes.count)
  }

  @Test("a grandchild that keeps the output open is not waited for, and what was written is there")
  func grandchild() throws {
    let begin = Clock.monotonic
    let output = try shell("sleep 3 & echo done; exit 1")
    #expect(Clock.monotonic - begin < .seconds(2))
    #expect(output.bytes == Array("done\n".utf8))
    #expect(output.status == .exited(1))
  }

  @Test("more output than the limit is refused at once")
  func limit() throws {
    #expect(try shell("printf 12345", maximum: 5).bytes.count == 5)
    let failure = #expect(throws: ChildProcess.Failure.self) {
      _ = try shell("yes", maximum: 100_000)
    }
    let path = try executable("sh")
    #expect(failure == .tooMuchOutput(path: path, limit: 100_000))
    #expect(
      failure?.description
        == "\(path) wrote more than 100000 bytes to standard output, and was killed")
  }

  @Test("what cannot be run says why")
  func notExecutable() throws {
    let directory = try TemporaryDirectory()
    func failure(_ path: String) -> String? {
      #expect(throws: SystemError.self) {
        _ = try ChildProcess(start: path, environment: [], input: [])
      }?.description
    }
    let missing = "\(directory.path)/missing"
    #expect(failure(missing) == "exec(\(missing)): ENOENT (No such file or directory)")
    let plain = try directory.write("text", to: "plain")
    #expect(failure(plain) == "exec(\(plain)): EACCES (Permission denied)")
    let garbage = try directory.write("text", to: "garbage", mode: 0o755)
    #expect(failure(garbage) == "exec(\(garbage)): ENOEXEC (Exec format error)")
    #expect(failure(directory.path) == "exec(\(directory.path)): EACCES (Permission denied)")
  }

  @Test("a file that we have open is not open in it")
  func descriptors() throws {
    let directory = try TemporaryDirectory()
    let file = try FileDescriptor.open("\(directory.path)/file", [.writeOnly, .create])
    let output = try shell("ls -l /proc/self/fd")
    #expect(!String(decoding: output.bytes, as: UTF8.self).contains(directory.path))
    _ = consume file
  }

  @Test("one sees the end of its input although another was started meanwhile")
  func independence() throws {
    let bytes = [UInt8](repeating: 0, count: 1 << 20)
    let first = try ChildProcess(start: executable("cat"), environment: [], input: bytes)
    let second = try ChildProcess(
      start: executable("sleep"), arguments: ["20"], environment: [], input: [])
    let output = try first.finish(until: .after(.seconds(10)))
    #expect(output.bytes.count == bytes.count)
    _ = consume second
  }

  @Test("our own environment is told")
  func ownEnvironment() {
    #expect(Linux::Process.environment("PATH") == ProcessInfo.processInfo.environment["PATH"])
    #expect(Linux::Process.environment("NO_SUCH_VARIABLE_HERE") == nil)
    #expect(Linux::Process.environment.contains { $0.hasPrefix("PATH=") })
    #expect(Linux::Process.identifier == ProcessInfo.processInfo.processIdentifier)
  }
}

private final class Held: @unchecked Sendable {
  var child: ChildProcess?
  var error: String?
}
