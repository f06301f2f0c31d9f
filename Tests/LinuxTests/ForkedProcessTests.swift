import Foundation
import Linux
import TestSupport
import Testing

/// What a copy runs here allocates nothing: this process has many threads, and a copy has one of
/// them.
@Suite("A copy of this process") struct ForkedProcessTests {
  /// What a copy writes into the descriptor that it keeps, until it has ended; what is done with
  /// the copy in between does `use`.
  private func written(
    by body: (_ kept: CInt) -> CInt, _ use: (consuming ForkedProcess) throws -> Void
  ) throws -> String {
    let pipe = Pipe()
    do {
      let kept = FileDescriptor(owning: dup(pipe.fileHandleForWriting.fileDescriptor))
      try pipe.fileHandleForWriting.close()
      let number = kept.rawValue
      try use(ForkedProcess(keeping: kept.rawValue) { body(number) })
    }
    return String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  }

  @Test("has one descriptor, the one that it keeps")
  func descriptors() throws {
    let text = try written { kept in
      for descriptor in CInt(0)..<2048 where fcntl(descriptor, F_GETFD) >= 0 {
        _ = unsafe write(kept, descriptor == kept ? "." : "x", 1)
      }
      return 0
    } _: { copy in
      let hasEnded = try copy.finish(until: .after(.seconds(20)))
      #expect(hasEnded)
    }
    #expect(text == ".")
  }

  @Test("is waited for until the deadline, and then left to itself")
  func deadline() throws {
    let began = ContinuousClock.now
    let text = try written { kept in
      sleep(1)
      return CInt(unsafe write(kept, "!", 1))
    } _: { copy in
      var hasEnded = try copy.waitForEnd(until: .after(.milliseconds(20)))
      #expect(!hasEnded)
      hasEnded = try copy.finish(until: .after(.milliseconds(20)))
      #expect(!hasEnded)
      #expect(ContinuousClock.now - began < .seconds(1))
    }
    #expect(text == "!")
  }

  @Test("is killed when its value goes away")
  func killed() throws {
    let began = ContinuousClock.now
    let text = try written { _ in
      CInt(sleep(60))
    } _: { copy in
      let hasEnded = try copy.waitForEnd(until: .after(.milliseconds(20)))
      #expect(!hasEnded)
    }
    #expect(text == "")
    #expect(ContinuousClock.now - began < .seconds(30))
  }
}
