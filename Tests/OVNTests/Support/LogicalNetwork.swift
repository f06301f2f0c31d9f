import Foundation
import TestSupport
import Testing

/// A network of one logical switch, as one host sees it.
struct LogicalNetwork {
  let lab: Lab
  let name: String
  let logicalSwitch: String
  let host: LabHost
  /// Members of the configuration besides.
  var members: [String: Document] = [:]

  init(_ lab: Lab, on number: Int = 1) throws {
    self.init(lab, try lab.addSwitch(), lab.hosts[number - 1])
  }

  private init(_ lab: Lab, _ logicalSwitch: String, _ host: LabHost) {
    self.lab = lab
    self.logicalSwitch = logicalSwitch
    name = "net-\(logicalSwitch)"
    self.host = host
  }

  /// The same as another host sees it.
  func on(_ number: Int) -> LogicalNetwork {
    var copy = LogicalNetwork(lab, logicalSwitch, lab.hosts[number - 1])
    copy.members = members
    return copy
  }

  var configuration: Document {
    Document.object([
      "cniVersion": "1.1.0", "name": .string(name), "type": "ovn",
      "switch": .string(logicalSwitch), "nb": .array(lab.northboundMembers),
      "socket_file": .string(host.openVSwitch.endpoint),
      "ipam": [
        "type": "cluster", "database": .string(lab.addresses), "host": .string(host.name),
        "ranges": [[["subnet": "10.244.0.0/24"]]],
      ],
    ]).with(members)
  }

  func add(
    _ id: String, _ sandbox: Sandbox, args: String? = nil, _ members: [String: Document] = [:],
    timeout: Duration = .seconds(60)
  ) throws -> PluginResult {
    try host.plugin().add(
      configuration.with(members), containerID: id, sandbox: sandbox, args: args,
      timeout: timeout)
  }
  func del(
    _ id: String, _ sandbox: Sandbox? = nil, _ members: [String: Document] = [:],
    timeout: Duration = .seconds(60)
  ) throws -> PluginResult {
    try host.plugin().del(
      configuration.with(members), containerID: id, sandbox: sandbox, timeout: timeout)
  }
  func check(_ id: String, _ sandbox: Sandbox, _ previous: Document, args: String? = nil) throws
    -> PluginResult
  {
    try host.plugin().check(
      configuration, previous: previous, containerID: id, sandbox: sandbox, args: args)
  }
  func gc(_ valid: [String]?) throws -> PluginResult {
    try host.plugin().gc(
      configuration, valid: valid.map { $0.map { (containerID: $0, ifname: "eth0") } })
  }

  /// What is of the network: logical ports, leases, and ports and links of both hosts.
  func traces() throws -> [String] {
    var traces = try lab.ports(of: logicalSwitch).map { "logical port \($0["name"].text ?? "")" }
    traces += try lab.leases(name).values.map { "lease of \($0)" }
    for host in lab.hosts {
      for row in try host.openVSwitch.rows("Port")
      where row["external_ids"]["network"] == .string(name) {
        traces.append("port \(row["name"].text ?? "") on \(host.name)")
      }
      for link in try TestSupport.ip(in: host.namespace, ["link", "show", "type", "veth"]).array {
        let alias = link["ifalias"].text ?? ""
        if alias.contains(name) { traces.append("link \(alias) on \(host.name)") }
      }
    }
    return traces.sorted()
  }
}

extension Document {
  /// The address of a result, without its prefix length.
  var firstAddress: String {
    String((self["ips"][0]["address"].text ?? "").prefix { $0 != "/" })
  }
}

extension Sandbox {
  /// Runs a command in it.
  @discardableResult
  func runs(_ words: String...) throws -> Output { try exec(words[0], Array(words.dropFirst())) }

  func pings(_ address: String, size: Int = 56, count: Int = 1) throws -> Bool {
    try runs(
      "ping", "-q", "-n", "-c", "\(count)", "-W", "1", "-i", "0.2", "-M", "do", "-s", "\(size)",
      address
    ).status == 0
  }
}

// MARK: - Traffic

/// That TCP, UDP and packets of `mtu` bytes pass from one sandbox to another, which has `address`,
/// and that one byte more is refused.
func expectTraffic(from sandbox: Sandbox, to other: Sandbox, at address: String, mtu: Int) throws {
  // The first packet to a host is lost while Open vSwitch looks for that host's MAC address.
  try eventually("a way through the tunnel", timeout: .seconds(20)) { try sandbox.pings(address) }
  // Headers of IPv4 and ICMP.
  let most = mtu - 28
  #expect(try sandbox.pings(address, size: most, count: 3))
  #expect(try !sandbox.pings(address, size: most + 1), "one byte more is refused")
  let echo = "\(Plugin.debugDirectory)/echo"
  let server = try Daemon(
    "ip", ["netns", "exec", other.name, echo, "serve", "right", "7000"],
    environment: ProcessInfo.processInfo.environment, log: "/dev/null")
  defer { server.stop() }
  for kind in ["tcp", "udp"] {
    try eventually("an answer by \(kind)") {
      try sandbox.runs(echo, "ask", kind, address, "7000").stdout.hasPrefix("right ")
    }
  }
}
