import Foundation
import Linux
import TestSupport
import Testing

@Suite("A program that is held") struct HeldProcessTests {
  init() { Linux::Process.prepare() }

  /// One that writes "started" to a file of `directory`, then copies its input.
  private func start(in directory: TemporaryDirectory, input: [UInt8]) throws -> ChildProcess {
    try ChildProcess(
      start: executable("sh"),
      arguments: ["-c", "echo $$ > \(directory.path)/started; exec cat"],
      environment: ["PATH=/usr/bin:/bin"], input: input, isHeld: true)
  }
  private func hasStarted(in directory: TemporaryDirectory) throws {
    try eventually("it has started") { directory.read("started")?.hasSuffix("\n") ?? false }
  }

  @Test("gets its input when it is waited for", arguments: [3, 1 << 20])
  func held(count: Int) throws {
    let directory = try TemporaryDirectory()
    let bytes = [UInt8](repeating: 0x61, count: count)
    let child = try start(in: directory, input: bytes)
    try hasStarted(in: directory)
    #expect(try wait(for: [child.readiness], until: .after(.milliseconds(100))) == nil)
    let output = try child.finish(until: .after(.seconds(20)))
    #expect(output.bytes == bytes)
    #expect(output.status == .exited(0))
  }

  @Test("gets nothing, not even an end of its input, when nobody waits for it")
  func abandoned() throws {
    let directory = try TemporaryDirectory()
    do {
      let child = try ChildProcess(
        start: executable("sh"),
        arguments: [
          "-c", "echo $$ > \(directory.path)/started; cat; echo $? > \(directory.path)/ended",
        ], environment: ["PATH=/usr/bin:/bin"], input: [0x61], isHeld: true)
      try hasStarted(in: directory)
      _ = consume child
    }
    let pid = try #require(directory.read("started").flatMap { Int32($0.dropLast()) })
    #expect(kill(pid, 0) == -1 && errno == ESRCH)
    #expect(directory.read("ended") == nil)
  }
}
