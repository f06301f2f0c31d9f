import TestSupport
import Testing

/// A network whose first container is guarded, and a second one that hears what it sends.
struct Guarded {
  let host: TestHost
  let plugin: Plugin
  let container: Sandbox
  let receiver: Sandbox

  init() throws {
    host = try TestHost()
    plugin = host.plugin("ovs-bridge")
    try host.openVSwitch.addBridge("br1")
    container = try Sandbox()
    receiver = try Sandbox()
  }

  /// The container of the table, guarded as there.
  func configuration(_ members: [String: Document] = [:]) -> Document {
    let allowed: Document = [
      ["ips": ["192.0.2.128/25", "fd00:7::/120"]],
      ["mac": .string(Container.virtual), "ips": ["10.1.0.100", "10.9.0.0/16", "fd00:9::/40"]],
    ]
    return Document.object([
      "cniVersion": "1.1.0", "name": "net1", "type": "ovs-bridge", "bridge": "br1",
      "socket_file": .string(host.openVSwitch.endpoint), "mac": .string(Container.mac),
      "guard": ["allowed": allowed],
      "ipam": [
        "type": "static",
        "addresses": [["address": "10.1.0.2/24"], ["address": "fd00::2/64"]],
      ],
    ]).with(members)
  }

  /// Of the receiver, which is not guarded.
  func other(_ members: [String: Document] = [:]) -> Document {
    configuration([
      "guard": .absent, "mac": "02:00:00:00:00:99",
      "ipam": [
        "type": "static", "addresses": [["address": "10.1.0.9/24"], ["address": "fd00::9/64"]],
      ],
    ]).with(members)
  }

  @discardableResult
  func attach(_ members: [String: Document] = [:], both: [String: Document] = [:]) throws
    -> Document
  {
    try plugin.add(other(both), containerID: "c2", sandbox: receiver).checked()
    return try plugin.add(
      configuration(members).with(both), containerID: "c1", sandbox: container
    ).checked()
  }

  func check(_ result: Document, _ members: [String: Document] = [:]) throws -> PluginResult {
    try plugin.check(
      configuration(members), previous: result, containerID: "c1", sandbox: container)
  }

  /// What the receiver gets is what the cases say.
  func expect(
    _ cases: [Case], last: Case = Case.arp[0], through interface: String = "eth0",
    _ isForwarded: (Case) -> Bool = { _ in true }
  ) throws {
    let received = try exchange(
      cases.map { $0.bytes }, last: last.bytes, from: container, through: interface, to: receiver)
    for (number, item) in cases.enumerated() {
      let isExpected = item.passes && item.isForwarded && isForwarded(item)
      #expect(received.contains(number) == isExpected, "\(item)")
    }
  }

  func show(_ arguments: String...) throws -> Output {
    try host.namespace.exec(
      host.plugin("patchbay").path, ["show", "--db", host.openVSwitch.endpoint] + arguments
    ).checked()
  }

  /// The port of the first container, as the tool shows it.
  func shown() throws -> Document {
    let ports = try Document(parsing: show("--json").bytes)["bridges"][0]["ports"].array
    return ports.first { $0["attachment"]["containerID"] == "c1" } ?? .absent
  }

  func reaches(_ address: String, from source: String? = nil) throws -> Bool {
    let binding = source.map { ["-I", $0] } ?? []
    return try container.exec(
      "ping", ["-n", "-c", "1", "-W", "3"] + binding + [address]
    ).status == 0
  }
}

extension Case {
  /// The number of the VLAN; 0 without tag.
  var vlan: Int { bytes[12] == 0x81 ? Int(bytes[15]) : 0 }
  /// An ARP request of its own, with this tag.
  static func last(_ tag: UInt16) -> Case {
    let payload = Frame.arp(Container.mac, Container.ipv4, asks: "10.1.0.9")
    return Case(true, "last", Frame(Container.mac, tags: [tag], type: 0x0806, payload))
  }
}
