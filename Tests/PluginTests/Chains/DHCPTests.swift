import Foundation
import TestSupport
import Testing

/// The reference IPAM plugin `dhcp`, its daemon, and a DHCP server behind another port of the
/// bridge.
@Suite("An IPAM plugin that needs the wire", .privateHost) struct DHCPTests {
  private final class Site {
    let network: Network
    let server: Sandbox
    let sandbox: Sandbox
    let log: String
    private let daemons: [Daemon]

    init() throws {
      network = try Network()
      server = try Sandbox()
      sandbox = try Sandbox()
      let directory = network.host.directory.path
      log = "\(directory)/dnsmasq.log"
      try network.plugin.add(
        network.configuration(["name": "site"]), containerID: "server", sandbox: server
      ).checked()
      try server.exec("ip", ["address", "add", "10.50.0.1/24", "dev", "eth0"]).checked()
      let environment = ProcessInfo.processInfo.environment
      // Half a lease would be a minute: option 58 says when to renew.
      let serving = try Daemon(
        "ip",
        [
          "netns", "exec", server.name, executable("dnsmasq"), "--keep-in-foreground",
          "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--port=0", "--user=root",
          "--interface=eth0", "--bind-interfaces", "--pid-file=", "--log-dhcp", "--log-facility=-",
          "--dhcp-range=10.50.0.100,10.50.0.120,2m", "--dhcp-leasefile=\(directory)/dnsmasq.leases",
          "--dhcp-option-force=58,2",
        ], environment: environment, log: log)
      let asking = try Daemon(
        "ip",
        [
          "netns", "exec", network.host.namespace.name, "\(Plugin.references)/dhcp", "daemon",
          "-socketpath", "\(directory)/dhcp.sock",
        ], environment: environment, log: "\(directory)/dhcp.log")
      daemons = [serving, asking]
      try eventually("both listen") {
        FileManager.default.fileExists(atPath: "\(directory)/dhcp.sock")
          && (network.host.directory.read("dnsmasq.log") ?? "").contains("DHCP, IP range")
      }
    }

    deinit { for daemon in daemons { daemon.stop() } }

    func configuration(_ members: [String: Document] = [:]) -> Document {
      network.configuration([
        "cniVersion": "1.0.0", "timeout": 30,
        "ipam": [
          "type": "dhcp", "daemonSocketPath": .string("\(network.host.directory.path)/dhcp.sock"),
        ],
      ]).with(members)
    }

    /// How often the server has acknowledged a lease.
    var acknowledged: Int {
      (network.host.directory.read("dnsmasq.log") ?? "").split(separator: "\n").count {
        $0.contains("DHCPACK(eth0)")
      }
    }
  }

  @Test("is asked when the port forwards; its lease is renewed, checked and given back")
  func lease() throws {
    let site = try Site()
    let (plugin, sandbox) = (site.network.plugin, site.sandbox)
    let result = try plugin.add(
      site.configuration(), containerID: "c1", sandbox: sandbox, timeout: .seconds(60)
    ).checked()
    #expect(result.firstAddress.hasPrefix("10.50.0.1"))
    #expect(try sandbox.addresses() == ["\(result.firstAddress)/24"])
    #expect(try sandbox.reaches("10.50.0.1"))
    let rows = try [site.network.port(result), site.network.interface(result)]
    for row in rows {
      #expect(row["external_ids"]["addresses"].text == "\(result.firstAddress)/24")
    }
    // The address is that of the MAC address it was leased for.
    #expect(try sandbox.link()["address"] == result["interfaces"][1]["mac"])
    // Before CHECK, by which the reference plugin asks again.
    let before = site.acknowledged
    try eventually("the lease is renewed", timeout: .seconds(60)) { site.acknowledged > before }
    try plugin.check(site.configuration(), previous: result, containerID: "c1", sandbox: sandbox)
      .checked()
    try plugin.del(site.configuration(), containerID: "c1", sandbox: sandbox).checked()
    #expect(try site.network.host.openVSwitch.rows("Port").count == 2)
  }

