import Foundation
import TestSupport
import Testing

@Suite("Rates that are interrupted", .privateHost, .serialized)
struct RatesFaultTests {
  private let faults: FaultHost
  private let configuration: Document
  private let sandbox: Sandbox
  private let before: Traces

  init() throws {
    faults = try FaultHost()
    configuration = faults.configuration([
      "bandwidth": [
        "ingressRate": 10_000_000, "ingressBurst": 100_000, "egressRate": 10_000_000,
        "egressBurst": 100_000,
      ]
    ])
    sandbox = try Sandbox()
    try faults.plugin.add(configuration, containerID: "c0", sandbox: sandbox).checked()
    try faults.plugin.del(configuration, containerID: "c0", sandbox: sandbox).checked()
    before = try faults.traces([sandbox])
  }

  /// `make test` looks at some of the calls, `make soak` at all.
  private static let steps = Swift.stride(from: 1, to: 10_000, by: isSoak ? 1 : 7)

  /// What is there and was not.
  private func left() throws -> String {
    var rows = ""
    for table in ["QoS", "Queue"] {
      for row in try faults.host.openVSwitch.rows(table) { rows += "\n\(table): \(row)" }
    }
    return try faults.traces([sandbox]).difference(from: before) + rows
  }

  private func clean(_ step: Int) throws {
    if step % 2 == 0 {
      try faults.plugin.del(configuration, containerID: "c1", sandbox: nil).checked()
    } else {
      try faults.plugin.gc(configuration, valid: []).checked()
    }
  }

  @Test("ADD that is killed leaves nothing after DEL or GC")
  func killedAdd() throws {
    let violations = Violations()
    var kills = 0
    for step in Self.steps {
      let stepped = try faults.step(.kill, at: step, "ADD", configuration, "c1", sandbox)
      try clean(step)
      violations.expectNothing(
        try left(), "ADD killed at call \(step), \(stepped.call ?? "none")")
      guard stepped.call != nil else { break }
      kills += 1
    }
    #expect(kills > 10)
    figures("ADD with rates killed at \(kills) steps; violations: \(violations.count)")
  }

  @Test("DEL that is killed is finished by a second one, or by GC")
  func killedDel() throws {
    let violations = Violations()
    var kills = 0
    for step in Self.steps {
      try faults.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
      let stepped = try faults.step(.kill, at: step, "DEL", configuration, "c1", sandbox)
      guard stepped.call != nil else { break }
      kills += 1
      try clean(step)
      violations.expectNothing(
        try left(), "DEL killed at call \(step), \(stepped.call ?? "none")")
    }
    #expect(kills > 5)
    figures("DEL with rates killed at \(kills) steps; violations: \(violations.count)")
  }

  @Test("ADD that fails has undone everything")
  func failedAdd() throws {
    let violations = Violations()
    var refusals = 0
    for step in Self.steps {
      let error = [ENOMEM, EPERM, EIO, ENOBUFS, EMFILE][step % 5]
      let stepped = try faults.step(.fail(error), at: step, "ADD", configuration, "c1", sandbox)
      if stepped.result.status != 0 {
        refusals += 1
        violations.expectNothing(
          try left(), "ADD with call \(step), \(stepped.call ?? "none"), failing")
      } else if stepped.call != nil {
        let check = try faults.plugin.check(
          configuration, previous: stepped.result.json, containerID: "c1", sandbox: sandbox)
        violations.expect(check.status == 0, "ADD with call \(step) failing, then \(check)")
      }
      try faults.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
      if stepped.count < step { break }
    }
    #expect(refusals > 5)
    figures("ADD with rates failed, \(refusals) times refused; violations: \(violations.count)")
  }
}
