import Foundation
import TestSupport

/// A network of `ovs-bridge` on a host of its own, with what a test does to it again and again.
struct Network {
  let host: TestHost
  let plugin: Plugin
  /// The bridge's name.
  let bridge = "br1"
  /// The network's name.
  let name = "net1"

  /// With the bridge there, unless the test wants it to be made.
  init(hasBridge: Bool = true) throws {
    host = try TestHost()
    plugin = host.plugin("ovs-bridge")
    if hasBridge { try host.openVSwitch.addBridge(bridge) }
  }

  /// The configuration, layer 2 only, with these members more.
  func configuration(_ members: [String: Document] = [:]) -> Document {
    Document.object([
      "cniVersion": "1.1.0", "name": .string(name), "type": "ovs-bridge",
      "bridge": .string(bridge), "socket_file": .string(host.openVSwitch.endpoint),
    ]).with(members)
  }

  /// The configuration with addresses of these subnets, one range set each.
  func addressed(_ subnets: String..., members: [String: Document] = [:]) -> Document {
    let sets = subnets.map { Document.array([["subnet": .string($0)]]) }
    return configuration([
      "ipam": [
        "type": "host-local", "ranges": .array(sets),
        "dataDir": .string("\(host.directory.path)/leases"),
      ]
    ]).with(members)
  }

  /// The row of the port that the result's first interface is.
  func port(_ result: Document) throws -> Document {
    try host.openVSwitch.row("Port", result["interfaces"][0]["name"].text ?? "")
  }
  /// The row of its interface.
  func interface(_ result: Document) throws -> Document {
    try host.openVSwitch.row("Interface", result["interfaces"][0]["name"].text ?? "")
  }
}

extension Sandbox {
  /// Whether each of `count` pings to `address` is answered.
  func reaches(_ address: String, count: Int = 3, size: Int? = nil) throws -> Bool {
    let size = size.map { ["-M", "do", "-s", "\($0)"] } ?? []
    let output = try exec(
      "ping", ["-n", "-c", "\(count)", "-i", "0.05", "-W", "\(slowness)"] + size + [address])
    return output.status == 0 && output.stdout.contains(" 0% packet loss")
  }

  /// The link called `name` as `ip -d -j` shows it, with its addresses.
  func link(_ name: String = "eth0") throws -> Document { try ip("-d", "address", "show", name)[0] }

  /// `ADDRESS/LENGTH` of all global addresses of the link.
  func addresses(_ name: String = "eth0") throws -> [String] {
    try link(name)["addr_info"].array.filter { $0["scope"] == "global" }.map {
      "\($0["local"].text ?? "")/\($0["prefixlen"].integer ?? -1)"
    }
  }
}
