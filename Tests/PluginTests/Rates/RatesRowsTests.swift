import TestSupport
import Testing

extension OpenVSwitch {
  fileprivate func rateRows() throws -> Int { try rows("QoS").count + rows("Queue").count }
  /// The UUID of the row of ours.
  fileprivate func own(_ table: String) throws -> String {
    try rows(table).first { $0["external_ids"]["owner"] == "patchbay" }?["_uuid"].text ?? ""
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
    func isTold(_ what: String, _ change: () throws -> Void, _ restore: () throws -> Void) throws {
      try change()
      try Messages.expect(
        limited.check(), code: 999, of: "ovs-bridge", on: "CHECK, of rates \(what) was changed")
      try restore()
      try limited.check().checked()
    }
    try isTold("max-rate of the qos") {
      try ovs.vsctl("set", "QoS", qos, "other_config:max-rate=5")
    } _: {
      try ovs.vsctl("set", "QoS", qos, "other_config:max-rate=10000000")
    }
    try isTold("burst of the queue") {
      try ovs.vsctl("remove", "Queue", queue, "other_config", "burst")
    } _: {
      try ovs.vsctl("set", "Queue", queue, "other_config:burst=800000")
    }
    try isTold("the qos of the port") {
      try ovs.vsctl("clear", "Port", limited.port, "qos")
    } _: {
      try ovs.vsctl("set", "Port", limited.port, "qos=\(qos)")
    }
    try isTold("the type of the qos") {
      try ovs.vsctl("set", "QoS", qos, "type=linux-noop")
    } _: {
      try ovs.vsctl("set", "QoS", qos, "type=linux-htb")
    }
    try isTold("the class of the host end") {
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
    try isTold("the rate of the container end") {
      try limited.limited.exec(
        "tc", tbf + ["40mbit", "burst", "200000", "limit", "262500"]
      ).checked()
    } _: {
      try limited.limited.exec(
        "tc", tbf + ["20mbit", "burst", "200000", "limit", "262500"]
      ).checked()
    }
    try isTold("the burst of the container end") {
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
    try Messages.expect(
      limited.check(), code: 999, of: "ovs-bridge",
      on: "CHECK, other queueing disciplines at both ends")
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

  @Test("are gone after DEL, also where the port was removed before, and those of others are there")
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

  @Test("are the operator's where other rows refer to them by now, and keep no command")
  func shared() throws {
    let uses: [(String, [String])] = [
      ("QoS", ["set", "Port", "br1", "qos=QOS"]),
      (
        "Queue",
        [
          "set", "Port", "br1", "qos=@new", "--", "--id=@new", "create", "QoS",
          "type=linux-htb", "queues:5=QUEUE",
        ]
      ),
    ]
    for (table, use) in uses {
      let limited = try Limited(Self.both)
      let (plugin, ovs) = (limited.network.plugin, limited.network.host.openVSwitch)
      let (qos, queue) = (
        try ovs.rows("QoS")[0]["_uuid"].text ?? "", try ovs.rows("Queue")[0]["_uuid"].text ?? ""
      )
      try ovs.vsctl(
        use.map {
          $0.replacing("QOS", with: qos).replacing("QUEUE", with: queue)
        })
      // ADD finds what an ADD that was killed left, since its link is gone.
      try limited.limited.exec("ip", ["link", "del", "eth0"]).checked()
      try plugin.add(limited.configuration, containerID: "c1", sandbox: limited.limited).checked()
      let kept = try ovs.rows(table).filter { $0["external_ids"]["owner"] != "patchbay" }
      #expect(kept.count == 1, "\(table)")
      let (newQoS, newQueue) = (try ovs.own("QoS"), try ovs.own("Queue"))
      try ovs.vsctl(
        use.map {
          $0.replacing("QOS", with: newQoS).replacing("QUEUE", with: newQueue)
        })
      try plugin.gc(limited.configuration, valid: []).checked()
      #expect(try ovs.ports(of: "br1") == [])
      let owners = try (ovs.rows("QoS") + ovs.rows("Queue")).map { $0["external_ids"]["owner"] }
      #expect(!owners.contains("patchbay"), "\(owners)")
      try limited.delete().checked()
    }
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
