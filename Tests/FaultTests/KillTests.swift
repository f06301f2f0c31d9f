import Foundation
import TestSupport
import Testing

/// SIGKILL in the place of each system call in turn.
///
/// Every call of the plugin's main counts, so that every state between two calls is met. With the
/// full configuration all remedies follow each kill. In `make test` the others are killed at one
/// call of five, and a delegate at every second one, and the remedies take turns; `make soak` does
/// all at each.
@Suite("A plugin that is killed at any system call", .privateHost, .serialized)
struct KillTests {
  /// What follows the kill.
  enum Remedy: CaseIterable {
    /// DEL alone.
    case del
    /// GC alone.
    case gc
    /// The same ADD again, CHECK, and then DEL. What was up is left alone.
    case again
  }

  /// Calls `body` with the number of each call and each remedy due there, until it answers that
  /// there was no such call; answers how many kills there were.
  private func sweep(
    by stride: Int, _ remedies: [Remedy], isAlternating: Bool,
    _ body: (_ step: Int, _ remedy: Remedy) throws -> Bool
  ) throws -> Int {
    var kills = 0
    for (turn, step) in Swift.stride(from: 1, to: 100_000, by: stride).enumerated() {
      for remedy in isAlternating ? [remedies[turn % remedies.count]] : remedies {
        guard try body(step, remedy) else { return kills }
        kills += 1
      }
    }
    return kills
  }

  private func apply(
    _ remedy: Remedy, to place: FaultCase, _ event: String, _ violations: Violations
  ) throws {
    switch remedy {
    case .del: violations.expectSuccess(try place.del(), event)
    case .gc:
      violations.expectSuccess(try place.gc(), event)
      // What is locked is left to the next one: a child of the killed ADD may hold the lock until
      // its own program runs.
      if !(try place.difference().isEmpty) {
        Thread.sleep(forTimeInterval: 0.3)
        violations.expectSuccess(try place.gc(), event)
      }
    case .again:
      let result = try place.add()
      if result.code == 100 {
        let isWhole = try place.isWhole()
        violations.expect(isWhole, "\(event): it is not up, and is refused: \(result)")
      } else {
        violations.expectSuccess(result, event)
        if result.status == 0 { violations.expectSuccess(try place.check(result.json), event) }
      }
      violations.expectSuccess(try place.del(), event)
    }
    violations.expectNothing(try place.difference(), event)
  }

  @Test(
    "ADD leaves nothing that neither DEL nor GC removes, and can be repeated",
    arguments: Features.allCases
  )
  func add(features: Features) throws {
    let place = try FaultCase(features)
    let violations = Violations()
    let kills = try sweep(by: features.stride, Remedy.allCases, isAlternating: features.stride > 1)
    {
      let stepped = try place.step(.kill, at: $0, "ADD")
      guard let call = stepped.call else {
        violations.expectSuccess(stepped.result, "ADD that was not killed")
        violations.expectSuccess(try place.del(), "DEL after it")
        return false
      }
      let event = "ADD killed at call \($0), \(call), then \($1)"
      violations.expect(stepped.result.status == 128 + SIGKILL, "\(event): \(stepped.result)")
      try apply($1, to: place, event, violations)
      return true
    }
    #expect(kills > 100 / features.stride)
    figures("ADD (\(features)) killed \(kills) times; violations: \(violations.count)")
  }

  @Test("an IPAM plugin that is killed leaves nothing, and the main plugin says so")
  func delegate() throws {
    let place = try FaultCase()
    let violations = Violations()
    let kills = try sweep(by: (isSoak ? 1 : 2) * slowness, Remedy.allCases, isAlternating: !isSoak)
    {
      let stepped = try place.step(.kill, at: $0, ofDelegate: true, "ADD")
      guard let call = stepped.call else {
        violations.expectSuccess(stepped.result, "ADD that was not killed")
        violations.expectSuccess(try place.del(), "DEL after it")
        return false
      }
      let event = "ADD whose delegate is killed at call \($0), \(call), then \($1)"
      // The plugin itself lives, says that its delegate died, and has undone everything.
      violations.expect(stepped.result.status == 1, "\(event): \(stepped.result)")
      violations.expectNothing(try place.difference(), event)
      try apply($1, to: place, event, violations)
      return true
    }
    #expect(kills > 20 / slowness)
    figures(
      "ADD of host-local as a delegate killed \(kills) times; violations: \(violations.count)")
  }

  @Test("ADD that removes the row of another attachment on its way leaves its lease to be found")
  func lostRow() throws {
    let place = try FaultCase()
    let violations = Violations()
    // What a runtime may leave of the configuration in DEL: not where the lease is.
    let stripped = place.configuration.with(["bridge": .absent, "ipam": ["type": "host-local"]])
    func delLost() throws -> PluginResult {
      try place.faults.plugin.del(stripped, containerID: "lost", sandbox: nil)
    }
    let stride = (isSoak ? 1 : 4) * slowness
    let kills = try sweep(by: stride, [.del, .gc], isAlternating: true) {
      try place.lose("lost")
      let stepped = try place.step(.kill, at: $0, "ADD")
      guard let call = stepped.call else {
        violations.expectSuccess(stepped.result, "ADD that was not killed")
        violations.expect(try !place.hasRow("lost"), "ADD has left the row of what was lost")
        violations.expectSuccess(try delLost(), "DEL of what was lost")
        violations.expectSuccess(try place.del(), "DEL after it")
        violations.expectNothing(try place.difference(), "ADD that was not killed")
        return false
      }
      let event = "ADD killed at call \($0), \(call), then \($1)"
      if $1 == .del { violations.expectSuccess(try delLost(), event) }
      try apply($1, to: place, event, violations)
      return true
    }
    #expect(kills > 100 / stride)
    figures("ADD beside a lost attachment killed \(kills) times; violations: \(violations.count)")
  }

  @Test("DEL is finished by a second one, or by GC", arguments: Features.allCases)
  func del(features: Features) throws {
    let violations = Violations()
    let kills = try killDel(FaultCase(features), by: features.stride, ofDelegate: false, violations)
    #expect(kills > 40 / features.stride)
    figures("DEL (\(features)) killed \(kills) times; violations: \(violations.count)")
  }

  @Test("DEL whose delegate is killed is finished by a second one, or by GC")
  func delOfDelegate() throws {
    let violations = Violations()
    let kills = try killDel(
      FaultCase(), by: (isSoak ? 1 : 2) * slowness, ofDelegate: true, violations)
    #expect(kills > 15 / slowness)
    figures(
      "DEL of host-local as a delegate killed \(kills) times; violations: \(violations.count)")
  }

  private func killDel(
    _ place: FaultCase, by stride: Int, ofDelegate: Bool, _ violations: Violations
  ) throws -> Int {
    try sweep(by: stride, [.del, .gc], isAlternating: stride > 1) {
      violations.expectSuccess(try place.add(), "ADD before DEL is killed at call \($0)")
      let stepped = try place.step(.kill, at: $0, ofDelegate: ofDelegate, "DEL")
      guard let call = stepped.call else {
        violations.expectSuccess(stepped.result, "DEL that was not killed")
        violations.expectNothing(try place.difference(), "DEL that was not killed")
        return false
      }
      try apply($1, to: place, "DEL killed at call \($0), \(call), then \($1)", violations)
      return true
    }
  }
}
