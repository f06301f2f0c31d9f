import Foundation
import Linux
import TestSupport
import Testing

@Suite("Locks on a position of a file")
struct RangeLockTests {
  let temporary: TemporaryDirectory
  let path: String
  init() throws {
    temporary = try TemporaryDirectory()
    path = "\(temporary.path)/locks"
  }

  private func lock(
    _ position: Int64, _ mode: RangeLock.Mode = .exclusive, within milliseconds: Int = 0
  ) throws -> RangeLock {
    try RangeLock(path: path, position: position, mode, until: .after(.milliseconds(milliseconds)))
  }
  private func isHeld(_ position: Int64, _ mode: RangeLock.Mode = .exclusive) -> Bool {
    do {
      _ = try lock(position, mode)
      return false
    } catch { return true }
  }

  @Test("one keeps others from its position and from no other, and the file stays empty")
  func exclusion() throws {
    let last = Int64.max - 1
    for position in [0, 1, last] {
      let held = try lock(position)
      #expect(isHeld(position) && isHeld(position, .shared))
      #expect([0, 1, last].filter { isHeld($0) } == [position])
      _ = consume held
      #expect(!isHeld(position))
    }
    let status = try FileStatus(path: path)
    #expect(status.size == 0 && status.permissions == 0o600)
  }

  @Test("shared ones exclude an exclusive one only")
  func shared() throws {
    let one = try lock(7, .shared)
    let other = try lock(7, .shared)
    #expect(isHeld(7) && !isHeld(7, .shared))
    _ = consume one
    #expect(isHeld(7))
    _ = consume other
    #expect(!isHeld(7))
  }

  @Test("past the deadline it is refused, not before", arguments: [0, 50])
  func deadline(milliseconds: Int) throws {
    let held = try lock(1)
    let begin = Clock.monotonic
    let failure = #expect(throws: FileLock.Failure.self) { _ = try lock(1, within: milliseconds) }
    let waited = Clock.monotonic - begin
    #expect(waited >= .milliseconds(milliseconds) && waited < .seconds(5))
    #expect(failure == .held(path: path, holder: nil))
    _ = consume held
  }

  @Test("it is not inherited by a program that the holder starts")
  func inheritance() throws {
    let held = try lock(5)
    let child = try Daemon(
      "sleep", ["60"], environment: ProcessInfo.processInfo.environment, log: "/dev/null")
    defer { child.stop(SIGKILL) }
    #expect(isHeld(5))
    _ = consume held
    // Until it runs its program, the child has what we have.
    try eventually("the lock is free") { !isHeld(5) }
  }

  @Test("one who waits has it as soon as the holder lets go")
  func handedOver() throws {
    let path = path
    let isHeld = DispatchSemaphore(value: 0)
    let thread = Thread {
      let held = try? RangeLock(path: path, position: 3, until: .after(.zero))
      isHeld.signal()
      Clock.sleep(.milliseconds(100))
      _ = consume held
    }
    thread.start()
    isHeld.wait()
    let begin = Clock.monotonic
    _ = try lock(3, within: 20_000)
    #expect(Clock.monotonic - begin < .seconds(10))
  }

  @Test("a symbolic link in place of the file is not followed")
  func link() throws {
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/etc/passwd")
    #expect(throws: FileLock.Failure.self) { _ = try lock(0) }
  }
}
