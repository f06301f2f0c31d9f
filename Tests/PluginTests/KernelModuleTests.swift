import Foundation
import TestSupport
import Testing

/// A module that the kernel does not load, until this value goes away.
private final class BlockedModule {
  private let file: String

  /// Unloads it, too.
  init(_ name: String) throws {
    file = "/etc/modprobe.d/\(name).conf"
    try Data("install \(name) /bin/false\n".utf8).write(to: URL(fileURLWithPath: file))
    let loaded = try String(contentsOfFile: "/proc/modules", encoding: .utf8)
    guard loaded.split(separator: "\n").contains(where: { $0.hasPrefix("\(name) ") }) else {
      return
    }
    // What used it may be on its way out.
    try eventually("\(name) is unloaded") { try run("modprobe", ["-r", name]).status == 0 }
  }

  func unblock() { unlink(file) }
  deinit { unblock() }
}

/// What a host may lack, which no other machine of the tests can: these change the kernel.
@Suite(
  "ovs-bridge and the modules of the kernel", .privateHost, .onDisposableMachine, .serialized)
struct KernelModuleTests {
  @Test("without openvswitch.ko a bridge is on the userspace datapath, and \"system\" is refused")
  func absent() throws {
    let blocked = try BlockedModule("openvswitch")
    let network = try Network(hasBridge: false)
    let (first, second) = (try Sandbox(), try Sandbox())
    let system = network.configuration(["datapath": "system"])
    let refused = try network.plugin.add(system, containerID: "c1", sandbox: first)
    #expect(refused.status == 1)
    #expect(refused.message.contains("system"), "\(refused)")
    #expect(try network.plugin.status(system).code == 50)
    #expect(try network.host.openVSwitch.rows("Bridge") == [])

    let automatic = network.addressed("10.1.0.0/24")
    try network.plugin.add(automatic, containerID: "c1", sandbox: first).checked()
    let other = try network.plugin.add(automatic, containerID: "c2", sandbox: second).checked()
    #expect(try network.host.openVSwitch.row("Bridge", "br1")["datapath_type"] == "netdev")
    #expect(try first.reaches(other.firstAddress))
    blocked.unblock()
  }

  @Test("a rate that the kernel cannot keep to is refused, with nothing left, and STATUS says so")
  func unlimited() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let before = try network.host.snapshot()
    let cases = [("sch_htb", "ingress"), ("sch_tbf", "egress"), ("act_police", "egress")]
    for (module, direction) in cases {
      let configuration = network.configuration([
        "bandwidth": .object([
          "\(direction)Rate": 10_000_000, "\(direction)Burst": 1_000_000,
        ])
      ])
      let blocked = try BlockedModule(module)
      let status = try network.plugin.status(configuration)
      #expect(status.code == 50, "\(module): \(status)")
      #expect(status.message.contains(module), "\(status.message)")
      let refused = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      #expect(refused.status == 1, "\(module): \(refused)")
      #expect(refused.message.contains(module), "\(refused.message)")
      #expect(try sandbox.ip("link").array.count == 1)
      try network.expectAsBefore(before)

      blocked.unblock()
      try network.plugin.status(configuration).checked()
      try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
      try network.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
      // Nothing uses the next module any more.
      try network.expectAsBefore(before)
    }
  }

  @Test(
    "CHECK says that a policer is not there any more: taken away, or lost with ovs-vswitchd")
  func policer() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let ovs = network.host.openVSwitch
    let configuration = network.configuration([
      "bandwidth": ["egressRate": 10_000_000, "egressBurst": 1_000_000]
    ])
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    let hostEnd = result["interfaces"][0]["name"].text ?? ""
    func check() throws -> PluginResult {
      try network.plugin.check(
        configuration, previous: result, containerID: "c1", sandbox: sandbox)
    }
    func takeAway() throws {
      try network.host.namespace.exec("tc", ["qdisc", "del", "dev", hostEnd, "ingress"]).checked()
    }
    let words = "ovs-vswitchd put no policer on link \"\(hostEnd)\""
    try check().checked()
    try takeAway()
    #expect(try check().message.contains(words))

    ovs.stopSwitching()
    let blocked = try BlockedModule("act_police")
    try ovs.startSwitching()
    let lost = try check()
    #expect(lost.message.contains(words), "\(lost.message)")
    blocked.unblock()
    ovs.stopSwitching()
    try ovs.startSwitching()
    try eventually("there is a policer again") { try check().status == 0 }
  }

  @Test("ovs-vswitchd that is older than openvswitch.ko cannot open it; a restart mends that")
  func early() throws {
    let blocked = try BlockedModule("openvswitch")
    let network = try Network(hasBridge: false)
    let sandbox = try Sandbox()
    let automatic = network.configuration()
    blocked.unblock()
    try run("modprobe", ["openvswitch"]).checked()
    let refused = try network.plugin.add(automatic, containerID: "c1", sandbox: sandbox)
    #expect(refused.status == 1)
    let cure = "ovs-vswitchd that was started before the module openvswitch was loaded has to be"
    #expect(refused.message.contains(cure), "\(refused.message)")
    #expect(try sandbox.ip("link").array.count == 1)

    network.host.openVSwitch.stopSwitching()
    try network.host.openVSwitch.startSwitching()
    try network.plugin.add(automatic, containerID: "c1", sandbox: sandbox).checked()
    #expect(try network.host.openVSwitch.row("Bridge", "br1")["datapath_type"] == "system")
  }
}
