import TestSupport
import Testing

@Suite("Mirror plugins, by what they write", .privateHost) struct MirrorRowsTests {
  @Test("a mirror is made by the first that comes, and goes with the last that leaves")
  func life() throws {
    let mirrored = try Mirrored()
    let (watched, watcher) = (try mirrored.container("watched"), try mirrored.container("watcher"))
    let before = try mirrored.network.host.snapshot()
    try mirrored.add(mirrored.producer, [bothWays], watched).checked()
    let made = try mirrored.ovs.row("Mirror", "m1")
    #expect(made["external_ids"] == ["owner": "patchbay", "network": "net1"])
    #expect(made["select_src_port"] == (try mirrored.port(watched)))
    #expect(made["select_dst_port"] == (try mirrored.port(watched)))
    #expect(made["output_port"] == [])
    try mirrored.add(mirrored.consumer, [bothWays], watcher).checked()
    #expect(try mirrored.ovs.rows("Mirror").count == 1)
    #expect(try mirrored.ovs.row("Mirror", "m1")["output_port"] == (try mirrored.port(watcher)))
    try mirrored.check(mirrored.producer, [bothWays], watched).checked()
    try mirrored.check(mirrored.consumer, [bothWays], watcher).checked()

    try mirrored.del(mirrored.producer, [bothWays], watched).checked()
    #expect(try mirrored.ovs.row("Mirror", "m1")["select_src_port"] == [])
    for _ in 0..<2 { try mirrored.del(mirrored.consumer, [bothWays], watcher).checked() }
    #expect(try mirrored.network.host.snapshot().difference(from: before) == "")
  }

  @Test("the result is handed on whole, unknown members included")
  func result() throws {
    let mirrored = try Mirrored()
    let watched = try mirrored.container("watched")
    let previous = watched.result.with([
      "routes": [["dst": "0.0.0.0/0", "gw": "10.1.0.1", "mtu": 1400]],
      "dns": ["nameservers": ["10.0.0.53"]], "example.org/x": [1, 2],
    ])
    let result = try mirrored.producer.add(
      mirrored.configuration([oneMirror]).with(["prevResult": previous]), containerID: "watched",
      sandbox: watched.sandbox)
    #expect(try result.checked() == previous)
    let consumed = try mirrored.consumer.add(
      mirrored.configuration([["name": "m2"]]).with(["prevResult": previous]),
      containerID: "watched", sandbox: watched.sandbox)
    #expect(try consumed.checked() == previous)
  }

  @Test("several mirrors are joined at once, or none of them")
  func several() throws {
    let mirrored = try Mirrored()
    let (first, second) = (try mirrored.container("c1"), try mirrored.container("c2"))
    try mirrored.add(mirrored.consumer, [["name": "b"]], first).checked()
    let refused = try mirrored.add(mirrored.consumer, [["name": "a"], ["name": "b"]], second)
    try Messages.expect(
      refused, code: 999, of: "ovs-mirror-consumer", on: "ADD, a mirror that has a consumer already"
    )
    #expect(try mirrored.ovs.rows("Mirror").map { $0["name"] } == ["b"])
    try mirrored.add(mirrored.consumer, [["name": "a"], ["name": "c"]], second).checked()
    #expect(try mirrored.ovs.rows("Mirror").count == 3)
    try mirrored.del(mirrored.consumer, [["name": "a"], ["name": "c"]], second).checked()
    #expect(try mirrored.ovs.rows("Mirror").map { $0["name"] } == ["b"])
  }

  @Test("a mirror of that name on another bridge is not meant")
  func otherBridge() throws {
    let mirrored = try Mirrored()
    try mirrored.ovs.addBridge("br2")
    try mirrored.ovs.vsctl(
      "--", "--id=@m", "create", "Mirror", "name=m1", "external_ids:owner=patchbay", "--", "add",
      "Bridge", "br2", "mirrors", "@m")
    let watched = try mirrored.container("watched")
    try mirrored.add(mirrored.producer, [oneMirror], watched).checked()
    #expect(try mirrored.ovs.rows("Mirror").count == 2)
    try mirrored.del(mirrored.producer, [oneMirror], watched).checked()
    let left = try mirrored.ovs.rows("Mirror")
    #expect(left.count == 1)
    #expect(try mirrored.ovs.row("Bridge", "br2")["mirrors"] == left[0]["_uuid"])
  }

