import Foundation
import TestSupport
import Testing

@Suite("ADD of ovs-bridge", .privateHost) struct AttachTests {
  @Test(
    "without IPAM makes a veth pair and a port, CHECK agrees, and DEL leaves the host as before")
  func layer2() throws {
    let network = try Network()
    let before = try network.host.snapshot()
    let sandbox = try Sandbox()
    let configuration = network.configuration()
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()

    #expect(result["cniVersion"] == "1.1.0")
    #expect(result["ips"].isAbsent)
    let (hostEnd, containerEnd) = (result["interfaces"][0], result["interfaces"][1])
    #expect(hostEnd["sandbox"].isAbsent)
    #expect(containerEnd["name"] == "eth0")
    #expect(containerEnd["sandbox"] == .string(sandbox.path))

    let inside = try sandbox.link()
    #expect(inside["address"] == containerEnd["mac"])
    #expect(inside["linkinfo"]["info_kind"] == "veth")
    #expect(inside["flags"].array.contains("UP"))
    let outside = try network.host.ip("-d", "link", "show", hostEnd["name"].text ?? "")[0]
    #expect(outside["address"] == hostEnd["mac"])
    #expect(outside["link_index"] == inside["ifindex"])
    #expect(outside["ifalias"] == "patchbay:net1/c1/eth0")
    #expect(outside["linkinfo"]["info_kind"] == "veth")

    #expect(try network.host.openVSwitch.ports(of: "br1") == [hostEnd["name"].text])
    let port = try network.port(result)
    #expect(port["vlan_mode"] == "trunk")
    #expect(port["trunks"] == [])
    #expect(port["tag"] == [])
    let interface = try network.interface(result)
    #expect(interface["error"] == [])
    #expect((interface["ofport"].integer ?? 0) > 0)
    try eventually("ovs-vswitchd tells the index of the link") {
      try network.interface(result)["ifindex"] == outside["ifindex"]
    }

    try network.plugin.check(
      configuration, previous: result, containerID: "c1", sandbox: sandbox
    ).checked()
    try network.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
    #expect(try network.host.snapshot().difference(from: before) == "")
    #expect(try sandbox.ip("link").array.count == 1, "only lo is left in the sandbox")
  }

  @Test(
    "lets two containers reach each other at once, over IPv4, IPv6 or both",
    arguments: [["10.1.0.0/24"], ["fd00:1::/64"], ["10.1.0.0/24", "fd00:1::/64"]])
  func addresses(subnets: [String]) throws {
    let network = try Network()
    let sets = subnets.map { Document.array([["subnet": .string($0)]]) }
    let configuration = network.addressed().with([
      "ipam": [
        "type": "host-local", "ranges": .array(sets),
        "dataDir": .string("\(network.host.directory.path)/leases"),
      ]
    ])
    let (first, second) = (try Sandbox(), try Sandbox())
    let one = try network.plugin.add(configuration, containerID: "c1", sandbox: first).checked()
    let two = try network.plugin.add(configuration, containerID: "c2", sandbox: second).checked()
    #expect(one["ips"].array.count == subnets.count)
    for ip in two["ips"].array {
      #expect(ip["interface"] == 1)
      let address = ip["address"].text ?? ""
      #expect(try first.reaches(String(address.prefix { $0 != "/" })), "\(address)")
    }
    #expect(
      try first.addresses().sorted() == one["ips"].array.compactMap { $0["address"].text }.sorted())
    try network.plugin.check(configuration, previous: one, containerID: "c1", sandbox: first)
      .checked()

