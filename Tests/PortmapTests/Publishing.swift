import Foundation
import TestSupport

/// A host that publishes ports: two networks with gateways, and a place outside that knows no way
/// to the containers.
struct Publishing {
  let host: TestHost
  let beyond: Sandbox
  let portmap: Plugin
  static let outside = (v4: "192.0.2.1", v6: "2001:db8:2::1")

  init() throws {
    host = try TestHost()
    beyond = try Sandbox()
    portmap = host.plugin("portmap")
    try command(host.namespace, "link add up0 type veth peer name eth0 netns \(beyond.name)")
    for (sandbox, link, number) in [(host.namespace, "up0", 1), (beyond, "eth0", 2)] {
      try command(sandbox, "address add 192.0.2.\(number)/24 dev \(link)")
      try command(sandbox, "address add 2001:db8:2::\(number)/64 dev \(link) nodad")
      try command(sandbox, "link set \(link) up")
    }
    for number in 1...2 { try host.openVSwitch.addBridge("br\(number)") }
  }

  func command(_ sandbox: Sandbox, _ line: String) throws {
    try sandbox.exec("ip", line.split(separator: " ").map(String.init)).checked()
  }

  /// The network `net1` or `net2`, with these members besides.
  func network(_ number: Int, _ members: [String: Document] = [:]) -> Document {
    Document.object([
      "cniVersion": "1.1.0", "name": .string("net\(number)"), "type": "ovs-bridge",
      "bridge": .string("br\(number)"), "socket_file": .string(host.openVSwitch.endpoint),
      "isGateway": true, "isDefaultGateway": true, "ipMasq": true,
      "ipam": [
        "type": "host-local", "dataDir": .string("\(host.directory.path)/leases"),
        "ranges": [
          [["subnet": .string("10.\(number).0.0/24")]],
          [["subnet": .string("fd00:\(number)::/64")]],
        ],
      ],
    ]).with(members)
  }

  /// A container in that network; returns the result of ADD.
  func attach(
    _ container: String, _ sandbox: Sandbox, network number: Int = 1, ifname: String = "eth0",
    _ members: [String: Document] = [:]
  ) throws -> Document {
    try host.plugin("ovs-bridge").add(
      network(number, members), containerID: container, sandbox: sandbox, ifname: ifname
    ).checked()
  }

  /// The configuration of portmap in that network.
  func configuration(
    _ mappings: [Document]?, network number: Int = 1, _ members: [String: Document] = [:]
  ) -> Document {
    var runtime: [String: Document] = [:]
    runtime["portMappings"] = mappings.map { .array($0) }
    return Document.object([
      "cniVersion": "1.1.0", "name": .string("net\(number)"), "type": "portmap",
      "runtimeConfig": .object(runtime),
    ]).with(members)
  }

  /// Publishes ports of a container that has `previous`.
  func publish(
    _ mappings: [Document]?, _ container: String, _ sandbox: Sandbox, _ previous: Document,
    network number: Int = 1, ifname: String = "eth0", _ members: [String: Document] = [:]
  ) throws -> PluginResult {
    try portmap.add(
      configuration(mappings, network: number, members).with(["prevResult": previous]),
      containerID: container, sandbox: sandbox, ifname: ifname)
  }

  /// By container ID and interface name alone.
  func release(_ container: String, network number: Int = 1, ifname: String = "eth0") throws {
    try portmap.del(
      configuration(nil, network: number), containerID: container, sandbox: nil, ifname: ifname
    ).checked()
  }

  func check(
    _ mappings: [Document]?, _ container: String, _ sandbox: Sandbox, _ previous: Document,
    _ members: [String: Document] = [:]
  ) throws -> PluginResult {
    try portmap.check(
      configuration(mappings, members), previous: previous, containerID: container,
      sandbox: sandbox)
  }

  /// The table of published ports; empty where there is none.
  func rules() throws -> String {
    let output = try host.namespace.exec(
      "nft", ["-s", "list", "table", "inet", "patchbay-ports"])
    return output.status == 0 ? output.stdout : ""
  }
  /// `net.ipv4.conf.LINK.route_localnet`
  func loopbackRoute(_ link: String = "br1") throws -> String {
    try host.namespace.exec("cat", ["/proc/sys/net/ipv4/conf/\(link)/route_localnet"]).checked()
      .stdout.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

/// A port of the host, as runtimes name it.
func mapping(
  _ hostPort: Int, _ containerPort: Int, _ transport: String = "tcp", hostIP: String? = nil
) -> Document {
  var members: [String: Document] = [
    "hostPort": .integer(hostPort), "containerPort": .integer(containerPort),
    "protocol": .string(transport),
  ]
  members["hostIP"] = hostIP.map { .string($0) }
  return .object(members)
}

/// A server that says its name, and whom it sees.
final class Echo {
  private let daemon: Daemon
  private let directory: TemporaryDirectory
  private static let program = "\(Plugin.debugDirectory)/echo"

  init(_ name: String, in sandbox: Sandbox, port: Int) throws {
    let directory = try TemporaryDirectory()
    daemon = try Daemon(
      "ip", ["netns", "exec", sandbox.name, Self.program, "serve", name, "\(port)"],
      environment: ProcessInfo.processInfo.environment, log: "\(directory.path)/log")
    self.directory = directory
    try eventually("\(name) serves") { directory.read("log")?.contains("ready") ?? false }
  }

  deinit { daemon.stop() }

  /// Sends a frame, as hexadecimal digits, by a link of a sandbox.
  static func send(_ hex: String, by link: String, of sandbox: Sandbox) throws {
    try sandbox.exec(program, ["frame", link, hex]).checked()
  }

  /// What the server says that `sandbox` reaches; nil for none.
  static func ask(
    _ sandbox: Sandbox, _ transport: String, _ address: String, _ port: Int, from local: Int? = nil
  ) throws -> (name: String, peer: String)? {
    let output = try sandbox.exec(
      program, ["ask", transport, address, "\(port)"] + (local.map { ["\($0)"] } ?? []))
    let words = output.stdout.split(whereSeparator: \.isWhitespace).map(String.init)
    return output.status == 0 && words.count == 2 ? (words[0], words[1]) : nil
  }
}
