import Foundation
import TestSupport
import Testing

@Suite("Ports of podman's containers", .privateHost) struct DriverPortTests {
  private static let echo = "\(Plugin.debugDirectory)/echo"

  /// A server in `sandbox`, that says `name`.
  private func serve(
    _ name: String, in sandbox: Sandbox, _ directory: TemporaryDirectory, port: Int = 80
  ) throws -> Daemon {
    let daemon = try Daemon(
      "ip", ["netns", "exec", sandbox.name, Self.echo, "serve", name, "\(port)"],
      environment: ProcessInfo.processInfo.environment, log: "\(directory.path)/\(name).log")
    try eventually("\(name) serves") {
      directory.read("\(name).log")?.contains("ready") ?? false
    }
    return daemon
  }

  /// The name that the server at `address` says; empty where there is none.
  private func ask(_ address: String, _ port: Int = 8080, from sandbox: Sandbox) throws -> String {
    let words = ["ask", "tcp", address, "\(port)"]
    let answer = try sandbox.exec(Self.echo, words).stdout
    return answer.split(separator: " ").first.map { String($0) } ?? ""
  }

  /// A place outside of the host, where that is 192.0.2.1.
  private func outside(_ host: TestHost) throws -> Sandbox {
    let outside = try Sandbox()
    func ip(_ sandbox: Sandbox, _ line: String) throws {
      try sandbox.exec("ip", line.split(separator: " ").map(String.init)).checked()
    }
    try ip(host.namespace, "link add up0 type veth peer name eth0 netns \(outside.name)")
    for (sandbox, link, number) in [(host.namespace, "up0", 1), (outside, "eth0", 2)] {
      try ip(sandbox, "address add 192.0.2.\(number)/24 dev \(link)")
      try ip(sandbox, "link set \(link) up")
    }
    return outside
  }

  private let ports: Document = [
    ["container_port": 80, "host_port": 8080, "host_ip": "", "protocol": "tcp", "range": 1]
  ]

  @Test("are reached from outside, from the host and from a neighbour")
  func reached() throws {
    let podman = try PodmanHost()
    let outside = try outside(podman.host)
    let (web, neighbour) = (try Sandbox(), try Sandbox())
    // podman listens on the ports, so that no other process takes them.
    let holder = try serve("podman", in: podman.host.namespace, podman.host.directory, port: 8080)
    defer { holder.stop() }
    let container = podman.container(
      "c1", podman.routed(), ["static_ips": ["10.7.0.5"], "port_mappings": ports])
    let other = podman.container("c2", podman.routed(), ["static_ips": ["10.7.0.6"]])
    try podman.setup(web, container)
    try podman.setup(neighbour, other)
    let server = try serve("web", in: web, podman.host.directory)
    #expect(try ask("192.0.2.1", from: outside) == "web")
    #expect(try ask("192.0.2.1", from: podman.host.namespace) == "web")
    #expect(try ask("127.0.0.1", from: podman.host.namespace) == "web")
    #expect(try ask("192.0.2.1", from: neighbour) == "web")
    server.stop()
    let third = try Sandbox()
    let taken = try podman.call(
      "ovs", ["setup", third.path],
      podman.container("c3", podman.routed(), ["static_ips": ["10.7.0.7"], "port_mappings": ports]))
    #expect(taken.refusal?.contains("8080") == true, "\(taken)")
    try podman.teardown(web.path, container)
    try podman.teardown(neighbour.path, other)
    #expect(try podman.traces() == [])
  }

  @Test("of a container on two networks stay published while it is on one of them")
  func several() throws {
    let podman = try PodmanHost()
    try podman.host.openVSwitch.addBridge("br2")
    let second = podman.routed(
      ["bridge": "br2"],
      ["name": "n2", "subnets": [["subnet": "10.8.0.0/24", "gateway": "10.8.0.1"]]])
    let outside = try outside(podman.host)
    let sandbox = try Sandbox()
    // netavark 1 sets them up in any order.
    let one = podman.container(
      "c1", second,
      ["static_ips": ["10.8.0.5"], "port_mappings": ports, "interface_name": "eth1"])
    let two = podman.container(
      "c1", podman.routed(), ["static_ips": ["10.7.0.5"], "port_mappings": ports])
    try podman.setup(sandbox, one)
    try podman.setup(sandbox, two)
    let routes = try sandbox.ip("route", "show", "default").array
    #expect(Set(routes.map { $0["metric"] }) == [100, 101])
    #expect(routes.first { $0["metric"] == 100 }?["gateway"] == "10.7.0.1")
    let server = try serve("both", in: sandbox, podman.host.directory)
    #expect(try ask("192.0.2.1", from: outside) == "both")
    try podman.teardown(sandbox.path, one)
    #expect(try ask("192.0.2.1", from: outside) == "both")
    try podman.setup(sandbox, one)
    try podman.teardown(sandbox.path, two)
    #expect(try ask("192.0.2.1", from: outside) == "both")
    server.stop()
    try podman.teardown(sandbox.path, one)
    #expect(try podman.traces() == [])
    #expect(try ask("192.0.2.1", from: outside) == "")
  }

  @Test("are put back by patchbay repair, with what else a flush and a restart have taken")
  func repaired() throws {
    let podman = try PodmanHost()
    let host = podman.host.namespace
    try host.exec("iptables-nft", ["-P", "FORWARD", "DROP"]).checked()
    let outside = try outside(podman.host)
    let web = try Sandbox()
    let container = podman.container(
      "c1", podman.routed(["vlan": "7"]), ["static_ips": ["10.7.0.5"], "port_mappings": ports])
    try podman.setup(web, container)
    let server = try serve("web", in: web, podman.host.directory)
    func isReached() throws -> Bool { try ask("192.0.2.1", from: outside) == "web" }
    #expect(try isReached())
    #expect(try web.reaches("192.0.2.2"))
    try host.exec("nft", ["flush", "ruleset"]).checked()
    try host.exec("iptables-nft", ["-P", "FORWARD", "DROP"]).checked()
    podman.host.openVSwitch.stopSwitching()
    try host.exec("ip", ["address", "flush", "dev", "br1.7"]).checked()
    try podman.host.openVSwitch.startSwitching()
    #expect(try !isReached())
    let output = try podman.patchbay("repair", "n1", "--db", podman.host.openVSwitch.endpoint)
      .checked().stdout
    try Messages.expect(
      output, of: "patchbay", on: "repair, of podman's, after a flush and a restart")
    try eventually("the port is reached again") { try isReached() }
    #expect(try web.reaches("192.0.2.2"))
    server.stop()
    try podman.teardown(web.path, container)
    #expect(try podman.traces() == [])
  }
}
