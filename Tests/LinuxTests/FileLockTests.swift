import Foundation
import Linux
import Synchronization
import TestSupport
import Testing

@Suite("File locks")
struct FileLockTests {
  let temporary: TemporaryDirectory
  let path: String
  init() throws {
    temporary = try TemporaryDirectory()
    path = "\(temporary.path)/lock"
  }

  /// A process that holds the lock: it becomes `sleep` once it has it.
  private func holder() throws -> Daemon {
    let environment = ProcessInfo.processInfo.environment
    let daemon = try Daemon(
      "flock", ["--no-fork", path, "sleep", "60"], environment: environment, log: "/dev/null")
    try eventually("sleep holds the lock") {
      try String(contentsOfFile: "/proc/\(daemon.pid)/comm", encoding: .utf8) == "sleep\n"
    }
    return daemon
  }

  @Test("a free lock is had at once, also when the deadline has passed, and let go at the end")
  func free() throws {
    for _ in 0..<3 { _ = try FileLock(path: path, mode: 0o640, until: .after(.zero)) }
    #expect(try FileStatus(path: path).permissions == 0o640)
    #expect(try run("flock", ["--nonblock", path, "true"]).status == 0)
  }

  @Test("others are kept out as long as the value lives")
  func exclusion() throws {
    do {
      let lock = try FileLock(path: path, mode: 0o600, until: .after(.zero))
      #expect(try run("flock", ["--nonblock", path, "true"]).status == 1)
      _ = consume lock
    }
    #expect(try run("flock", ["--nonblock", path, "true"]).status == 0)
  }

  @Test(
    "a lock that another process holds past the deadline is refused, and its holder named",
    arguments: [0, 1, 50, 300])
  func held(milliseconds: Int) throws {
    let daemon = try holder()
    defer { daemon.stop(SIGKILL) }
    let begin = Clock.monotonic
    let failure = #expect(throws: FileLock.Failure.self) {
      _ = try FileLock(path: path, mode: 0o600, until: .after(.milliseconds(milliseconds)))
    }
    let waited = Clock.monotonic - begin
    #expect(waited >= .milliseconds(milliseconds))
    #expect(waited < .milliseconds(milliseconds + 2000))
    #expect(failure == .held(path: path, holder: "process \(daemon.pid) (sleep)"))
    #expect(failure?.description == "\(path) is locked by process \(daemon.pid) (sleep)")
  }

  @Test("the holder is told from those who wait")
  func waiters() throws {
    let daemon = try holder()
    defer { daemon.stop(SIGKILL) }
    let waiting = try Daemon(
      "flock", ["--no-fork", path, "true"], environment: ProcessInfo.processInfo.environment,
      log: "/dev/null")
    defer { waiting.stop(SIGKILL) }
    try eventually("flock waits") {
      try String(contentsOfFile: "/proc/locks", encoding: .utf8).contains(" \(waiting.pid) ")
    }
    #expect(throws: FileLock.Failure.held(path: path, holder: "process \(daemon.pid) (sleep)")) {
      _ = try FileLock(path: path, mode: 0o600, until: .after(.milliseconds(20)))
    }
  }

  @Test("one who waits has the lock as soon as the holder has ended")
  func handedOver() throws {
    let daemon = try holder()
    let stopper = Thread {
      Clock.sleep(.milliseconds(100))
      daemon.stop(SIGKILL)
    }
    let begin = Clock.monotonic
    stopper.start()
    _ = try FileLock(path: path, mode: 0o600, until: .after(.seconds(20)))
    let waited = Clock.monotonic - begin
    #expect(waited >= .milliseconds(100) && waited < .seconds(5))
  }

  @Test("many threads and processes that count in one file lose no count, and each gets its turn")
  func counting() throws {
    let counter = try temporary.write("0", to: "counter")
    let (path, threads, turns) = (path, 4, 25)
    let failures = Mutex<[String]>([])
    let script = "n=$(cat \"$0\"); echo $((n + 1)) > \"$0\""
    let group = DispatchGroup()
    for number in 0..<threads {
      group.enter()
      let thread = Thread {
        defer { group.leave() }
        do {
          for _ in 0..<turns {
            if number == 0 {
              try run("flock", ["--no-fork", path, "sh", "-c", script, counter]).checked()
              continue
            }
            let lock = try FileLock(path: path, mode: 0o600, until: .after(.seconds(20)))
            let text = try String(contentsOfFile: counter, encoding: .utf8)
            let count = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? -1
            Clock.sleep(.milliseconds(1))
            try "\(count + 1)".write(toFile: counter, atomically: false, encoding: .utf8)
            _ = consume lock
          }
        } catch { failures.withLock { $0.append("\(error)") } }
      }
      thread.start()
    }
    group.wait()
    #expect(failures.withLock { $0 } == [])
    let text = try String(contentsOfFile: counter, encoding: .utf8)
    #expect(text.trimmingCharacters(in: .whitespacesAndNewlines) == "\(threads * turns)")
  }

  @Test("a greedy process does not keep others from their turn")
  func fairness() throws {
    let greedy = try Daemon(
      "sh", ["-c", "while :; do flock --no-fork \"$0\" true; done", path],
      environment: ProcessInfo.processInfo.environment, log: "/dev/null")
    defer { greedy.stop(SIGKILL) }
    for _ in 0..<50 {
      _ = try FileLock(path: path, mode: 0o600, until: .after(.seconds(5)))
    }
  }

  @Test("what cannot be locked says why")
  func failures() throws {
    let missing = "\(temporary.path)/no/lock"
    let failure = #expect(throws: FileLock.Failure.self) {
      _ = try FileLock(path: missing, mode: 0o600, until: .after(.zero))
    }
    #expect(failure?.description == "open(\(missing)): ENOENT (No such file or directory)")
    try FileManager.default.createSymbolicLink(
      atPath: "\(temporary.path)/link", withDestinationPath: "/etc/passwd")
    #expect(throws: FileLock.Failure.self) {
      _ = try FileLock(path: "\(temporary.path)/link", mode: 0o600, until: .after(.zero))
    }
  }
}
