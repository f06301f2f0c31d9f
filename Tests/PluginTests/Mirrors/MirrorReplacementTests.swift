import TestSupport
import Testing

extension Mirrored {
  /// What every mirror is, without what ovs-vswitchd writes.
  fileprivate func mirrors() throws -> [[String: Document]] {
    let columns = [
      "_uuid", "name", "select_src_port", "select_dst_port", "select_vlan", "output_port",
      "output_vlan",
    ]
    return try ovs.rows("Mirror").map { row in
      Dictionary(uniqueKeysWithValues: columns.map { ($0, row[$0]) })
    }.sorted { ($0["name"]?.text ?? "") < ($1["name"]?.text ?? "") }
  }

  fileprivate func mirror(_ name: String, _ column: String) throws -> Document {
    try ovs.row("Mirror", name)[column]
  }

  fileprivate func names() throws -> [String] { try mirrors().compactMap { $0["name"]?.text } }
}

@Suite("Mirror plugins replace what they had", .privateHost) struct MirrorReplacementTests {
  @Test("a producer is in the mirrors, and on the sides, that the last ADD names")
  func producer() throws {
    let mirrored = try Mirrored()
    let (watched, other) = (try mirrored.container("watched"), try mirrored.container("other"))
    let producer = mirrored.producer
    try mirrored.add(producer, [bothWays], watched).checked()
    try mirrored.add(producer, [oneMirror], watched).checked()
    try mirrored.check(producer, [oneMirror], watched).checked()
    #expect(try mirrored.mirror("m1", "select_dst_port") == [])

    let second: Document = ["name": "m2", "egress": true]
    try mirrored.add(producer, [second], watched).checked()
    try mirrored.check(producer, [second], watched).checked()
    #expect(try mirrored.names() == ["m2"], "a mirror without a port goes")

    try mirrored.add(producer, [bothWays, second], other).checked()
    try mirrored.add(producer, [oneMirror], watched).checked()
    #expect(try mirrored.mirror("m2", "select_dst_port") == (try mirrored.port(other)))
    try mirrored.check(producer, [bothWays, second], other).checked()
    try mirrored.del(producer, [], watched).checked()
    #expect(try mirrored.mirror("m1", "select_src_port") == (try mirrored.port(other)))
    try mirrored.del(producer, [], other).checked()
    #expect(try mirrored.names() == [])
  }

  @Test("a consumer is the output of the mirrors that the last ADD names, and producers stay")
  func consumer() throws {
    let mirrored = try Mirrored()
    let (watched, watcher) = (try mirrored.container("watched"), try mirrored.container("watcher"))
    try mirrored.add(mirrored.producer, [oneMirror], watched).checked()
    try mirrored.add(mirrored.consumer, [["name": "m1"], ["name": "m3"]], watcher).checked()
    try mirrored.add(mirrored.consumer, [["name": "m2"]], watcher).checked()
    #expect(try mirrored.names() == ["m1", "m2"])
    #expect(try mirrored.mirror("m1", "output_port") == [])
    #expect(try mirrored.mirror("m2", "output_port") == (try mirrored.port(watcher)))
    // The other role of one port is another plugin's.
    try mirrored.add(mirrored.producer, [["name": "m4", "egress": true]], watcher).checked()
    try mirrored.check(mirrored.consumer, [["name": "m2"]], watcher).checked()
  }

  @Test("a mirror of others that the last ADD does not name is not touched")
  func others() throws {
    let mirrored = try Mirrored()
    let watched = try mirrored.container("watched")
    try mirrored.ovs.vsctl(
      "--", "--id=@p", "get", "Port", watched.port, "--", "--id=@m", "create", "Mirror",
      "name=theirs", "select_src_port=@p", "--", "add", "Bridge", "br1", "mirrors", "@m")
    try mirrored.add(mirrored.producer, [bothWays], watched).checked()
    #expect(try mirrored.mirror("theirs", "select_src_port") == (try mirrored.port(watched)))
  }

