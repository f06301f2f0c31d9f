import TestSupport
import Testing

/// Containers on one bridge, and the plugins that make them part of mirrors.
struct Mirrored {
  let network: Network
  let producer: Plugin
  let consumer: Plugin

  init() throws {
    network = try Network()
    producer = network.host.plugin("ovs-mirror-producer")
    consumer = network.host.plugin("ovs-mirror-consumer")
  }

  var ovs: OpenVSwitch { network.host.openVSwitch }

  func configuration(
    _ mirrors: [Document], type: String = "ovs-mirror-producer", members: [String: Document] = [:]
  ) -> Document {
    network.configuration(["type": .string(type), "mirrors": .array(mirrors)]).with(members)
  }

  /// A container on the bridge.
  struct Container {
    let id: String
    let sandbox: Sandbox
    let result: Document
    var port: String { result["interfaces"][0]["name"].text ?? "" }
    var address: String { result.firstAddress }
  }
  func container(_ id: String, _ members: [String: Document] = [:]) throws -> Container {
    let sandbox = try Sandbox()
    let result = try network.plugin.add(
      network.addressed("10.1.0.0/24", members: members), containerID: id, sandbox: sandbox
    ).checked()
    return Container(id: id, sandbox: sandbox, result: result)
  }
  func add(_ plugin: Plugin, _ mirrors: [Document], _ container: Container) throws -> PluginResult {
    try plugin.add(
      configuration(mirrors).with(["prevResult": container.result]), containerID: container.id,
      sandbox: container.sandbox)
  }
  func check(_ plugin: Plugin, _ mirrors: [Document], _ container: Container) throws
    -> PluginResult
  {
    try plugin.check(
      configuration(mirrors), previous: container.result, containerID: container.id,
      sandbox: container.sandbox)
  }
  func del(_ plugin: Plugin, _ mirrors: [Document], _ container: Container) throws -> PluginResult {
    try plugin.del(
      configuration(mirrors), containerID: container.id, sandbox: container.sandbox)
  }
  func port(_ container: Container) throws -> Document {
    try ovs.row("Port", container.port)["_uuid"]
  }
}

let oneMirror: Document = ["name": "m1", "ingress": true]
let bothWays: Document = ["name": "m1", "ingress": true, "egress": true]

@Suite("Mirror plugins, by what they mirror", .privateHost) struct MirrorTrafficTests {
  @Test("the consumer sees the producer's packets, and only these")
  func traffic() throws {
    let mirrored = try Mirrored()
    let (watched, peer) = (try mirrored.container("watched"), try mirrored.container("peer"))
    let (third, watcher) = (try mirrored.container("third"), try mirrored.container("watcher"))
    #expect(try watched.sandbox.reaches(peer.address, count: 1))
    #expect(try third.sandbox.reaches(peer.address, count: 1))
    try mirrored.add(mirrored.producer, [oneMirror], watched).checked()
    try mirrored.add(mirrored.consumer, [oneMirror], watcher).checked()

    let capture = try Capture(in: watcher.sandbox, "icmp")
    // The flow that the datapath has already is brought up to date in a moment.
    try eventually("the mirror mirrors") {
      _ = try watched.sandbox.reaches(peer.address, count: 1)
      return !capture.frames.isEmpty
    }
    let before = capture.frames.count
    #expect(try third.sandbox.reaches(peer.address, count: 3))
    #expect(try watched.sandbox.reaches(peer.address, count: 2))
    try eventually("two more packets are seen") { capture.frames.count >= before + 2 }
    #expect(capture.frames.count == before + 2)
    let requests = "\(watched.address) > \(peer.address): ICMP echo request"
    #expect(capture.frames.filter { !$0.contains(requests) } == [], "replies are egress")
  }

  @Test("egress mirrors what goes to the container; both mirror either")
  func egress() throws {
    let mirrored = try Mirrored()
    let (watched, peer) = (try mirrored.container("watched"), try mirrored.container("peer"))
    let watcher = try mirrored.container("watcher")
    let egress: Document = ["name": "m1", "egress": true]
    try mirrored.add(mirrored.consumer, [oneMirror], watcher).checked()
    try mirrored.add(mirrored.producer, [egress], watched).checked()
    let capture = try Capture(in: watcher.sandbox, "icmp")
    #expect(try watched.sandbox.reaches(peer.address, count: 2))
    try capture.waitForFrame("\(peer.address) > \(watched.address): ICMP echo reply", "seq 2")
    #expect(capture.frames.filter { $0.contains("echo request") } == [])

    try mirrored.add(mirrored.producer, [bothWays], watched).checked()
    try eventually("requests are mirrored, too") {
      _ = try watched.sandbox.reaches(peer.address, count: 1)
      return capture.frames.contains { $0.contains("echo request") }
    }
  }

