import Foundation
import TestSupport
import Testing

/// An error in the place of each system call in turn.
///
/// Tests/Steps/main.c says which calls are exempt: those by which the Swift runtime gets memory,
/// without which it ends the program by design, and those that cannot fail. `make test` takes every
/// second call and one error each; `make soak` takes all calls, and all errors at each.
@Suite("A plugin whose system calls fail", .privateHost, .serialized)
struct FailTests {
  private static let errors = [ENOMEM, ENOSPC, EPERM, EINTR, EIO, ENOBUFS, EMFILE]
  /// Longer than any answer may take: the configuration's time, and 5 s to roll back.
  private static let bound = Duration.seconds(10 + 5 + 5)

  private func sweep(
    _ faults: FaultHost, ofDelegate: Bool, _ violations: Violations
  ) throws -> (failures: Int, refusals: Int) {
    let configuration = faults.configuration()
    let sandbox = try Sandbox()
    try faults.plugin.add(configuration, containerID: "first", sandbox: sandbox).checked()
    try faults.plugin.del(configuration, containerID: "first", sandbox: sandbox).checked()
    let before = try faults.traces([sandbox])
    var failures = 0
    var refusals = 0
    var step = 1
    while true {
      var isPastEnd = false
      for error in isSoak ? Self.errors : [Self.errors[step / 2 % Self.errors.count]] {
        let stepped = try faults.step(
          .fail(error), at: step, ofDelegate: ofDelegate, "ADD", configuration, "c1", sandbox)
        isPastEnd = stepped.count < step
        let result = stepped.result
        if let call = stepped.call {
          failures += 1
          let reason = String(cString: strerror(error))
          let place = "ADD with call \(step), \(call), failing: \(reason)"
          violations.expect(stepped.duration < Self.bound, "\(place): took \(stepped.duration)")
          violations.expect(
            result.json.members.isEmpty == false, "\(place): no JSON text: \(result)")
          if result.status == 0 {
            // A failure that does not matter, or that was made good.
            let check = try faults.plugin.check(
              configuration, previous: result.json, containerID: "c1", sandbox: sandbox)
            violations.expect(check.status == 0, "\(place), then CHECK: \(check)")
          } else {
            refusals += 1
            violations.expect(result.status == 1, "\(place): \(result)")
            violations.expect(
              [2, 5, 7, 8, 11, 999].contains(result.code), "\(place): \(result)")
            violations.expect((result.json["msg"].text ?? "") != "", "\(place): \(result)")
            violations.expectNothing(try faults.traces([sandbox]).difference(from: before), place)
          }
        }
        try faults.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
        violations.expectNothing(
          try faults.traces([sandbox]).difference(from: before), "then DEL, at \(step)")
      }
      if isPastEnd { return (failures, refusals) }
      step += isSoak ? 1 : 2
    }
  }

  @Test(
    "ADD that fails has undone everything and says why in one JSON text", arguments: [false, true])
  func add(ofDelegate: Bool) throws {
    let violations = Violations()
    let (failures, refusals) = try sweep(FaultHost(), ofDelegate: ofDelegate, violations)
    #expect(refusals > 5)
    let whose = ofDelegate ? "host-local as a delegate" : "ovs-bridge"
    figures(
      "ADD of \(whose) failed at \(failures) steps, \(refusals) of which ended it; "
        + "violations: \(violations.count)")
  }
}