  @Test("an ADD that is refused leaves what an earlier one made")
  func refused() throws {
    let mirrored = try Mirrored()
    let (watched, other) = (try mirrored.container("watched"), try mirrored.container("other"))
    try mirrored.add(mirrored.producer, [bothWays], watched).checked()
    try mirrored.add(mirrored.consumer, [["name": "m2"]], watched).checked()
    try mirrored.add(mirrored.consumer, [["name": "m3"]], other).checked()
    let before = try mirrored.mirrors()
    for (plugin, mirrors) in [
      (mirrored.producer, [oneMirror.with(["select_vlan": 3])]),
      (mirrored.producer, [["name": "m5", "egress": true], oneMirror.with(["select_vlan": 3])]),
      (mirrored.producer, [["name": "m2", "ingress": true, "output_vlan": 9]]),
      (mirrored.consumer, [["name": "m4"], ["name": "m3"]]),
    ] as [(Plugin, [Document])] {
      #expect(try mirrored.add(plugin, mirrors, watched).code == 999, "\(mirrors)")
      #expect(try mirrored.mirrors() == before, "\(mirrors)")
    }
    try mirrored.check(mirrored.producer, [bothWays], watched).checked()
    try mirrored.check(mirrored.consumer, [["name": "m2"]], watched).checked()
  }

  @Test("an ADD that ovs-vswitchd does not take over puts the mirrors back as they were")
  func late() throws {
    let mirrored = try Mirrored()
    let watched = try mirrored.container("watched")
    try mirrored.add(mirrored.producer, [bothWays, ["name": "m2", "egress": true]], watched)
      .checked()
    try mirrored.ovs.vsctl(
      "--", "--id=@m", "create", "Mirror", "name=m0", "--", "add", "Bridge", "br1", "mirrors", "@m")
    let before = try mirrored.mirrors()
    mirrored.ovs.switching?.suspend()
    for mirrors in [
      [["name": "m3", "ingress": true]], [oneMirror],
      [["name": "m0", "egress": true, "output_vlan": 8], oneMirror],
    ] as [[Document]] {
      let late = try mirrored.producer.add(
        mirrored.configuration(mirrors).with(["prevResult": watched.result, "timeout": 1]),
        containerID: watched.id, sandbox: watched.sandbox)
      #expect(late.code == 11, "\(late)")
      #expect(try mirrored.mirrors() == before, "\(mirrors)")
    }
    mirrored.ovs.switching?.resume()
  }

  @Test("the port is the attachment's own, whatever else prevResult names, in whichever order")
  func ownPort() throws {
    let mirrored = try Mirrored()
    let (watched, other) = (try mirrored.container("watched"), try mirrored.container("other"))
    let own = watched.result["interfaces"].array
    let bridge: Document = ["name": "br1"]
    for interfaces in [[bridge] + own, other.result["interfaces"].array + own, [bridge], []] {
      let configuration = mirrored.configuration([oneMirror]).with([
        "prevResult": watched.result.with(["interfaces": .array(interfaces), "ips": []])
      ])
      try mirrored.producer.add(configuration, containerID: "watched", sandbox: watched.sandbox)
        .checked()
      #expect(try mirrored.mirror("m1", "select_src_port") == (try mirrored.port(watched)))
      try mirrored.del(mirrored.producer, [oneMirror], watched).checked()
      #expect(try mirrored.names() == [])
    }
  }

  @Test("the bridge's own port is no attachment's")
  func bridgePort() throws {
    let mirrored = try Mirrored()
    let sandbox = try Sandbox()
    let bridge: Document = ["name": "br1"]
    func add(_ interfaces: [Document]) throws -> PluginResult {
      try mirrored.producer.add(
        mirrored.configuration([oneMirror]).with(["prevResult": ["interfaces": .array(interfaces)]]
        ), containerID: "c1", sandbox: sandbox)
    }
    let refused = try add([bridge])
    #expect(refused.code == 999)
    try Messages.expect(
      refused.message, of: "ovs-mirror-producer", on: "ADD, the bridge's own port alone")
    #expect(try mirrored.names() == [])
    try mirrored.network.host.namespace.exec("ip", ["link", "add", "x0", "type", "veth"]).checked()
    try mirrored.ovs.vsctl("add-port", "br1", "x0")
    try add([bridge, ["name": "x0"]]).checked()
    #expect(
      try mirrored.mirror("m1", "select_src_port")
        == (try mirrored.ovs.row("Port", "x0")["_uuid"]))
  }
}
