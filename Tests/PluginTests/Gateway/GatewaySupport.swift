import Foundation
import TestSupport

/// A network whose host is a router: behind it is a place beyond, joined by a veth pair, which
/// knows no way to the containers.
struct Routed {
  let network: Network
  let beyond: Sandbox
  /// The host's addresses as the place beyond sees them.
  static let hostAddresses = ["192.0.2.1", "2001:db8:2::1"]
  /// The addresses of the place beyond.
  static let addresses = ["192.0.2.2", "2001:db8:2::2"]

  var host: TestHost { network.host }
  var plugin: Plugin { network.plugin }
  var ovs: OpenVSwitch { network.host.openVSwitch }

  init(hasBridge: Bool = true) throws {
    network = try Network(hasBridge: hasBridge)
    beyond = try Sandbox()
    let inside = network.host.namespace
    func command(_ sandbox: Sandbox, _ line: String) throws {
      try sandbox.exec("ip", line.split(separator: " ").map(String.init)).checked()
    }
    try command(inside, "link add up0 type veth peer name eth0 netns \(beyond.name)")
    for (sandbox, link, number) in [(inside, "up0", 1), (beyond, "eth0", 2)] {
      try command(sandbox, "address add 192.0.2.\(number)/24 dev \(link)")
      try command(sandbox, "address add 2001:db8:2::\(number)/64 dev \(link) nodad")
      try command(sandbox, "link set \(link) up")
    }
    // The kernel learns a moment later that the other end is up, and what it adds then is no trace.
    try eventually("up0 has its routes") {
      let routes = try inside.exec("ip", ["-6", "route", "show", "table", "local", "dev", "up0"])
      let tentative = try inside.exec("ip", ["-6", "address", "show", "dev", "up0", "tentative"])
      return routes.stdout.contains("2001:db8:2::1") && tentative.stdout.isEmpty
    }
    // What stays as it is when the gateway has gone.
    if hasBridge { try command(inside, "link set \(network.bridge) up") }
  }

  /// A configuration with gateway, default routes and masquerading, of both families.
  func configuration(_ members: [String: Document] = [:]) -> Document {
    network.addressed("10.1.0.0/24", "fd00:1::/64").with([
      "isGateway": true, "isDefaultGateway": true, "ipMasq": true,
    ]).with(members)
  }

  func add(_ configuration: Document, _ container: String, _ sandbox: Sandbox) throws -> Document {
    try plugin.add(configuration, containerID: container, sandbox: sandbox).checked()
  }
  func del(_ configuration: Document, _ container: String, _ sandbox: Sandbox?) throws {
    try plugin.del(configuration, containerID: container, sandbox: sandbox).checked()
  }

  /// Opens a TCP connection from `sandbox`, sends a megabyte both ways, and answers from which
  /// address the place beyond saw it come.
  func transfer(from sandbox: Sandbox, to address: String) throws -> String? {
    var peer: String?
    for direction in [[], ["-R"]] {
      // One that has served may be busy for a while yet.
      let server = try Server(in: beyond)
      try sandbox.exec(
        "iperf3", ["-c", address, "-n", "1M", "-p", "\(server.port)"] + direction,
        timeout: .seconds(20)
      ).checked()
      peer = server.peers().last
    }
    return peer
  }

  /// The firewall's rules, but for what changes by itself.
  func rules() throws -> String {
    try host.namespace.rules()
  }

  /// `ADDRESS/LENGTH` of the link of the host.
  func hostAddresses(_ link: String = "br1") throws -> [String] {
    try host.ip("address", "show", link)[0]["addr_info"].array.filter {
      $0["scope"] == "global"
    }.map { "\($0["local"].text ?? "")/\($0["prefixlen"].integer ?? -1)" }
  }

  /// Throws unless the host is as it was; see `Network.expectAsBefore`.
  func expectAsBefore(_ before: HostSnapshot) throws { try network.expectAsBefore(before) }
}

extension Network {
  /// Throws unless the host is as it was, but for what `host-local` keeps without leases, and lines
  /// that have one of `kept` in them. ovs-vswitchd may still be giving up what it had made.
  func expectAsBefore(_ before: HostSnapshot, but kept: [String] = []) throws {
    var left: [Substring] = []
    do {
      try eventually("the host is as it was", timeout: .seconds(3)) {
        left = try host.snapshot().difference(from: before).split(separator: "\n").filter { line in
          let isLease = line.contains("/10.1.0.") || line.contains("/fd00:1::")
          // Of links that came up not long ago, and of hosts that forward.
          let isByKernel = line.contains("fe80::") || line.contains("\"anycast\"")
          return !(line.hasPrefix("+ file:") && !isLease) && !isByKernel
            && !kept.contains { line.contains($0) }
        }
        return left.isEmpty
      }
    } catch { throw Leftovers(description: left.joined(separator: "\n")) }
  }
}

/// What is on the host and was not there before, or the reverse.
struct Leftovers: Error, CustomStringConvertible {
  let description: String
}

/// A server of iperf3 that runs until it goes away.
private final class Server {
  let port = 5201
  private let daemon: Daemon
  private let directory: TemporaryDirectory

  init(in sandbox: Sandbox) throws {
    directory = try TemporaryDirectory()
    daemon = try Daemon(
      "ip", ["netns", "exec", sandbox.name, "iperf3", "-s", "--forceflush"],
      environment: ProcessInfo.processInfo.environment, log: "\(directory.path)/log")
    try eventually("iperf3 listens") {
      try sandbox.exec("ss", ["-Hltn", "sport = :5201"]).stdout.contains("5201")
    }
  }

  deinit { daemon.stop() }

  /// The addresses that connections came from.
  func peers() -> [String] {
    let mark = "Accepted connection from "
    return (directory.read("log") ?? "").split(separator: "\n").filter { $0.hasPrefix(mark) }.map {
      String($0.dropFirst(mark.count).prefix { $0 != "," })
    }
  }
}
