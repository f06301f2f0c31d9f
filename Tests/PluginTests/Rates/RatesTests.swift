import Foundation
import TestSupport
import Testing

/// A container whose rates are limited, and one on the same bridge whose rates are not.
private struct Limited {
  let network: Network
  let configuration: Document
  let limited: Sandbox
  let other: Sandbox
  let result: Document
  let otherAddress: String
  var address: String { result.firstAddress }
  var port: String { result["interfaces"][0]["name"].text ?? "" }

  init(_ bandwidth: Document) throws {
    network = try Network()
    (limited, other) = (try Sandbox(), try Sandbox())
    configuration = network.addressed("10.1.0.0/24", members: ["bandwidth": bandwidth])
    result = try network.plugin.add(configuration, containerID: "c1", sandbox: limited).checked()
    otherAddress = try network.plugin.add(
      network.addressed("10.1.0.0/24"), containerID: "c2", sandbox: other
    ).checked().firstAddress
  }

  /// Sends towards the limited container.
  func ingress(_ amount: String = "-t3") throws -> Double {
    try Throughput(from: other, to: address, of: limited, amount, "-O1").rate
  }
  /// Sends from the limited container.
  func egress(_ amount: String = "-t3") throws -> Double {
    try Throughput(from: limited, to: otherAddress, of: other, amount, "-O1").rate
  }
  func check() throws -> PluginResult {
    try network.plugin.check(configuration, previous: result, containerID: "c1", sandbox: limited)
  }
  func delete() throws -> PluginResult {
    try network.plugin.del(configuration, containerID: "c1", sandbox: limited)
  }
}

extension OpenVSwitch {
  fileprivate func rateRows() throws -> Int { try rows("QoS").count + rows("Queue").count }
}

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

@Suite("Rates of ovs-bridge, made, compared and removed", .privateHost) struct RatesRowsTests {
  private static let both: Document = [
    "ingressRate": 10_000_000, "ingressBurst": 800_000, "egressRate": 20_000_000,
    "egressBurst": 1_600_000,
  ]

