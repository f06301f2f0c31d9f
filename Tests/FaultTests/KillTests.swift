import Foundation
import TestSupport
import Testing

/// SIGKILL in the place of each system call in turn.
///
/// Every call of the plugin's main counts, so that every state between two calls is met. In
/// `make test` what follows a kill alternates from call to call, and of a delegate every second call
/// is taken; `make soak` does all at each.
@Suite("A plugin that is killed at any system call", .privateHost, .serialized)
struct KillTests {
  /// What follows the kill.
  enum Remedy: CaseIterable {
    /// DEL, by container ID and interface name.
    case del
    /// GC, that no attachment is valid.
    case gc
    /// The same ADD again, CHECK, and then DEL.
    case again
  }

  /// Sweeps over all calls of `command`; answers how many kills there were.
  private func sweep(
    _ faults: FaultHost, ofDelegate: Bool = false, _ command: String,
    _ body: (_ step: Int, _ remedy: Remedy) throws -> Bool
  ) throws -> Int {
    var kills = 0
    var step = 1
    while true {
      let all = Remedy.allCases
      let remedies = isSoak ? all : [all[step / (ofDelegate ? 2 : 1) % all.count]]
      var hit = false
      for remedy in remedies where try body(step, remedy) {
        hit = true
        kills += 1
      }
      guard hit else { return kills }
      step += ofDelegate && !isSoak ? 2 : 1
    }
  }

  /// Kills ADD, applies the remedy, and compares; answers how many kills there were.
  private func kill(_ faults: FaultHost, ofDelegate: Bool, _ violations: Violations) throws -> Int {
    let configuration = faults.configuration()
    let sandbox = try Sandbox()
    // What is made once and stays (directories, the bridge's own link) is there before.
    try faults.plugin.add(configuration, containerID: "first", sandbox: sandbox).checked()
    try faults.plugin.del(configuration, containerID: "first", sandbox: sandbox).checked()
    let whole = try HostSnapshot(in: faults.host.namespace, faults.host.openVSwitch)
    let before = try faults.traces([sandbox])
    let kills = try sweep(faults, ofDelegate: ofDelegate, "ADD") { step, remedy in
      let stepped = try faults.step(
        .kill, at: step, ofDelegate: ofDelegate, "ADD", configuration, "c1", sandbox)
      guard let call = stepped.call else {
        try stepped.result.checked()
        try faults.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
        return false
      }
      let place = "ADD killed at call \(step), \(call), then \(remedy)"
      if ofDelegate {
        // The plugin itself lives, says that its delegate died, and has undone everything.
        violations.expect(stepped.result.status == 1, "\(place): \(stepped.result)")
        violations.expectNothing(try faults.traces([sandbox]).difference(from: before), place)
      } else {
        violations.expect(stepped.result.status == 128 + SIGKILL, "\(place): \(stepped.result)")
      }
      switch remedy {
      case .del:
        try faults.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
      case .gc:
        try faults.plugin.gc(configuration, valid: []).checked()
      case .again:
        let result = try faults.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
          .checked()
        let check = try faults.plugin.check(
          configuration, previous: result, containerID: "c1", sandbox: sandbox)
        violations.expect(check.status == 0, "\(place): \(check)")
        try faults.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
      }
      violations.expectNothing(try faults.traces([sandbox]).difference(from: before), place)
      return true
    }
    violations.expectNothing(
      try HostSnapshot(in: faults.host.namespace, faults.host.openVSwitch).difference(from: whole),
      "after all")
    return kills
  }

  @Test("ADD leaves nothing that DEL or GC do not remove, and can be repeated")
  func add() throws {
    let violations = Violations()
    let kills = try kill(FaultHost(), ofDelegate: false, violations)
    #expect(kills > 60)
    figures("ADD of ovs-bridge killed at \(kills) steps; violations: \(violations.count)")
  }

  @Test("an IPAM plugin that is killed leaves nothing, and the main plugin says so")
  func delegate() throws {
    let violations = Violations()
    let kills = try kill(FaultHost(), ofDelegate: true, violations)
    #expect(kills > 25)
    figures(
      "ADD of host-local as a delegate killed at \(kills) steps; violations: \(violations.count)")
  }

  @Test("DEL is finished by a second one")
  func del() throws {
    let faults = try FaultHost()
    let violations = Violations()
    let configuration = faults.configuration()
    let sandbox = try Sandbox()
    try faults.plugin.add(configuration, containerID: "first", sandbox: sandbox).checked()
    try faults.plugin.del(configuration, containerID: "first", sandbox: sandbox).checked()
    let before = try faults.traces([sandbox])
    for ofDelegate in [false, true] {
      let kills = try sweep(faults, ofDelegate: ofDelegate, "DEL") { step, remedy in
        try faults.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
        let stepped = try faults.step(
          .kill, at: step, ofDelegate: ofDelegate, "DEL", configuration, "c1", sandbox)
        guard let call = stepped.call else {
          try stepped.result.checked()
          #expect(try faults.traces([sandbox]).difference(from: before) == "")
          return false
        }
        switch remedy {
        case .del, .again:
          try faults.plugin.del(configuration, containerID: "c1", sandbox: nil).checked()
        case .gc: try faults.plugin.gc(configuration, valid: []).checked()
        }
        violations.expectNothing(
          try faults.traces([sandbox]).difference(from: before),
          "DEL killed at call \(step), \(call), then \(remedy)")
        return true
      }
      #expect(kills > 20)
      let whose = ofDelegate ? "host-local as a delegate" : "ovs-bridge"
      figures("DEL of \(whose) killed at \(kills) steps; violations: \(violations.count)")
    }
  }
}
