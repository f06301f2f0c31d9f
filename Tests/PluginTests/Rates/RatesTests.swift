import Foundation
import TestSupport
import Testing

private let tenMegabits = 10_000_000

/// 8 to 11 Mbit/s: what 10 Mbit/s with their headers leave for the content.
private func isTenMegabits(_ rate: Double) -> Bool { (8...11).contains(rate) }

@Suite("Rates of ovs-bridge", .privateHost, .serialized) struct RatesTests {
  @Test(
    "10 Mbit/s towards the container are that, whatever the burst; from it there is no limit",
    arguments: [1, 8_000_000])
  func ingress(burst: Int) throws {
    let limited = try Limited([
      "ingressRate": .integer(tenMegabits), "ingressBurst": .integer(burst),
    ])
    let rate = try limited.ingress()
    #expect(isTenMegabits(rate), "\(rate) Mbit/s")
    let free = try limited.egress("-t1")
    #expect(free > 15, "\(free) Mbit/s")
    try limited.check().checked()
  }

  @Test(
    "10 Mbit/s from the container are that, whatever the burst; towards it there is no limit",
    arguments: [1, 8_000_000])
  func egress(burst: Int) throws {
    let limited = try Limited(["egressRate": .integer(tenMegabits), "egressBurst": .integer(burst)])
    let rate = try limited.egress()
    #expect(isTenMegabits(rate), "\(rate) Mbit/s")
    let free = try limited.ingress("-t1")
    #expect(free > 15, "\(free) Mbit/s")
    try limited.check().checked()
  }

  @Test("a burst passes at once, either way")
  func bursts() throws {
    let limited = try Limited([
      "ingressRate": .integer(tenMegabits), "ingressBurst": 64_000_000,
      "egressRate": .integer(tenMegabits), "egressBurst": 64_000_000,
    ])
    let towards = try Throughput(
      from: limited.other, to: limited.address, of: limited.limited, "-n", "4M"
    ).rate
    #expect(towards > 15, "\(towards) Mbit/s")
    let from = try Throughput(
      from: limited.limited, to: limited.otherAddress, of: limited.other, "-n", "4M"
    ).rate
    #expect(from > 15, "\(from) Mbit/s")
  }

  @Test(
    "of any size arrive within a tenth, in either direction", .only(on: .kernel),
    arguments: [1, 5, 10, 20, 100, 300])
  func table(megabits: Int) throws {
    let rate = megabits * 1_000_000
    // A hundredth of a second: more than a timer's tick, and little in three seconds.
    let burst = max(rate / 100, 80_000)
    let limited = try Limited([
      "ingressRate": .integer(rate), "ingressBurst": .integer(burst),
      "egressRate": .integer(rate), "egressBurst": .integer(burst),
    ])
    let within = Double(megabits) * 0.9...Double(megabits) * 1.1
    let (towards, from) = (try limited.ingress(), try limited.egress())
    #expect(within.contains(towards), "\(towards) Mbit/s towards the container")
    #expect(within.contains(from), "\(from) Mbit/s from the container")
    let measured = String(format: "%.2f towards the container, %.2f from it", towards, from)
    figures("\(megabits) Mbit/s: \(measured)")
  }

  @Test("of jumbo frames are the same")
  func jumbo() throws {
    let network = try Network()
    let (one, two) = (try Sandbox(), try Sandbox())
    let bandwidth: Document = [
      "ingressRate": .integer(tenMegabits), "ingressBurst": 1,
      "egressRate": .integer(tenMegabits), "egressBurst": 1,
    ]
    let result = try network.plugin.add(
      network.addressed("10.1.0.0/24", members: ["mtu": 9000, "bandwidth": bandwidth]),
      containerID: "c1", sandbox: one
    ).checked()
    let other = try network.plugin.add(
      network.addressed("10.1.0.0/24", members: ["mtu": 9000]), containerID: "c2", sandbox: two
    ).checked()
    #expect(try one.reaches(other.firstAddress, size: 8972))
    let towards = try Throughput(from: two, to: result.firstAddress, of: one, "-t3", "-O1").rate
    #expect(isTenMegabits(towards), "\(towards) Mbit/s")
    let from = try Throughput(from: one, to: other.firstAddress, of: two, "-t3", "-O1").rate
    #expect(isTenMegabits(from), "\(from) Mbit/s")
  }

  @Test("come from the runtime first: the capability bandwidth")
  func capability() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let configuration = network.configuration([
      "bandwidth": ["ingressRate": 5_000_000, "ingressBurst": 5_000_000],
      "runtimeConfig": ["bandwidth": ["ingressRate": 7_000_000, "ingressBurst": 80000]],
    ])
    try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    let queues = try network.host.openVSwitch.rows("Queue")
    #expect(queues.map { $0["other_config"]["max-rate"] } == ["7000000"])
    #expect(queues.map { $0["other_config"]["burst"] } == ["80000"])
  }

  @Test("a flood to a limited port does not stop the others")
  func flood() throws {
    let limited = try Limited(["ingressRate": .integer(tenMegabits), "ingressBurst": 100_000])
    let third = try Sandbox()
    let address = try limited.network.plugin.add(
      limited.network.addressed("10.1.0.0/24"), containerID: "c3", sandbox: third
    ).checked().firstAddress
    let directory = try TemporaryDirectory()
    func iperf(_ sandbox: Sandbox, _ arguments: String...) throws -> Daemon {
      try Daemon(
        "ip", ["netns", "exec", sandbox.name, executable("iperf3")] + arguments,
        environment: ProcessInfo.processInfo.environment, log: "\(directory.path)/log")
    }
    let server = try iperf(limited.limited, "-s")
    try eventually("iperf3 listens") {
      try limited.limited.exec("ss", ["-ltn"]).stdout.contains(":5201")
    }
    let client = try iperf(limited.other, "-c", limited.address, "-u", "-b", "40M", "-t", "20")
    try eventually("frames wait at the limited port") {
      try !limited.network.host.namespace.exec("tc", ["-s", "qdisc", "show", "dev", limited.port])
        .stdout.contains("backlog 0b")
    }
    let rate = try Throughput(from: limited.other, to: address, of: third, "-t1").rate
    #expect(rate > 20, "\(rate) Mbit/s")
    client.stop()
    server.stop()
  }
}