  @Test("are rows of QoS and queue that tell whose they are, and a token bucket in the sandbox")
  func made() throws {
    let limited = try Limited(Self.both)
    let ovs = limited.network.host.openVSwitch
    let (qos, queue) = (try ovs.rows("QoS")[0], try ovs.rows("Queue")[0])
    #expect(qos["type"] == "linux-htb")
    #expect(qos["other_config"] == ["max-rate": "10000000"])
    #expect(qos["queues"] == ["0": queue["_uuid"]])
    #expect(
      queue["other_config"]
        == ["max-rate": "10000000", "min-rate": "10000000", "burst": "800000"])
    #expect(try limited.network.port(limited.result)["qos"] == qos["_uuid"])
    for row in [qos, queue] {
      #expect(row["external_ids"]["owner"] == "patchbay")
      #expect(row["external_ids"]["network"] == "net1")
      #expect(row["external_ids"]["containerID"] == "c1")
      #expect(row["external_ids"]["interfaceName"] == "eth0")
    }
    // Kilobits per second. On the userspace datapath it would not limit anything.
    let policed: Document = Datapath.current == .userspace ? 0 : 20_000
    #expect(try limited.network.interface(limited.result)["ingress_policing_rate"] == policed)
    let tbf = try limited.limited.exec("tc", ["qdisc", "show", "dev", "eth0"]).checked().stdout
    #expect(tbf.contains("tbf") && tbf.contains("rate 20Mbit burst 200000b"), "\(tbf)")
    try limited.check().checked()
  }

  @Test("are compared by CHECK, each of them")
  func changed() throws {
    let limited = try Limited(Self.both)
    let ovs = limited.network.host.openVSwitch
    let qos = try ovs.rows("QoS")[0]["_uuid"].text ?? ""
    let queue = try ovs.rows("Queue")[0]["_uuid"].text ?? ""
    func isTold(_ words: String, _ change: () throws -> Void, _ restore: () throws -> Void) throws {
      try change()
      let refused = try limited.check()
      #expect(refused.message.contains(words), "\(refused.message)")
      try restore()
      try limited.check().checked()
    }
    try isTold("qos: max-rate is \"5\", should be \"10000000\"") {
      try ovs.vsctl("set", "QoS", qos, "other_config:max-rate=5")
    } _: {
      try ovs.vsctl("set", "QoS", qos, "other_config:max-rate=10000000")
    }
    try isTold("queue 0 of qos: burst is absent, should be \"800000\"") {
      try ovs.vsctl("remove", "Queue", queue, "other_config", "burst")
    } _: {
      try ovs.vsctl("set", "Queue", queue, "other_config:burst=800000")
    }
    try isTold("qos is absent, should be the one that ADD made") {
      try ovs.vsctl("clear", "Port", limited.port, "qos")
    } _: {
      try ovs.vsctl("set", "Port", limited.port, "qos=\(qos)")
    }
    try isTold("type of qos is \"linux-noop\", should be \"linux-htb\"") {
      try ovs.vsctl("set", "QoS", qos, "type=linux-noop")
    } _: {
      try ovs.vsctl("set", "QoS", qos, "type=linux-htb")
    }
    try isTold("bytes per second of class 1:1 is 125000, should be 1250000") {
      try limited.network.host.namespace.exec(
        "tc",
        [
          "class", "change", "dev", limited.port, "classid", "1:1", "htb", "rate", "1mbit",
          "ceil", "1mbit",
        ]
      ).checked()
    } _: {
      try limited.network.host.namespace.exec(
        "tc",
        [
          "class", "change", "dev", limited.port, "classid", "1:1", "htb", "rate", "10mbit",
          "ceil", "10mbit",
        ]
      ).checked()
    }
    let tbf = ["qdisc", "replace", "dev", "eth0", "root", "tbf", "rate"]
    try isTold("bytes per second is 5000000, should be 2500000") {
      try limited.limited.exec(
        "tc", tbf + ["40mbit", "burst", "200000", "limit", "262500"]
      ).checked()
    } _: {
      try limited.limited.exec(
        "tc", tbf + ["20mbit", "burst", "200000", "limit", "262500"]
      ).checked()
    }
    try isTold("burst is 20000 bytes, should be 200000 bytes") {
      try limited.limited.exec(
        "tc", tbf + ["20mbit", "burst", "20000", "limit", "262500"]
      ).checked()
    } _: {
      try limited.limited.exec(
        "tc", tbf + ["20mbit", "burst", "200000", "limit", "262500"]
      ).checked()
    }
    try limited.limited.exec("tc", ["qdisc", "del", "dev", "eth0", "root"]).checked()
    try limited.network.host.namespace.exec(
      "tc", ["qdisc", "replace", "dev", limited.port, "root", "pfifo"]
    ).checked()
    let refused = try limited.check()
    #expect(refused.message.contains(#"queueing discipline is "noqueue", should be "tbf""#))
    #expect(refused.message.contains(#"queueing discipline is "pfifo", should be "htb""#))
  }

  @Test(
    "are those that CHECK expects of the kernel, the least and the most",
    arguments: [
      1000, 9999, 12_000, 64_000, 2_500_000_000, 40_000_000_000,
    ])
  func extremes(rate: Int) throws {
    let limited = try Limited([
      "ingressRate": .integer(rate), "ingressBurst": 1, "egressRate": .integer(rate),
      "egressBurst": 1,
    ])
    try limited.check().checked()
  }

  @Test("are gone after DEL, whoever removed the port first, and those of others are there")
  func deleted() throws {
    let limited = try Limited(Self.both)
    let ovs = limited.network.host.openVSwitch
    try ovs.vsctl(
      "--", "--id=@queue", "create", "Queue", "external_ids:containerID=c1",
      "external_ids:interfaceName=eth0", "external_ids:owner=somebody")
    try limited.delete().checked()
    #expect(try ovs.rateRows() == 1)

    try limited.network.plugin.add(
      limited.configuration, containerID: "c1", sandbox: limited.limited
    ).checked()
    #expect(try ovs.rateRows() == 3)
    try ovs.vsctl("del-port", limited.port)
    #expect(try ovs.rateRows() == 3, "QoS rows outlive their port")
    try limited.delete().checked()
    #expect(try ovs.rateRows() == 1)
  }

  @Test("are gone after GC, with their port or without it, and only those that are not valid")
  func collected() throws {
    let network = try Network()
    let ovs = network.host.openVSwitch
    let configuration = network.configuration(["bandwidth": Self.both])
    var results: [Document] = []
    let sandboxes = try (0..<3).map { _ in try Sandbox() }
    for (number, sandbox) in sandboxes.enumerated() {
      results.append(
        try network.plugin.add(configuration, containerID: "c\(number)", sandbox: sandbox)
          .checked())
    }
    #expect(try ovs.rateRows() == 6)
    try ovs.vsctl("del-port", results[0]["interfaces"][0]["name"].text ?? "")
    try network.plugin.gc(configuration, valid: nil).checked()
    #expect(try ovs.rateRows() == 6)
    let others = configuration.with(["name": "net2"])
    try network.plugin.gc(others, valid: []).checked()
    #expect(try ovs.rateRows() == 6)
    try network.plugin.gc(configuration, valid: [("c2", "eth0")]).checked()
    #expect(try ovs.rateRows() == 2)
    try network.plugin.check(
      configuration, previous: results[2], containerID: "c2", sandbox: sandboxes[2]
    ).checked()
  }

  @Test("are gone when ADD is refused, and made once when their link was lost")
  func refused() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let ovs = network.host.openVSwitch
    let before = try network.host.snapshot()
    let bandwidth = network.configuration(["bandwidth": Self.both])
    let refused = try network.plugin.add(
      bandwidth.with(["interface_type": "nonsense"]), containerID: "c1", sandbox: sandbox)
    #expect(refused.status == 1)
    #expect(try network.host.snapshot().difference(from: before) == "")
    for _ in 0..<2 {
      try network.plugin.add(bandwidth, containerID: "c1", sandbox: sandbox).checked()
      #expect(try ovs.rateRows() == 2)
      try sandbox.exec("ip", ["link", "del", "eth0"]).checked()
    }
  }

  @Test("are kept when ovs-vswitchd starts again")
  func restarted() throws {
    let limited = try Limited(Self.both)
    let ovs = limited.network.host.openVSwitch
    ovs.stopSwitching()
    try ovs.startSwitching()
    try eventually("ovs-vswitchd limits again") { try limited.check().status == 0 }
    let classes = try limited.network.host.namespace.exec(
      "tc", ["class", "show", "dev", limited.port])
    #expect(classes.stdout.contains("rate 10Mbit ceil 10Mbit"), "\(classes)")
  }
}
