import Foundation
import Linux
import TestSupport
import Testing

/// What a copy runs here allocates nothing: this process has many threads, and a copy has one of
/// them.
@Suite("A copy of this process") struct ForkedProcessTests {
  /// What a copy writes into the descriptor that it keeps, until it has ended; what is done with
  /// the copy in between does `use`, and says whether it has waited for its end.
  ///
  /// Where `use` has not, the end is waited for here. A child that has ended and is not waited for
  /// hangs the exit tests, which wait for any child of this process.
  private func written(
    by body: (_ kept: CInt) -> CInt, _ use: (consuming ForkedProcess) throws -> Bool
  ) throws -> String {
    let pipe = Pipe()
    let pid: CInt
    let isReaped: Bool
    do {
      let kept = FileDescriptor(owning: dup(pipe.fileHandleForWriting.fileDescriptor))
      try pipe.fileHandleForWriting.close()
      let number = kept.rawValue
      let copy = try ForkedProcess(keeping: kept.rawValue) {
        var own = getpid()
        guard unsafe write(number, &own, 4) == 4 else { return 1 }
        return body(number)
      }
      let bytes = try #require(try pipe.fileHandleForReading.read(upToCount: 4))
      pid = bytes.reversed().reduce(0) { $0 << 8 | CInt($1) }
      isReaped = try use(copy)
    }
    let text = pipe.fileHandleForReading.readDataToEndOfFile()
    if !isReaped {
      #expect(unsafe waitpid(pid, nil, 0) == pid)
    }
    return String(decoding: text, as: UTF8.self)
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
      return hasEnded
    }
    #expect(text == ".")
  }

  @Test("does not keep the working directory")
  func workingDirectory() throws {
    let path = UnsafeMutablePointer<CChar>.allocate(capacity: Int(PATH_MAX))
    defer { path.deallocate() }
    let text = try written { kept in
      guard unsafe getcwd(path, Int(PATH_MAX)) != nil else { return 1 }
      return CInt(unsafe write(kept, path, strlen(path)))
    } _: { copy in
      try copy.finish(until: .after(.seconds(20)))
    }
    #expect(text == "/")
  }

  @Test("can be left unless the one that was left last is a zombie")
  func left() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/left"
    func remembered() throws -> CInt? {
      try FileDescriptor.open(path).readWords(at: 0, count: 2).first.map { CInt($0) }
    }
    /// Whether one more can be.
    func another() throws -> Bool {
      var answer = false
      _ = try written { _ in
        CInt(sleep(60))
      } _: { copy in
        answer = copy.canBeLeft(rememberedAt: path)
        return false
      }
      return answer
    }
    _ = try written { _ in
      CInt(sleep(60))
    } _: { copy in
      var canBeLeft = copy.canBeLeft(rememberedAt: path)
      #expect(canBeLeft)
      let last = try #require(try remembered())
      #expect(try another())
      #expect(try remembered() == last)
      kill(last, SIGKILL)
      _ = try copy.waitForEnd(until: .after(.seconds(20)))
      canBeLeft = copy.canBeLeft(rememberedAt: path)
      #expect(!canBeLeft)
      #expect(try !another())
      #expect(try remembered() == last)
      let hasEnded = try copy.finish(until: .after(.seconds(20)))
      #expect(hasEnded)
      #expect(try another())
      #expect(try remembered() != last)
      return true
    }
  }

  @Test("is waited for until the deadline, and then left to itself")
  func deadline() throws {
    let text = try written { kept in
      sleep(1)
      return CInt(unsafe write(kept, "!", 1))
    } _: { copy in
      let began = ContinuousClock.now
      var hasEnded = try copy.waitForEnd(until: .after(.milliseconds(20)))
      #expect(!hasEnded)
      hasEnded = try copy.finish(until: .after(.milliseconds(20)))
      #expect(!hasEnded)
      #expect(ContinuousClock.now - began < .seconds(1))
      return hasEnded
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
      return hasEnded
    }
    #expect(text == "")
    #expect(ContinuousClock.now - began < .seconds(30))
  }
}
