import Foundation
import TestSupport
import Testing

@Suite("ovsdb-server that does not answer as it should", .privateHost, .serialized)
struct DatabaseTests {
  /// Seconds.
  private static let timeout = 2
  /// What a command may take. The database may be asked again to roll back, for at most 5 s.
  private static let bound = Duration.seconds(timeout + 6 * slowness)

  @Test(
    "at any request: ADD says so in time and has undone everything",
    arguments: isSoak ? Features.allCases : [.full])
  func everyRequest(features: Features) throws {
    let place = try FaultCase(features)
    let ovs = place.faults.host.openVSwitch
    let violations = Violations()
    var count = 0
    for fault in DatabaseProxy.Fault.ofServer {
      for number in 1... {
        let proxy = try DatabaseProxy(ovs, fault, at: number) {
          ovs.stopServer()
          try? ovs.startServer()
        }
        defer { proxy.close() }
        let configuration = place.configuration.with([
          "socket_file": .string("unix:\(proxy.path)"), "timeout": .integer(Self.timeout),
        ])
        let began = ContinuousClock.now
        let result = try place.faults.plugin.add(
          configuration, containerID: "c1", sandbox: place.sandbox)
        let duration = ContinuousClock.now - began
        if fault == .restartedBefore || fault == .restartedAfter {
          // That ovs-vswitchd comes back in its own time is not the plugin's fault. Only for what
          // changes ovs-vsctl waits until ovs-vswitchd has seen it.
          try eventually("Open vSwitch works again", timeout: .seconds(30)) {
            try ovs.vsctl([
              "--timeout=\(10 * slowness)", "set", "Open_vSwitch", ".",
              "external_ids:back=\(UUID())",
            ])
            .status == 0
          }
        }
        guard let method = proxy.method else {
          try result.checked()
          try place.del().checked()
          break
        }
        count += 1
        let event = "\(fault) at request \(number), \(method)"
        violations.expect(duration < Self.bound, "\(event): took \(duration)")
        if result.status == 0 {
          violations.expectSuccess(try place.check(result.json), "\(event), then CHECK")
        } else {
          violations.expect([11, 999].contains(result.code), "\(event): \(result)")
          if fault == .unanswered || fault == .silenced {
            violations.expect(result.code == 11, "\(event): \(result)")
          }
          violations.expect(
            result.message.contains("ovsdb-server") || result.message.contains("by a test"),
            "\(event): \(result)")
          violations.expectNothing(try place.difference(), "\(event): \(result)")
        }
        violations.expectSuccess(try place.del(), "\(event), then DEL")
        violations.expectNothing(try place.difference(), "\(event), then DEL")
      }
    }
    #expect(count >= 20)
    figures(
      "ADD (\(features)) with ovsdb-server at fault in \(count) ways; "
        + "violations: \(violations.count)")
  }

  @Test("stopped: ADD and DEL end in time, and DEL has released the address")
  func suspended() throws {
    let faults = try FaultHost()
    let sandbox = try Sandbox()
    let configuration = faults.configuration(["timeout": .integer(Self.timeout)])
    try faults.plugin.add(configuration, containerID: "c0", sandbox: sandbox, ifname: "eth1")
      .checked()
    let before = try faults.traces([sandbox])
    faults.host.openVSwitch.server?.suspend()
    let began = ContinuousClock.now
    let add = try faults.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
    #expect(add.code == 11, "\(add)")
    #expect(ContinuousClock.now - began < Self.bound)
    #expect(faults.held().values.sorted() == ["c0/eth1", "c0/eth1"])
    let again = ContinuousClock.now
    let del = try faults.plugin.del(
      configuration, containerID: "c0", sandbox: sandbox, ifname: "eth1")
    #expect(del.code == 11, "\(del)")
    #expect(ContinuousClock.now - again < Self.bound)
    #expect(faults.held().isEmpty)
    faults.host.openVSwitch.server?.resume()
    try faults.plugin.del(configuration, containerID: "c0", sandbox: sandbox, ifname: "eth1")
      .checked()
    let after = try faults.traces([sandbox])
    #expect(after.lines.filter { $0.contains("c0") || $0.contains("c1") }.isEmpty)
    #expect(before.lines.contains { $0.contains("c0") })
  }

  @Test("ovs-vswitchd stopped: ADD ends in time with code 11 and nothing is left")
  func switchSuspended() throws {
    let faults = try FaultHost()
    let sandbox = try Sandbox()
    let configuration = faults.configuration(["timeout": .integer(Self.timeout)])
    try faults.plugin.add(configuration, containerID: "first", sandbox: sandbox).checked()
    try faults.plugin.del(configuration, containerID: "first", sandbox: sandbox).checked()
    let before = try faults.traces([sandbox])
    faults.host.openVSwitch.switching?.suspend()
    let began = ContinuousClock.now
    let add = try faults.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
    try Messages.expect(add, code: 11, of: "ovs-bridge", on: "ADD, ovs-vswitchd was suspended")
    #expect(ContinuousClock.now - began < Self.bound)
    #expect(try faults.traces([sandbox]).difference(from: before) == "")
    faults.host.openVSwitch.switching?.resume()
    try faults.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    faults.host.openVSwitch.switching?.suspend()
    // DEL needs no ovs-vswitchd.
    try faults.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
    faults.host.openVSwitch.switching?.resume()
    #expect(try faults.traces([sandbox]).difference(from: before) == "")
  }
}
