import Foundation
import Linux
import TestSupport
import Testing

@Suite("A program that is held") struct HeldProcessTests {
  init() { Linux::Process.prepare() }

  /// One that has written its process ID to a file of `directory`, and copies its input; when that
  /// has ended, it makes the file `ended`.
  private func start(in directory: TemporaryDirectory, input: [UInt8]) throws -> ChildProcess {
    let script = "cd \(directory.path); echo $$ > started; cat; : > ended"
    let child = try ChildProcess(
      start: executable("sh"), arguments: ["-c", script],
      environment: ["PATH=/usr/bin:/bin"], input: input, isHeld: true)
    try eventually("it has started") { directory.read("started")?.hasSuffix("\n") ?? false }
    return child
  }

  @Test("gets its input when it is waited for", arguments: [3, 1 << 20])
  func held(count: Int) throws {
    let directory = try TemporaryDirectory()
    let bytes = [UInt8](repeating: 0x61, count: count)
    let child = try start(in: directory, input: bytes)
    #expect(try wait(for: [child.readiness], until: .after(.milliseconds(100))) == nil)
    let output = try child.finish(until: .after(.seconds(20)))
    #expect(output.bytes == bytes)
    #expect(output.status == .exited(0))
  }

  @Test("gets no input and is killed when nobody waits for it")
  func abandoned() throws {
    let directory = try TemporaryDirectory()
    do {
      let child = try start(in: directory, input: [0x61])
      _ = consume child
    }
    let pid = try #require(directory.read("started").flatMap { Int32($0.dropLast()) })
    #expect(kill(pid, 0) == -1 && errno == ESRCH)
    #expect(directory.read("ended") == nil)
  }
}
