import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("ovs-bridge among others", .privateHost) struct NeighbourTests {
  /// Rows by table and UUID, as `ovs-vsctl list` has them, but for what ovs-vswitchd counts.
  private func rows(_ ovs: OpenVSwitch) throws -> [String: Document] {
    var rows: [String: Document] = [:]
    let tables = ["Open_vSwitch", "Bridge", "Port", "Interface", "Mirror", "QoS", "Queue"]
    for (table, found) in try ovs.rows(of: tables) {
      for row in found {
        rows["\(table) \(row["_uuid"].text ?? "")"] = row.with([
          "statistics": .absent, "status": .absent, "link_resets": .absent, "cur_cfg": .absent,
          "next_cfg": .absent, "_version": .absent,
        ])
      }
    }
    return rows
  }

  /// Ports of others on three bridges, a multiple of 30: fewer where the machine is slow, because
  /// ovs-vswitchd tries at every change each of those that have no link.
  private static let alienCount = slowness > 1 ? 30 : 300

  @Test("touches none of the many ports of others on three bridges, nor what else is theirs")
  func others() throws {
    let network = try Network()
    let ovs = network.host.openVSwitch
    try ovs.addBridge("br2")
    try ovs.addBridge("br3")
    var command = ["--timeout=\(20 * slowness)"]
    for number in 0..<Self.alienCount {
      let name = "alien\(number)"
      command += ["--", "add-port", "br\(number % 3 + 1)", name, "tag=\(number)"]
      // A few have links. All others have an error, as a port of ours that lost its link.
      if number % (Self.alienCount / 5) == 0 {
        command += ["--", "set", "Interface", name, "type=internal"]
      }
      // What might be taken for ours: our keys with another owner, or without any.
      let (attachment, rest) = number.quotientAndRemainder(dividingBy: Self.alienCount / 6)
      if rest == 0 {
        command += ["--", "set", "Port", name]
        command += attachment % 2 == 0 ? ["external_ids:owner=other"] : []
        command += [
          "external_ids:network=net1", "external_ids:containerID=c\(attachment)",
          "external_ids:interfaceName=eth0", "external_ids:gateway=br1.7",
          "external_ids:role=gateway", "external_ids:masquerade=true",
        ]
      }
    }
    try ovs.vsctl(command).checked()
    try ovs.vsctl(
      "--", "--id=@q", "create", "Queue", "external_ids:network=net1", "--", "--id=@qos", "create",
      "QoS", "type=linux-noop", "queues:0=@q", "external_ids:network=net1", "--", "set", "Port",
      "alien3", "qos=@qos", "--", "--id=@m", "create", "Mirror", "name=m1",
      "external_ids:network=net1", "--", "add", "Bridge", "br2", "mirrors", "@m")
    // The link of a gateway stays up.
    try network.host.namespace.exec("ip", ["link", "set", "br1", "up"]).checked()
    var before: [String: Document] = [:]
    try eventually("ovs-vswitchd has tried each, and knows that br1 is up") {
      before = try rows(ovs)
      let aliens = before.values.filter { $0["name"].text?.hasPrefix("alien") == true }
      let isUp = before.values.contains { $0["name"] == "br1" && $0["link_state"] == "up" }
      return try isUp && aliens.count == 2 * Self.alienCount && rows(ovs) == before
    }

    let attachments: [[String: Document]] = [
      [:], ["isGateway": true, "ipMasq": true, "vlan": 7], ["isGateway": true],
      ["bandwidth": ["ingressRate": 10_000_000, "ingressBurst": 1], "portIsolation": true],
      ["bridge": "br2", "vlan": 9], ["bridge": "br3", "trunk": [["id": 4]]],
    ]
    let sandboxes = try attachments.map { _ in try Sandbox() }
    let producer = network.host.plugin("ovs-mirror-producer")
    let mirror = network.configuration([
      "type": "ovs-mirror-producer", "mirrors": [["name": "m1", "ingress": true]],
    ])
    for (number, members) in attachments.enumerated() {
      let configuration = network.addressed("10.1.0.0/16").with(members)
      let (id, sandbox) = ("c\(number)", sandboxes[number])
      let result = try network.plugin.add(configuration, containerID: id, sandbox: sandbox)
        .checked()
      if number == 0 {
        try producer.add(
          mirror.with(["prevResult": result]), containerID: id, sandbox: sandbox
        ).checked()
      }
    }
    // Ours refer to each other, and what is theirs has changed in one thing only: that bridges have
    // more ports, and one a MAC address that stays while it is a gateway.
    let during = try rows(ovs)
    for (key, row) in before {
      let ports: [String: Document] = ["ports": .absent, "mirrors": .absent]
      let isOfOurBridge = key.hasPrefix("Bridge") || row["name"] == "br1"
      let ignored: [String: Document] =
        isOfOurBridge
        ? ports.merging(
          ["other_config": .absent, "external_ids": .absent, "mac_in_use": .absent]
        ) { $1 } : [:]
      #expect(during[key]?.with(ignored) == row.with(ignored))
    }
    #expect(during.count > before.count + 12)

    // Half of them by DEL, one of them without its sandbox, the others by GC.
    sandboxes[2].delete()
    try producer.del(mirror, containerID: "c0", sandbox: sandboxes[0]).checked()
    for number in [0, 2, 4] {
      try network.plugin.del(
        network.addressed("10.1.0.0/16").with(attachments[number]), containerID: "c\(number)",
        sandbox: sandboxes[number]
      ).checked()
    }
    try network.plugin.gc(
      network.addressed("10.1.0.0/16", members: ["ipMasq": true]), valid: []
    ).checked()
    try eventually("the database is as before, every row of it") {
      let after = try rows(ovs)
      let changed = Set(after.keys).union(before.keys).filter { after[$0] != before[$0] }
      guard let key = changed.min() else { return true }
      throw Leftovers(
        description: "\(after[key] ?? .absent), and was \(before[key] ?? .absent)")
    }
    let ports = try ["br1", "br2", "br3"].map { try ovs.ports(of: $0).count }
    #expect(ports == [Int](repeating: Self.alienCount / 3, count: 3))
  }

  @Test("attachments forward again without us after ovs-vswitchd and ovsdb-server were restarted")
  func restart() throws {
    let network = try Network()
    let ovs = network.host.openVSwitch
    let (first, second) = (try Sandbox(), try Sandbox())
    let configuration = network.addressed("10.1.0.0/24")
    let one = try network.plugin.add(configuration, containerID: "c1", sandbox: first).checked()
    try network.plugin.add(configuration, containerID: "c2", sandbox: second).checked()
    #expect(try first.reaches("10.1.0.3"))

    func restarted(_ what: String, _ restart: () throws -> Void) throws {
      try restart()
      try eventually("forwarding goes on after \(what)") {
        try first.reaches("10.1.0.3", count: 1)
      }
    }
    try restarted("a restart of ovs-vswitchd") {
      ovs.stopSwitching()
      try ovs.startSwitching()
    }
    try restarted("a restart of ovsdb-server") {
      ovs.stopServer()
      try ovs.startServer()
    }
    try restarted("both") {
      ovs.stopServer()
      ovs.stopSwitching()
      try ovs.startServer()
      try ovs.startSwitching()
    }
    try restarted("both, killed") {
      ovs.switching?.signal(SIGKILL)
      ovs.server?.signal(SIGKILL)
      ovs.stopSwitching()
      ovs.stopServer()
      try ovs.startServer()
      try ovs.startSwitching()
    }
    try eventually("CHECK agrees") {
      try network.plugin.check(configuration, previous: one, containerID: "c1", sandbox: first)
        .status == 0
    }
    #expect(try ovs.ports(of: "br1").count == 2)
  }

  @Test("a port whose link is there stays while ovs-vswitchd restarts and knows of no link")
  func restarting() throws {
    let network = try Network()
    let ovs = network.host.openVSwitch
    let sandboxes = try (0..<3).map { _ in try Sandbox() }
    let configuration = network.addressed("10.1.0.0/24")
    let results = try (0..<2).map {
      try network.plugin.add(configuration, containerID: "c\($0)", sandbox: sandboxes[$0]).checked()
    }
    let names = results.map { $0["interfaces"][0]["name"].text ?? "" }
    ovs.stopSwitching()
    // What ovs-vswitchd says of a link that it does not find, of one that is there and one that is
    // not; and what it says of none before it has looked.
    try network.host.namespace.exec("ip", ["link", "delete", names[1]]).checked()
    for name in names {
      try ovs.vsctl("--no-wait", "set", "Interface", name, "ifindex=0", "error=\"no such device\"")
    }
    // ADD looks for stale ports first, and waits for ovs-vswitchd then.
    let isStarted = Mutex(false)
    Thread.detachNewThread {
      Thread.sleep(forTimeInterval: 0.5)
      try? ovs.startSwitching()
      isStarted.withLock { $0 = true }
    }
    let last = try network.plugin.add(
      configuration, containerID: "c2", sandbox: sandboxes[2]
    ).checked()
    try eventually("ovs-vswitchd is there") { isStarted.withLock { $0 } }
    let added = last["interfaces"][0]["name"].text ?? ""
    #expect(Set(try ovs.ports(of: "br1")) == [names[0], added], "the one without link is gone")
    #expect(try sandboxes[0].reaches(last.firstAddress))
    try network.plugin.check(
      configuration, previous: results[0], containerID: "c0", sandbox: sandboxes[0]
    ).checked()
  }
}