  @Test("has a gateway by its answer, and nothing is left where it does not answer")
  func gateway() throws {
    let site = try Site()
    let (network, sandbox) = (site.network, site.sandbox)
    let configuration = site.configuration(["isGateway": true])
    let refusedBefore = try network.host.settledSnapshot()
    let silent = configuration.with(["vlan": 99, "timeout": 3])
    let refused = try network.plugin.add(
      silent, containerID: "c2", sandbox: sandbox, timeout: .seconds(60))
    #expect(refused.status == 1)
    try network.expectAsBefore(refusedBefore, but: ["dnsmasq", "dhcp.log"])
    let result = try network.plugin.add(
      configuration, containerID: "c1", sandbox: sandbox, timeout: .seconds(60)
    ).checked()
    #expect(result["interfaces"][2]["name"] == "br1")
    let port = try network.host.openVSwitch.row("Port", "br1")
    #expect(port["external_ids"].members.keys.contains { $0.hasSuffix("net1/10.50.0.1/24") })
    try network.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
    #expect(
      try network.host.openVSwitch.row("Port", "br1")["external_ids"].members.isEmpty)
  }

  @Test("speaks DHCP alone until it has its address where it is guarded, and then as that address")
  func guarded() throws {
    let site = try Site()
    let (network, sandbox) = (site.network, site.sandbox)
    let configuration = site.configuration(["guard": true])
    let result = try network.plugin.add(
      configuration, containerID: "c1", sandbox: sandbox, timeout: .seconds(60)
    ).checked()
    #expect(try network.port(result)["external_ids"]["guard"] == "full")
    #expect(try sandbox.reaches("10.50.0.1"))
    try sandbox.exec("ip", ["address", "add", "10.50.0.77/24", "dev", "eth0"]).checked()
    let spoofed = try sandbox.exec(
      "ping", ["-n", "-c", "2", "-i", "0.1", "-W", "1", "-I", "10.50.0.77", "10.50.0.1"])
    #expect(spoofed.status != 0)
    let before = site.acknowledged
    try network.plugin.check(
      configuration, previous: result, containerID: "c1", sandbox: sandbox, timeout: .seconds(60)
    ).checked()
    #expect(site.acknowledged > before)
  }

  @Test("a guarded container sends nothing but its requests while no server answers")
  func guardedAndUnanswered() throws {
    let site = try Site()
    let (network, sandbox, listener) = (site.network, site.sandbox, try Sandbox())
    try network.plugin.add(
      network.configuration(["name": "other", "vlan": 99]), containerID: "l", sandbox: listener
    ).checked()
    try listener.exec(
      "nft",
      [
        "add table netdev t; add chain netdev t c "
          + "{ type filter hook ingress device \"eth0\" priority 0; }; "
          + "add rule netdev t c udp dport 67 counter; "
          + "add rule netdev t c udp dport != 67 counter; "
          + "add rule netdev t c ether type arp counter"
      ]
    ).checked()
    let configuration = site.configuration(["guard": true, "vlan": 99, "timeout": 6])
    let done = DispatchSemaphore(value: 0)
    nonisolated(unsafe) var status: Int32?
    Thread.detachNewThread {
      let result = try? network.plugin.add(
        configuration, containerID: "c1", sandbox: sandbox, timeout: .seconds(60))
      status = result?.status
      done.signal()
    }
    let talk = "ip address replace 10.50.0.77/24 dev eth0 && ping -n -c 1 -W 1 10.50.0.88"
    while done.wait(timeout: .now() + .milliseconds(50)) == .timedOut {
      _ = try sandbox.exec("sh", ["-c", talk])
    }
    #expect(status == 1)
    let text = try listener.exec("nft", ["list", "chain", "netdev", "t", "c"]).checked().stdout
    let counts = text.split(separator: "\n").compactMap { line -> Int? in
      guard let range = line.range(of: "packets ") else { return nil }
      return Int(line[range.upperBound...].prefix { $0.isNumber })
    }
    try #require(counts.count == 3, "\(text)")
    #expect(counts[0] > 0 && counts[1] == 0 && counts[2] == 0, "\(text)")
  }
}
