import Foundation
import TestSupport
import Testing

@Suite("A gateway and masquerading that are interrupted", .privateHost, .serialized)
struct GatewayFaultTests {
  /// `make test` looks at some of the calls, `make soak` at all.
  private static let stride = isSoak ? 1 : 7

  private struct Case {
    let faults: FaultHost
    let configuration: Document
    let sandbox: Sandbox
    private let before: Traces

    init(isTagged: Bool) throws {
      faults = try FaultHost()
      configuration = faults.configuration([
        "isGateway": true, "isDefaultGateway": true, "ipMasq": true,
        "vlan": isTagged ? 7 : .absent,
      ])
      sandbox = try Sandbox()
      try faults.plugin.add(configuration, containerID: "c0", sandbox: sandbox).checked()
      try faults.plugin.del(configuration, containerID: "c0", sandbox: sandbox).checked()
      before = try faults.traces([sandbox])
    }

    /// What is there and was not.
    func left() throws -> String {
      let rules = try faults.host.namespace.exec("nft", ["list", "ruleset"]).checked().stdout
      var left = rules
      // ovs-vswitchd gives a port up in its own time, and with it the link's address.
      for _ in 0..<50 {
        left = try faults.traces([sandbox]).difference(from: before)
        if left.isEmpty { break }
        usleep(20_000)
      }
      var marks = ""
      for row in try faults.host.openVSwitch.rows("Port") {
        for key in row["external_ids"].members.keys where key.hasPrefix("patchbay-gateway") {
          marks += "\nmark \(key)"
        }
      }
      return rules + left + marks
    }
  }

  @Test("ADD that is killed leaves nothing after DEL or GC", arguments: [false, true])
  func killedAdd(isTagged: Bool) throws {
    let place = try Case(isTagged: isTagged)
    let violations = Violations()
    var kills = 0
    for step in Swift.stride(from: 1, to: 10_000, by: Self.stride) {
      let stepped = try place.faults.step(
        .kill, at: step, "ADD", place.configuration, "c1", place.sandbox)
      if step % 2 == 0 || stepped.call == nil {
        try place.faults.plugin.del(place.configuration, containerID: "c1", sandbox: nil).checked()
      } else {
        try place.faults.plugin.gc(place.configuration, valid: []).checked()
      }
      violations.expectNothing(
        try place.left(), "ADD killed at call \(step), \(stepped.call ?? "none")")
      guard stepped.call != nil else { break }
      kills += 1
    }
    #expect(kills > 10)
    figures(
      "ADD with gateway and masquerade killed at \(kills) steps; "
        + "violations: \(violations.count)")
  }

  @Test("DEL that is killed is finished by a second one, or by GC", arguments: [false, true])
  func killedDel(isTagged: Bool) throws {
    let place = try Case(isTagged: isTagged)
    let violations = Violations()
    var kills = 0
    for step in Swift.stride(from: 1, to: 10_000, by: Self.stride) {
      try place.faults.plugin.add(
        place.configuration, containerID: "c1", sandbox: place.sandbox
      ).checked()
      let stepped = try place.faults.step(
        .kill, at: step, "DEL", place.configuration, "c1", place.sandbox)
      guard stepped.call != nil else { break }
      kills += 1
      if step % 2 == 0 {
        try place.faults.plugin.del(place.configuration, containerID: "c1", sandbox: nil).checked()
      } else {
        try place.faults.plugin.gc(place.configuration, valid: []).checked()
      }
      violations.expectNothing(
        try place.left(), "DEL killed at call \(step), \(stepped.call ?? "none")")
    }
    #expect(kills > 10)
    figures(
      "DEL with gateway and masquerade killed at \(kills) steps; "
        + "violations: \(violations.count)")
  }

  @Test("ADD that fails has undone everything", arguments: [false, true])
  func failedAdd(isTagged: Bool) throws {
    let place = try Case(isTagged: isTagged)
    let violations = Violations()
    var refusals = 0
    for step in Swift.stride(from: 1, to: 10_000, by: Self.stride) {
      let error = [ENOMEM, EPERM, EIO, ENOBUFS, EMFILE][step % 5]
      let stepped = try place.faults.step(
        .fail(error), at: step, "ADD", place.configuration, "c1", place.sandbox)
      if stepped.result.status != 0 {
        refusals += 1
        violations.expectNothing(
          try place.left(), "ADD with call \(step), \(stepped.call ?? "none"), failing")
      } else if stepped.call != nil {
        let check = try place.faults.plugin.check(
          place.configuration, previous: stepped.result.json, containerID: "c1",
          sandbox: place.sandbox)
        violations.expect(check.status == 0, "ADD with call \(step) failing, then \(check)")
      }
      try place.faults.plugin.del(
        place.configuration, containerID: "c1", sandbox: place.sandbox
      ).checked()
      if stepped.count < step { break }
    }
    #expect(refusals > 5)
    figures(
      "ADD with gateway and masquerade failed, \(refusals) times refused; "
        + "violations: \(violations.count)")
  }
}