  @Test("a mirror of others is used, and stays")
  func others() throws {
    let mirrored = try Mirrored()
    try mirrored.ovs.vsctl(
      "--", "--id=@m", "create", "Mirror", "name=m1", "--", "add", "Bridge", "br1", "mirrors", "@m")
    let watched = try mirrored.container("watched")
    try mirrored.add(mirrored.producer, [oneMirror], watched).checked()
    #expect(
      try mirrored.ovs.row("Mirror", "m1")["select_src_port"] == (try mirrored.port(watched)))
    try mirrored.del(mirrored.producer, [oneMirror], watched).checked()
    #expect(try mirrored.ovs.row("Mirror", "m1")["select_src_port"] == [])
    try mirrored.producer.gc(mirrored.configuration([oneMirror]), valid: []).checked()
    #expect(try mirrored.ovs.rows("Mirror").count == 1)
  }

  @Test("DEL succeeds when the port, the mirror, the sandbox or the bridge is gone")
  func gone() throws {
    for gone in ["port", "mirror", "sandbox", "bridge"] {
      let mirrored = try Mirrored()
      let watched = try mirrored.container("watched")
      try mirrored.add(mirrored.producer, [oneMirror], watched).checked()
      switch gone {
      case "port": try mirrored.ovs.vsctl("del-port", watched.port)
      case "mirror": try mirrored.ovs.vsctl("clear", "Bridge", "br1", "mirrors")
      case "bridge": try mirrored.ovs.vsctl("del-br", "br1")
      default: watched.sandbox.delete()
      }
      let result = try mirrored.producer.del(
        mirrored.configuration([oneMirror]), containerID: "watched", sandbox: nil)
      #expect(result.status == 0, "\(gone): \(result)")
      #expect(result.output.bytes == [], "DEL prints nothing")
      #expect(try mirrored.ovs.rows("Mirror") == [], "\(gone)")
    }
  }

  @Test("DEL without ovsdb-server keeps no chain from the plugins that come after it")
  func serverStopped() throws {
    let mirrored = try Mirrored()
    let watched = try mirrored.container("watched")
    try mirrored.add(mirrored.producer, [oneMirror], watched).checked()
    mirrored.ovs.stopServer()
    let result = try mirrored.del(mirrored.producer, [oneMirror], watched)
    #expect(result.status == 0, "\(result)")
    try mirrored.ovs.startServer()
    try mirrored.ovs.vsctl("del-port", watched.port)
    // What is left is empty, and goes on the way.
    let other = try mirrored.container("other")
    try mirrored.add(mirrored.producer, [["name": "m2", "ingress": true]], other).checked()
    #expect(try mirrored.ovs.rows("Mirror").map { $0["name"] } == ["m2"])
  }

  @Test("DEL takes no mistake in the configuration for a reason to keep anything")
  func mistakes() throws {
    let mirrored = try Mirrored()
    let watched = try mirrored.container("watched")
    for mirror in [["name": "m1"], ["name": "m1", "ingress": "both"]] as [Document] {
      try mirrored.add(mirrored.producer, [oneMirror], watched).checked()
      #expect(try mirrored.add(mirrored.producer, [mirror], watched).code == 7)
      try mirrored.del(mirrored.producer, [mirror], watched).checked()
      #expect(try mirrored.ovs.rows("Mirror") == [])
    }
    // There is nothing that it could do without a bridge.
    let lost = mirrored.configuration([], members: ["bridge": .absent])
    try mirrored.producer.del(lost, containerID: "watched", sandbox: nil).checked()
  }

  @Test("the port may be one that is not ours: prevResult names it")
  func foreignPort() throws {
    let mirrored = try Mirrored()
    let sandbox = try Sandbox()
    try mirrored.network.host.namespace.exec("ip", ["link", "add", "x0", "type", "veth"]).checked()
    try mirrored.ovs.vsctl("add-port", "br1", "x0")
    let previous: Document = [
      "cniVersion": "1.1.0",
      "interfaces": [["name": "nowhere"], ["name": "x0"], ["name": "br1"]],
    ]
    let configuration = mirrored.configuration([oneMirror]).with(["prevResult": previous])
    try mirrored.producer.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    #expect(
      try mirrored.ovs.row("Mirror", "m1")["select_src_port"]
        == (try mirrored.ovs.row("Port", "x0")["_uuid"]))
    try mirrored.producer.del(configuration, containerID: "c1", sandbox: sandbox).checked()
    #expect(try mirrored.ovs.rows("Mirror") == [])
  }

  @Test("CHECK reports what was changed")
  func changed() throws {
    let mirrored = try Mirrored()
    let (watched, watcher) = (try mirrored.container("watched"), try mirrored.container("watcher"))
    let mirrors: [Document] = [["name": "m1", "ingress": true, "select_vlan": [5, 6]]]
    try mirrored.add(mirrored.producer, mirrors, watched).checked()
    try mirrored.add(mirrored.consumer, mirrors, watcher).checked()
    func isTold(_ plugin: Plugin, _ container: Mirrored.Container, _ occasion: String) throws {
      try Messages.expect(
        mirrored.check(plugin, mirrors, container), code: 999, of: plugin.name,
        on: "CHECK, \(occasion)")
    }
    try mirrored.ovs.vsctl("set", "Mirror", "m1", "select_vlan=5")
    try isTold(mirrored.producer, watched, "another select_vlan")
    try mirrored.ovs.vsctl("clear", "Mirror", "m1", "output_port")
    try isTold(mirrored.consumer, watcher, "no output_port")
    try mirrored.ovs.vsctl(
      "--", "--id=@p", "get", "Port", watched.port, "--", "set", "Mirror", "m1",
      "select_src_port=[]", "select_dst_port=@p")
    try isTold(mirrored.producer, watched, "the port is in select_dst_port, not in select_src_port")
    try mirrored.ovs.vsctl("clear", "Bridge", "br1", "mirrors")
    try isTold(mirrored.producer, watched, "the mirror is gone")
    try mirrored.ovs.vsctl("del-port", watched.port)
    try isTold(mirrored.producer, watched, "the port is gone")
  }

  @Test("GC removes the mirrors of this network that have no port of a valid attachment")
  func collected() throws {
    let mirrored = try Mirrored()
    let (first, second) = (try mirrored.container("c1"), try mirrored.container("c2"))
    try mirrored.add(mirrored.producer, [["name": "a", "ingress": true]], first).checked()
    try mirrored.add(mirrored.producer, [["name": "b", "ingress": true]], second).checked()
    try mirrored.ovs.vsctl(
      "--", "--id=@m", "create", "Mirror", "name=other", "external_ids:owner=patchbay",
      "external_ids:network=net2", "--", "add", "Bridge", "br1", "mirrors", "@m")
    let configuration = mirrored.configuration([oneMirror])
    try mirrored.producer.gc(configuration, valid: nil).checked()
    #expect(try mirrored.ovs.rows("Mirror").count == 3)
    try mirrored.consumer.gc(configuration, valid: [("c2", "eth0")]).checked()
    #expect(
      Set(try mirrored.ovs.rows("Mirror").compactMap { $0["name"].text }) == ["b", "other"])
    try mirrored.ovs.vsctl("del-port", second.port)
    try mirrored.producer.gc(configuration, valid: [("c2", "eth0")]).checked()
    #expect(try mirrored.ovs.rows("Mirror").map { $0["name"] } == ["other"])
  }

  @Test("many at once make one mirror, and leave none")
  func atOnce() async throws {
    let mirrored = try Mirrored()
    let containers = try (0..<6).map { try mirrored.container("c\($0)") }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for container in containers {
        group.addTask { try mirrored.add(mirrored.producer, [oneMirror], container).checked() }
      }
      try await group.waitForAll()
    }
    let rows = try mirrored.ovs.rows("Mirror")
    #expect(rows.count == 1)
    #expect(rows[0]["select_src_port"].array.count == containers.count)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for container in containers {
        group.addTask { try mirrored.del(mirrored.producer, [oneMirror], container).checked() }
      }
      try await group.waitForAll()
    }
    #expect(try mirrored.ovs.rows("Mirror") == [])
  }

  @Test("STATUS is honest")
  func status() throws {
    let mirrored = try Mirrored()
    let configuration = mirrored.configuration([oneMirror])
    try mirrored.producer.status(configuration).checked()
    mirrored.ovs.switching?.suspend()
    let hung = try mirrored.producer.status(configuration.with(["timeout": 1]))
    try Messages.expect(
      hung, code: 50, of: "ovs-mirror-producer", on: "STATUS, ovs-vswitchd is stopped")
    mirrored.ovs.switching?.resume()
    mirrored.ovs.stopSwitching()
    let idle = try mirrored.consumer.status(configuration)
    try Messages.expect(
      idle, code: 50, of: "ovs-mirror-consumer", on: "STATUS, ovs-vswitchd has ended")
    mirrored.ovs.stopServer()
    let gone = try mirrored.producer.status(configuration)
    try Messages.expect(
      gone, code: 50, of: "ovs-mirror-producer", on: "STATUS, ovsdb-server has ended")
    try mirrored.ovs.startServer()
  }
}
