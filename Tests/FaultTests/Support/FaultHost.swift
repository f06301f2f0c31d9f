import Foundation
import Linux
import Netlink
import OVSDB
import OpenVSwitch
import TestSupport

/// What the attachments of one test have in common: a host, a bridge, a network and its leases.
final class FaultHost: Sendable {
  let host: TestHost
  let plugin: Plugin
  let bridge = "br1"
  let name = "net1"

  init() throws {
    host = try TestHost()
    plugin = host.plugin("ovs-bridge")
    try host.openVSwitch.addBridge(bridge)
  }

  var leaseDirectory: String { "\(host.directory.path)/leases" }

  /// VLAN, MTU, isolation, addresses and routes of both families, and these members besides.
  func configuration(_ members: [String: Document] = [:]) -> Document {
    let configuration: Document = [
      "cniVersion": "1.1.0", "name": .string(name), "type": "ovs-bridge",
      "bridge": .string(bridge), "socket_file": .string(host.openVSwitch.endpoint),
      "vlan": 7, "mtu": 1400, "portIsolation": true,
      "ipam": [
        "type": "host-local", "dataDir": .string(leaseDirectory),
        "ranges": [[["subnet": "10.7.0.0/16"]], [["subnet": "fd00:7::/64"]]],
        "routes": [["dst": "10.99.0.0/16"], ["dst": "fd00:99::/64"]],
      ],
    ]
    return configuration.with(members)
  }

  /// What is there of any attachment now.
  func traces(_ sandboxes: [Sandbox]) throws -> Traces {
    var lines: Set<String> = []
    for space in [host.namespace] + sandboxes {
      for line in try Self.links(space) { lines.insert("\(space.name) \(line)") }
    }
    let deadline = Deadline.after(.seconds(20))
    let connection = try Connection(
      Endpoint(host.openVSwitch.endpoint), until: deadline)
    var question = Transaction()
    let bridges = question.select(from: .bridge, .columns(.name, .ports))
    let ports = question.select(from: .port, .columns(.name, .externalIDs))
    let interfaces = question.select(from: .interface, .columns(.name))
    let qos = question.select(from: .qos, .columns(.externalIDs))
    let queues = question.select(from: .queue, .columns(.externalIDs))
    let results = try connection.transact(question, until: deadline)
    for row in results[bridges] {
      lines.insert("bridge \(row[.name]) with \(row[.ports].count) ports")
    }
    for row in results[ports] {
      lines.insert("port \(row[.name]) of \(row[.externalIDs]["containerID"] ?? "nobody")")
      for key in row[.externalIDs].keys where key.hasPrefix("patchbay-gateway") {
        lines.insert("mark \(key) of port \(row[.name])")
      }
    }
    for row in results[qos] {
      lines.insert("QoS of \(row[.externalIDs]["containerID"] ?? "nobody")")
    }
    for row in results[queues] {
      lines.insert("Queue of \(row[.externalIDs]["containerID"] ?? "nobody")")
    }
    for row in results[interfaces] { lines.insert("interface \(row[.name])") }
    for (address, holder) in held() { lines.insert("lease \(address) of \(holder)") }
    let rules = try host.namespace.rules()
    for rule in rules.split(separator: "\n") { lines.insert("rule \(rule)") }
    return Traces(lines: lines)
  }

  /// Addresses that files in the network's directory stand for, with the containers they name.
  func held() -> [String: String] {
    let directory = "\(leaseDirectory)/\(name)"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    var leases: [String: String] = [:]
    for name in names where name.contains(".") || name.contains(":") {
      if name.hasPrefix("last_reserved_ip") { continue }
      let text = FileManager.default.contents(atPath: "\(directory)/\(name)") ?? Data()
      leases[name] = String(decoding: text, as: UTF8.self).split(separator: "\r\n")
        .joined(separator: "/")
    }
    return leases
  }

  private static func links(_ sandbox: Sandbox) throws -> [String] {
    let deadline = Deadline.after(.seconds(20))
    let socket = try RouteSocket(in: NetworkNamespace(path: sandbox.path))
    var lines: [String] = []
    for link in try socket.links(until: deadline) {
      lines.append("link \(link.name) \(link.kind ?? "") \(link.alias ?? "")")
    }
    for address in try socket.addresses(until: deadline) {
      lines.append("address \(address.prefix)")
    }
    return lines
  }
}

/// What a plugin could have left, each line one thing; see `HostSnapshot` for all of it, slower.
struct Traces: Hashable {
  let lines: Set<String>

  /// What is there now and was not before (`+`), and the reverse (`-`).
  func difference(from before: Traces) -> String {
    let more = lines.subtracting(before.lines).map { "+ \($0)" }
    let less = before.lines.subtracting(lines).map { "- \($0)" }
    return (less + more).sorted().joined(separator: "\n")
  }
}
