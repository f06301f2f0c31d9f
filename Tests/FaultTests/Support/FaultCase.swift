import Foundation
import TestSupport
import Testing

/// What an attachment that is interrupted was to have.
enum Features: String, CaseIterable {
  /// VLAN, gateway on a port of that VLAN, masquerade, addresses and routes of both families,
  /// isolation, MTU.
  case full
  /// The same without VLAN, where the gateway is the bridge's own port, on a host whose own
  /// firewall drops what it forwards.
  case untagged
  /// Without gateway, with rates in both directions.
  case rates
  /// Without gateway, guarded.
  case guarded

  var members: [String: Document] {
    let gateway: [String: Document] = [
      "isGateway": true, "isDefaultGateway": true, "ipMasq": true,
    ]
    return switch self {
    case .full: gateway
    case .untagged: gateway.merging(["vlan": .absent]) { $1 }
    case .guarded: ["guard": true]
    case .rates:
      [
        "bandwidth": [
          "ingressRate": 10_000_000, "ingressBurst": 100_000, "egressRate": 10_000_000,
          "egressBurst": 100_000,
        ]
      ]
    }
  }

  /// The calls of a sweep from one to the next: each, but in `make test` one of five of what
  /// differs little from the full configuration, and fewer where the machine is slow.
  var stride: Int { slowness * (isSoak || self == .full ? 1 : 5) }
}

/// A host on which attachments of one configuration come and go.
struct FaultCase {
  let faults: FaultHost
  let configuration: Document
  let sandbox: Sandbox
  private let before: Traces

  init(_ features: Features) throws {
    try self.init(features.members, hasFirewall: features == .untagged)
  }

  /// With these members besides those of the usual configuration.
  init(_ members: [String: Document] = [:], hasFirewall: Bool = false) throws {
    faults = try FaultHost()
    // The machine of the kernel's datapath has no iptables.
    if hasFirewall, Datapath.current == .userspace {
      for program in ["iptables-nft", "ip6tables-nft"] {
        try faults.host.namespace.exec(program, ["-P", "FORWARD", "DROP"]).checked()
      }
    }
    configuration = faults.configuration(members)
    sandbox = try Sandbox()
    // What is made once and stays (directories, the bridge's own link) is there before.
    try faults.plugin.add(configuration, containerID: "first", sandbox: sandbox).checked()
    try faults.plugin.del(configuration, containerID: "first", sandbox: sandbox).checked()
    before = try Self.settledTraces(faults, sandbox)
  }

  private static func settledTraces(_ faults: FaultHost, _ sandbox: Sandbox) throws -> Traces {
    var last = try faults.traces([sandbox])
    try eventually("the host has settled") {
      usleep(100_000)
      let now = try faults.traces([sandbox])
      defer { last = now }
      return now == last
    }
    return last
  }

  /// What is there and was not, or the reverse, each line one thing.
  func difference() throws -> String {
    var difference = ""
    // ovs-vswitchd gives a port up in its own time, and with it its link and the link's address;
    // after ovsdb-server was restarted that is some seconds.
    for _ in 0..<500 {
      difference = try faults.traces([sandbox]).difference(from: before)
      if difference.isEmpty { break }
      usleep(20_000)
    }
    return difference
  }

  /// ADD of the container `c1`.
  func add() throws -> PluginResult {
    try faults.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
  }
  /// Whether all that ADD makes is there of `c1`: by the result of another container, in which the
  /// addresses are its own.
  func isWhole() throws -> Bool {
    let port = try #require(
      try faults.host.openVSwitch.rows("Port").first {
        $0["external_ids"]["containerID"] == "c1"
      })
    let addresses = (port["external_ids"]["addresses"].text ?? "").split(separator: " ")
    let ips = addresses.map { Document.object(["address": .string(String($0)), "interface": 1]) }
    let interfaces: [Document] = [
      ["name": port["name"]], ["name": "eth0", "sandbox": .string(sandbox.path)],
    ]
    let previous = Document.object([
      "cniVersion": "1.1.0", "interfaces": .array(interfaces), "ips": .array(ips),
    ])
    return try check(previous).status == 0
  }
  /// ADD of the container `id`, whose link goes without a DEL.
  func lose(_ id: String) throws {
    let result = try faults.plugin.add(configuration, containerID: id, sandbox: sandbox).checked()
    let name = result["interfaces"][0]["name"].text ?? ""
    try faults.host.namespace.exec("ip", ["link", "del", name]).checked()
    try eventually("ovs-vswitchd sees that the link is gone") {
      try faults.host.openVSwitch.rows("Interface").contains {
        $0["name"] == .string(name) && ($0["ifindex"] == 0 || $0["error"] != [])
      }
    }
  }
  /// Whether the container `id` has a row.
  func hasRow(_ id: String) throws -> Bool {
    try faults.host.openVSwitch.rows("Port").contains {
      $0["external_ids"]["containerID"] == .string(id)
    }
  }
  /// DEL of the container `c1`, by container ID and interface name alone.
  func del() throws -> PluginResult {
    try faults.plugin.del(configuration, containerID: "c1", sandbox: nil)
  }
  /// GC, that no attachment is valid.
  func gc() throws -> PluginResult { try faults.plugin.gc(configuration, valid: []) }
  /// CHECK of the container `c1`, for which ADD answered `result`.
  func check(_ result: Document) throws -> PluginResult {
    try faults.plugin.check(
      configuration, previous: result, containerID: "c1", sandbox: sandbox)
  }
  /// `command` of the container `c1`, with a fault at one system call of the plugin or its
  /// delegate.
  func step(_ fault: Fault, at number: Int, ofDelegate: Bool = false, _ command: String) throws
    -> Stepped
  {
    try faults.step(
      fault, at: number, ofDelegate: ofDelegate, command, configuration, "c1", sandbox)
  }
}