    for (id, sandbox) in [("c1", first), ("c2", second)] {
      try network.plugin.del(configuration, containerID: id, sandbox: sandbox).checked()
    }
    #expect(try network.host.openVSwitch.ports(of: "br1") == [])
    let leases = network.host.directory.files().keys.filter {
      $0.contains("/10.") || $0.contains("/fd")
    }
    #expect(leases == [])
  }

  @Test("carries TCP; TX checksum offload of the container end is off on the userspace datapath")
  func tcp() throws {
    let network = try Network()
    let configuration = network.addressed("10.1.0.0/24")
    let (server, client) = (try Sandbox(), try Sandbox())
    let result = try network.plugin.add(configuration, containerID: "s", sandbox: server).checked()
    try network.plugin.add(configuration, containerID: "c", sandbox: client).checked()
    let features = try client.exec("ethtool", ["-k", "eth0"]).checked().stdout
    let offload = Datapath.current == .userspace ? "off" : "on"
    #expect(features.contains("tx-checksumming: \(offload)"))

    let address = String((result["ips"][0]["address"].text ?? "").prefix { $0 != "/" })
    let iperf = Thread { _ = try? server.exec("iperf3", ["-s", "-1"]) }
    iperf.start()
    try eventually("iperf3 listens") {
      try server.exec("ss", ["-ltn"]).stdout.contains(":5201")
    }
    let report = try client.exec(
      "iperf3", ["-c", address, "-n", "5M", "-J"], timeout: .seconds(20))
    let sent = try Document(parsing: report.checked().bytes)["end"]["sum_received"]["bytes"].integer
    #expect((sent ?? 0) >= 2_000_000)
  }

  @Test("makes the bridge where it is missing, with the datapath that this machine can do")
  func createsBridge() throws {
    let network = try Network(hasBridge: false)
    let sandbox = try Sandbox()
    try network.plugin.add(
      network.configuration(["datapath": "netdev"]), containerID: "c1", sandbox: sandbox
    ).checked()
    let bridge = try network.host.openVSwitch.row("Bridge", "br1")
    #expect(bridge["datapath_type"] == "netdev")
    #expect(try network.host.openVSwitch.row("Interface", "br1")["type"] == "internal")
    #expect(try network.host.openVSwitch.ports(of: "br1").count == 1)
  }

  @Test(
    "writes the VLAN columns that the mode means",
    arguments: [
      (["vlan": 100], "access", 100, []),
      (["trunk": [["id": 5], ["minID": 10, "maxID": 12]]], "trunk", nil, [5, 10, 11, 12]),
      (["vlan": 7, "trunk": [["id": 8]]], "native-untagged", 7, [8]),
      (["vlan": 7, "trunk": [["id": 8]], "vlanMode": "native-tagged"], "native-tagged", 7, [8]),
    ] as [([String: Document], String, Int?, [Int])])
  func vlans(members: [String: Document], mode: String, tag: Int?, trunks: [Int]) throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let configuration = network.configuration(members)
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    let port = try network.port(result)
    #expect(port["vlan_mode"] == .string(mode))
    #expect(port["tag"] == (tag.map { .integer($0) } ?? []))
    let list = Document.array(trunks.map { .integer($0) })
    #expect(port["trunks"] == (trunks.count == 1 ? list[0] : list))
    try network.plugin.check(configuration, previous: result, containerID: "c1", sandbox: sandbox)
      .checked()
  }

  @Test("gives both ends the MTU, which packets of that size pass")
  func mtu() throws {
    let network = try Network()
    let configuration = network.addressed("10.1.0.0/24", members: ["mtu": 9000])
    let (first, second) = (try Sandbox(), try Sandbox())
    let one = try network.plugin.add(configuration, containerID: "c1", sandbox: first).checked()
    let two = try network.plugin.add(configuration, containerID: "c2", sandbox: second).checked()
    #expect(try first.link()["mtu"] == 9000)
    #expect(one["interfaces"][0]["mtu"] == 9000)
    let address = String((two["ips"][0]["address"].text ?? "").prefix { $0 != "/" })
    #expect(try first.reaches(address, size: 8972))
    #expect(try !first.reaches(address, count: 1, size: 8973))
  }

  @Test("plugs two interfaces of one container into the bridge")
  func twoInterfaces() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let configuration = network.configuration()
    for name in ["eth0", "net1"] {
      try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox, ifname: name)
        .checked()
    }
    #expect(try network.host.openVSwitch.ports(of: "br1").count == 2)
    try network.plugin.del(configuration, containerID: "c1", sandbox: sandbox, ifname: "eth0")
      .checked()
    #expect(try network.host.openVSwitch.ports(of: "br1").count == 1)
    #expect(try sandbox.ip("link").array.map { $0["ifname"] } == ["lo", "net1"])
  }

  @Test("hands on what earlier plugins of the chain made, members it does not know included")
  func chained() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let previous: Document = [
      "cniVersion": "1.1.0",
      "interfaces": [["name": "lo", "sandbox": .string(sandbox.path), "pciID": "0000:01:00.0"]],
      "ips": [["address": "127.0.0.1/8", "interface": 0]],
      "dns": ["nameservers": ["10.0.0.53"]], "example.org/x": [1, 2],
    ]
    let configuration = network.addressed("10.1.0.0/24", members: ["prevResult": previous])
    let result = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    #expect(result["interfaces"].array.map { $0["name"] }.first == "lo")
    #expect(result["interfaces"][0]["pciID"] == "0000:01:00.0")
    #expect(result["interfaces"][2]["name"] == "eth0")
    #expect(result["ips"][0] == previous["ips"][0])
    #expect(result["ips"][1]["interface"] == 2)
    #expect(result["dns"] == previous["dns"])
    #expect(result["example.org/x"] == [1, 2])
    try network.plugin.check(configuration, previous: result, containerID: "c1", sandbox: sandbox)
      .checked()
  }

  @Test("writes what CNI_TRACE names to standard error, and nothing of it to standard output")
  func trace() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let result = try network.plugin.call(
      [
        "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c1", "CNI_NETNS": sandbox.path,
        "CNI_IFNAME": "eth0", "CNI_PATH": network.plugin.searchPath,
        "CNI_TRACE": "netlink,ovsdb,json",
      ], input: network.addressed("10.1.0.0/24").encoded)
    let added = try result.checked()
    #expect(added["ips"][0]["address"] == "10.1.0.2/24")
    for words in [
      "-> ovs-bridge ADD {", "-> delegate host-local ADD {", "<- delegate host-local ADD {",
      #""method":"transact""#, "RTM_NEWLINK", "<- ovs-bridge ADD {",
    ] { #expect(result.stderr.contains(words), "\(words)") }
  }

  @Test("announces its addresses by gratuitous ARP and unsolicited neighbour advertisement")
  func announces() throws {
    let network = try Network()
    let configuration = network.addressed("10.1.0.0/24", "fd00:1::/64")
    let (listener, sandbox) = (try Sandbox(), try Sandbox())
    try network.plugin.add(configuration, containerID: "c1", sandbox: listener).checked()
    let capture = "\(network.host.directory.path)/capture"
    let dump = try Daemon(
      "ip",
      [
        "netns", "exec", listener.name, "tcpdump", "-n", "-i", "eth0", "-U", "-w", capture,
        "arp or (icmp6 and ip6[40] == 136)",
      ], environment: ProcessInfo.processInfo.environment, log: "\(capture).log")
    defer { dump.stop() }
    try eventually("tcpdump listens") { FileManager.default.fileExists(atPath: capture) }
    try network.plugin.add(configuration, containerID: "c2", sandbox: sandbox).checked()
    try eventually("both are announced") {
      let seen = try run("tcpdump", ["-n", "-r", capture]).stdout
      return seen.contains("Request who-has 10.1.0.3 tell 10.1.0.3")
        && seen.contains("tgt is fd00:1::3")
    }
  }

  @Test("writes into external_ids all that CHECK, GC and DEL need, and what the configuration adds")
  func externalIDs() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let configuration = network.addressed(
      "10.1.0.0/24", members: ["external_ids": ["site": "north"]])
    let result = try network.plugin.add(
      configuration, containerID: "c1", sandbox: sandbox,
      args: "IgnoreUnknown=1;K8S_POD_UID=uid-7;OvnPort=lp1"
    ).checked()
    let expected: Document = [
      "owner": "patchbay", "network": "net1", "containerID": "c1", "interfaceName": "eth0",
      "sandbox": .string(sandbox.path), "addresses": "10.1.0.2/24", "mac": "0a:58:0a:01:00:02",
      "site": "north", "iface-id": "lp1", "contPodUid": "uid-7",
    ]
    let port = try network.port(result)["external_ids"]
    let ipam = try Document(parsing: Array((port["ipam"].text ?? "").utf8))
    #expect(ipam == configuration["ipam"])
    let began = try #require(port["began"].text.flatMap { Double($0) }) / 1e9
    #expect(abs(Date().timeIntervalSince1970 - began) < 60)
    #expect(port.with(["ipam": .absent, "began": .absent]) == expected)
    #expect(try network.interface(result)["external_ids"] == port)
  }
}
