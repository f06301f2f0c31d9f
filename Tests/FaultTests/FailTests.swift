import Foundation
import TestSupport
import Testing

/// An error in the place of each system call in turn.
///
/// Tests/Steps/main.c says which calls are exempt: those by which the Swift runtime gets memory,
/// without which it ends the program by design, and those that cannot fail. In `make test` the
/// errors take turns from call to call; `make soak` makes each call fail with each error.
@Suite("A plugin whose system calls fail", .privateHost, .serialized)
struct FailTests {
  /// Longer than any answer may take: the configuration's time, and 5 s to roll back.
  private static let bound = Duration.seconds((10 + 5 + 5) * slowness)
  /// Of the specification, those that a refused system call can be.
  private static let codes = [2, 5, 7, 8, 11, 999]

  private struct Counts {
    /// Calls that failed.
    var failures = 0
    /// Those of them that ended ADD.
    var refusals = 0
  }

  private func sweep(
    _ place: FaultCase, by stride: Int, ofDelegate: Bool = false, _ violations: Violations
  ) throws -> Counts {
    var counts = Counts()
    for (turn, step) in Swift.stride(from: 1, to: 100_000, by: stride).enumerated() {
      for error in Fault.errors(inTurn: turn) {
        let stepped = try place.step(.fail(error), at: step, ofDelegate: ofDelegate, "ADD")
        if let call = stepped.call {
          let reason = String(cString: strerror(error))
          let event = "ADD with call \(step), \(call), failing: \(reason)"
          counts.failures += 1
          if stepped.result.status != 0 { counts.refusals += 1 }
          try inspect(stepped, place, event, violations)
        }
        violations.expectSuccess(try place.del(), "DEL after call \(step) failed")
        violations.expectNothing(try place.difference(), "DEL after call \(step) failed")
        if stepped.count < step { return counts }
      }
    }
    return counts
  }

  private func inspect(
    _ stepped: Stepped, _ place: FaultCase, _ event: String, _ violations: Violations
  ) throws {
    let result = stepped.result
    violations.expect(stepped.duration < Self.bound, "\(event): took \(stepped.duration)")
    violations.expect(!result.json.members.isEmpty, "\(event): no JSON text: \(result)")
    if result.status == 0 {
      // A failure that does not matter, or that was made good.
      violations.expectSuccess(try place.check(result.json), "\(event), then CHECK")
    } else {
      violations.expect(result.status == 1, "\(event): \(result)")
      violations.expect(
        result.code.map { Self.codes.contains($0) } ?? false, "\(event): \(result)")
      violations.expect((result.json["msg"].text ?? "") != "", "\(event): \(result)")
      violations.expectNothing(try place.difference(), "\(event): \(result)")
    }
  }

  @Test(
    "ADD that fails has undone everything and says why in one JSON text",
    arguments: Features.allCases)
  func add(features: Features) throws {
    let violations = Violations()
    let counts = try sweep(FaultCase(features), by: features.stride, violations)
    #expect(counts.refusals > 25 / features.stride)
    figures(
      "ADD (\(features)) with \(counts.failures) failing calls, \(counts.refusals) of which ended it; "
        + "violations: \(violations.count)")
  }

  @Test("an IPAM plugin that fails has undone everything, and the main plugin says why")
  func delegate() throws {
    let violations = Violations()
    let counts = try sweep(FaultCase(), by: slowness, ofDelegate: true, violations)
    #expect(counts.refusals > 5 / slowness)
    figures(
      "ADD of host-local as a delegate with \(counts.failures) failing calls, "
        + "\(counts.refusals) of which ended it; violations: \(violations.count)")
  }
}
