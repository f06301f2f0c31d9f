import TestSupport
import Testing

/// Containers on one bridge, each with its VLANs.
private struct Switched {
  let network: Network
  /// By container ID.
  private(set) var sandboxes: [String: Sandbox] = [:]
  private(set) var addresses: [String: String] = [:]

  init(_ ports: [(name: String, members: [String: Document])]) throws {
    network = try Network()
    for (name, members) in ports {
      let sandbox = try Sandbox()
      let result = try network.plugin.add(
        network.addressed("10.1.0.0/24", members: members), containerID: name, sandbox: sandbox
      ).checked()
      sandboxes[name] = sandbox
      addresses[name] = result.firstAddress
    }
  }

  func sandbox(_ name: String) throws -> Sandbox { try #require(sandboxes[name]) }
  func reaches(_ from: String, _ to: String) throws -> Bool {
    try sandbox(from).reaches(try #require(addresses[to]), count: 1)
  }
}

@Suite("VLANs of ovs-bridge, on the wire", .privateHost) struct VLANTests {
  @Test("access ports of one VLAN reach each other, those of two do not")
  func access() throws {
    let switched = try Switched([
      ("a10", ["vlan": 10]), ("b10", ["vlan": 10]), ("c20", ["vlan": 20]), ("d20", ["vlan": 20]),
      ("e", [:]), ("f0", ["vlan": 0]),
    ])
    // Who does not reach one reaches another, so that it is the VLAN that keeps them apart.
    for (one, other) in [("a10", "b10"), ("c20", "d20"), ("e", "f0")] {
      #expect(try switched.reaches(one, other), "\(one) \(other)")
    }
    // A trunk port's untagged frames are of VLAN 0.
    for (one, other) in [("a10", "c20"), ("c20", "b10"), ("e", "a10"), ("a10", "f0")] {
      #expect(try !switched.reaches(one, other), "\(one) \(other)")
    }
  }

  @Test("frames of a VLAN have no tag on its access ports")
  func untagged() throws {
    let switched = try Switched([("a", ["vlan": 10]), ("b", ["vlan": 10])])
    let capture = try Capture(in: switched.sandbox("b"), "arp or vlan")
    #expect(try switched.reaches("a", "b"))
    try capture.waitForFrame("ethertype ARP", "Request who-has")
    #expect(capture.frames.filter { $0.contains("802.1Q") } == [])
  }

  @Test("a trunk port gets tagged frames of its VLANs only")
  func trunk() throws {
    let switched = try Switched([
      ("t", ["trunk": [["id": 10], ["minID": 20, "maxID": 21]]]), ("a10", ["vlan": 10]),
      ("a21", ["vlan": 21]), ("a30", ["vlan": 30]),
    ])
    let capture = try Capture(ofSentFramesIn: switched.sandbox("t"))
    // Those that must not arrive go first.
    for name in ["a30", "a10", "a21"] { try switched.sandbox(name).sendFrame() }
    try capture.waitForFrame("802.1Q", "vlan 21,", "0x88b5")
    try capture.waitForFrame("802.1Q", "vlan 10,", "0x88b5")
    #expect(capture.frames.count == 2, "\(capture.frames)")
  }

  @Test("what a trunk port sends reaches the VLAN of its tag, and no port where it lacks that VLAN")
  func fromTrunk() throws {
    let switched = try Switched([
      ("t", ["trunk": [["id": 10]]]), ("a10", ["vlan": 10]), ("a30", ["vlan": 30]),
      ("b30", ["vlan": 30]),
    ])
    let (ten, thirty) = (
      try Capture(ofSentFramesIn: switched.sandbox("a10")),
      try Capture(ofSentFramesIn: switched.sandbox("a30"))
    )
    try switched.sandbox("t").sendFrame(tags: [30])
    try switched.sandbox("t").sendFrame()
    try switched.sandbox("t").sendFrame(tags: [10])
    try switched.sandbox("b30").sendFrame()
    try ten.waitForFrame("0x88b5")
    try thirty.waitForFrame("0x88b5")
    #expect(ten.frames.count == 1)
    #expect(ten.frames.filter { $0.contains("802.1Q") } == [])
    #expect(thirty.frames.count == 1, "that of b30, which was sent last")
  }

  @Test("the native VLAN has no tag on a native-untagged port, and one on a native-tagged port")
  func native() throws {
    let trunk: Document = [["id": 8]]
    let switched = try Switched([
      ("untagged", ["vlan": 7, "trunk": trunk]),
      ("tagged", ["vlan": 7, "trunk": trunk, "vlanMode": "native-tagged"]),
      ("a7", ["vlan": 7]), ("a8", ["vlan": 8]),
    ])
    let untagged = try Capture(ofSentFramesIn: switched.sandbox("untagged"))
    let tagged = try Capture(ofSentFramesIn: switched.sandbox("tagged"))
    try switched.sandbox("a7").sendFrame()
    try untagged.waitForFrame("ethertype Unknown (0x88b5)")
    try tagged.waitForFrame("802.1Q (0x8100)", "vlan 7,")
    #expect(untagged.frames.filter { $0.contains("802.1Q") } == [])
    try switched.sandbox("a8").sendFrame()
    try untagged.waitForFrame("802.1Q (0x8100)", "vlan 8,")
    try tagged.waitForFrame("802.1Q (0x8100)", "vlan 8,")

    // Untagged frames of either belong to the native VLAN.
    #expect(try switched.reaches("untagged", "a7"))
    let seen = try Capture(ofSentFramesIn: switched.sandbox("a7"))
    try switched.sandbox("tagged").sendFrame()
    try seen.waitForFrame("0x88b5")
    #expect(seen.frames.filter { $0.contains("802.1Q") } == [])
  }

  @Test("a tunnel carries customer tags through its VLAN, with an outer tag of IEEE 802.1ad")
  func tunnel() throws {
    func tunnel(_ trunk: Document) -> [String: Document] {
      ["vlan": 100, "vlanMode": "dot1q-tunnel", "trunk": trunk]
    }
    let switched = try Switched([
      ("a", tunnel(.absent)), ("b", tunnel(.absent)), ("six", tunnel([["id": 6]])), ("wire", [:]),
    ])
    let captures = try ["b", "six", "wire"].map {
      try Capture(ofSentFramesIn: switched.sandbox($0))
    }
    try switched.sandbox("a").sendFrame(tags: [5])
    try captures[2].waitForFrame("802.1Q-QinQ (0x88a8)", "vlan 100,", "vlan 5,")
    try captures[0].waitForFrame("802.1Q (0x8100)", "vlan 5,")
    try switched.sandbox("a").sendFrame(tags: [6])
    try captures[1].waitForFrame("802.1Q (0x8100)", "vlan 6,")
    #expect(captures[1].frames.count == 1, "cvlans are those of trunk")
    try switched.sandbox("a").sendFrame()
    try captures[0].waitForFrame("ethertype Unknown (0x88b5)")
    try captures[2].waitForFrame("802.1Q-QinQ (0x88a8)", "vlan 100,", "0x88b5")
  }

  @Test("CHECK reports a VLAN mode, tag, trunk or customer VLANs that were changed")
  func changed() throws {
    let network = try Network()
    for (members, change) in [
      (["vlan": 10], "vlan_mode=trunk"), (["vlan": 10], "tag=11"),
      (["trunk": [["id": 4]]], "trunks=4,5"),
      (["vlan": 3, "trunk": [["id": 4]], "vlanMode": "dot1q-tunnel"], "cvlans=[]"),
    ] as [([String: Document], String)] {
      let sandbox = try Sandbox()
      let configuration = network.configuration(members)
      let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
        .checked()
      try network.plugin.check(configuration, previous: result, containerID: "c1", sandbox: sandbox)
        .checked()
      try network.host.openVSwitch.vsctl(
        "set", "Port", result["interfaces"][0]["name"].text ?? "", change)
      let refused = try network.plugin.check(
        configuration, previous: result, containerID: "c1", sandbox: sandbox)
      try Messages.expect(
        refused, code: 999, of: "ovs-bridge",
        on: "CHECK, \(Document.object(members)) and then \(change)")
      try network.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
    }
  }
}