  @Test("select_vlan mirrors packets of these VLANs only")
  func selectedVLAN() throws {
    let mirrored = try Mirrored()
    let trunk: [String: Document] = ["trunk": [["id": 10], ["id": 20]]]
    let watched = try mirrored.container("watched", trunk)
    let watcher = try mirrored.container("watcher")
    let mirrors: [Document] = [["name": "m1", "ingress": true, "select_vlan": [20]]]
    try mirrored.add(mirrored.producer, mirrors, watched).checked()
    try mirrored.add(mirrored.consumer, mirrors, watcher).checked()
    let capture = try Capture(ofSentFramesIn: watcher.sandbox)
    try watched.sandbox.sendFrame(tags: [10])
    try watched.sandbox.sendFrame(tags: [20])
    try capture.waitForFrame("vlan 20,", "0x88b5")
    #expect(capture.frames.count == 1)
  }

  @Test("output_vlan sends the copies to a VLAN, to every port that has it")
  func outputVLAN() throws {
    let mirrored = try Mirrored()
    let (watched, peer) = (try mirrored.container("watched"), try mirrored.container("peer"))
    let access = try mirrored.container("access", ["vlan": 300])
    let trunk = try mirrored.container("trunk")
    let mirrors: [Document] = [["name": "m1", "ingress": true, "output_vlan": 300]]
    try mirrored.add(mirrored.producer, mirrors, watched).checked()
    let captures = (
      try Capture(in: access.sandbox, "icmp or vlan"), try Capture(in: trunk.sandbox, "vlan 300")
    )
    #expect(try watched.sandbox.reaches(peer.address, count: 1))
    try captures.0.waitForFrame("\(watched.address) > \(peer.address): ICMP echo request")
    try captures.1.waitForFrame("802.1Q", "vlan 300,", "ICMP echo request")
    try mirrored.check(mirrored.producer, mirrors, watched).checked()
    try mirrored.ovs.vsctl("set", "Mirror", "m1", "output_vlan=301")
    let refused = try mirrored.check(mirrored.producer, mirrors, watched)
    try Messages.expect(
      refused.message, of: "ovs-mirror-producer", on: "CHECK, another output_vlan")
    try mirrored.del(mirrored.producer, mirrors, watched).checked()
    #expect(try mirrored.ovs.rows("Mirror") == [])
  }
}

@Suite("Mirror plugins refuse", .privateHost) struct MirrorRefusalTests {
  @Test("an ADD without prevResult, with a port that is nowhere, or a bridge that is not there")
  func requests() throws {
    let mirrored = try Mirrored()
    let watched = try mirrored.container("watched")
    let without = try mirrored.producer.add(
      mirrored.configuration([oneMirror]), containerID: "watched", sandbox: watched.sandbox)
    try Messages.expect(
      without, code: 7, of: "ovs-mirror-producer", on: "ADD, prevResult is missing")
    let nowhere = try mirrored.producer.add(
      mirrored.configuration([oneMirror]).with(["prevResult": ["interfaces": [["name": "x"]]]]),
      containerID: "c9", sandbox: watched.sandbox)
    try Messages.expect(
      nowhere, code: 999, of: "ovs-mirror-producer", on: "ADD, prevResult has no port of the bridge"
    )
    let bridge = try mirrored.consumer.add(
      mirrored.configuration([oneMirror]).with(["prevResult": watched.result, "bridge": "br9"]),
      containerID: "watched", sandbox: watched.sandbox)
    try Messages.expect(
      bridge, code: 7, of: "ovs-mirror-consumer", on: "ADD, a bridge that is not there")
    #expect(try mirrored.ovs.rows("Mirror") == [])
  }

  @Test("outputs and VLANs that a mirror in use does not have")
  func conflicts() throws {
    let mirrored = try Mirrored()
    let (first, second) = (try mirrored.container("c1"), try mirrored.container("c2"))
    func producer(_ members: [String: Document]) -> [Document] { [oneMirror.with(members)] }
    try mirrored.add(
      mirrored.producer, producer(["select_vlan": [1], "output_vlan": 9]), first
    ).checked()
    for (plugin, name, members) in [
      (mirrored.producer, "ovs-mirror-producer", ["select_vlan": [2]]),
      (mirrored.producer, "ovs-mirror-producer", ["select_vlan": []]),
      (mirrored.producer, "ovs-mirror-producer", ["output_vlan": 8]),
      (mirrored.consumer, "ovs-mirror-consumer", [:]),
    ] as [(Plugin, String, [String: Document])] {
      let refused = try mirrored.add(plugin, producer(members), second)
      #expect(refused.code == 999)
      try Messages.expect(
        refused.message, of: name,
        on: "ADD, a mirror of VLAN 1 to VLAN 9 that is there, \(Document.object(members))")
    }
    try mirrored.add(mirrored.consumer, [["name": "m2"]], second).checked()
    let refused = try mirrored.add(
      mirrored.producer, [["name": "m2", "ingress": true, "output_vlan": 9]], first)
    try Messages.expect(
      refused.message, of: "ovs-mirror-producer",
      on: "ADD, output_vlan of a mirror that has a consumer")
  }
}
