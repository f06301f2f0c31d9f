import Foundation
import TestSupport
import Testing

/// What a bridge and the host are like already, and what an attachment may do to them.
@Suite("An attachment on a bridge that has settings of its own", .privateHost)
struct HostSettingsTests {
  private let network: Network
  private var ovs: OpenVSwitch { network.host.openVSwitch }
  private var host: Sandbox { network.host.namespace }
  init() throws { network = try Network() }

  private func mtu(_ link: String, _ sandbox: Sandbox) throws -> Int {
    try sandbox.link(link)["mtu"].integer ?? 0
  }

  @Test("takes the bridge's MTU, lowers nothing of another's, and has a gateway that keeps its own")
  func mtu() throws {
    try host.exec(
      "ip",
      ["link", "add", "up0", "mtu", "9000", "type", "veth", "peer", "name", "up1", "mtu", "9000"]
    ).checked()
    try ovs.vsctl("add-port", "br1", "up0")
    try eventually("the bridge has 9000") { try mtu("br1", host) == 9000 }
    let sandboxes = try [Sandbox(), Sandbox(), Sandbox()]
    let plain = network.addressed(
      "10.1.0.0/24", "fd00:1::/64",
      members: [
        "bandwidth": [
          "ingressRate": 1_000_000_000, "ingressBurst": 8000, "egressRate": 1_000_000_000,
          "egressBurst": 8000,
        ]
      ])
    let first = try network.plugin.add(plain, containerID: "c1", sandbox: sandboxes[0]).checked()
    #expect(try mtu("eth0", sandboxes[0]) == 9000)
    #expect(first["interfaces"].array.map { $0["mtu"].integer } == [9000, 9000])
    try network.plugin.check(plain, previous: first, containerID: "c1", sandbox: sandboxes[0])
      .checked()
    let gateway = network.addressed(
      "10.1.0.0/24", members: ["isGateway": true, "vlan": 7, "name": "net2"])
    try network.plugin.add(gateway, containerID: "c2", sandbox: sandboxes[1]).checked()
    // A frame of the whole size passes the limits of both rates.
    try sandboxes[2].exec("true").checked()
    let third = try network.plugin.add(plain, containerID: "c3", sandbox: sandboxes[2]).checked()
    #expect(try sandboxes[0].reaches(third.firstAddress, size: 8972))
    #expect(try mtu("br1", host) == 9000)

    let small = network.configuration(["mtu": 1400, "name": "net3", "logLevel": "warning"])
    let sandbox = try Sandbox()
    let result = try network.plugin.add(small, containerID: "c4", sandbox: sandbox)
    try result.checked()
    try Messages.expect(
      result.logged, of: "ovs-bridge", on: "ADD, an MTU that lowers that of the bridge",
      hiding: ["PORT": result.json["interfaces"][0]["name"].text ?? ""])
    try eventually("Open vSwitch has lowered its port") { try mtu("br1", host) == 1400 }
    #expect(try mtu("br1.7", host) == 9000)
  }

  @Test("is refused where IPv6 would not work at its MTU")
  func smallMTU() throws {
    let sandbox = try Sandbox()
    for (what, configuration) in [
      (
        "mtu 1279 and a subnet of IPv6",
        network.addressed("10.1.0.0/24", "fd00:1::/64", members: ["mtu": 1279])
      ),
      (
        "mtu 1000 and an IPv6 address by IPAM",
        network.configuration([
          "mtu": 1000, "ipam": ["type": "static"], "runtimeConfig": ["ips": ["fd00:1::2/64"]],
        ])
      ),
    ] {
      let refused = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      try Messages.expect(refused, code: 7, of: "ovs-bridge", on: "ADD, \(what)")
    }
    let fit = network.addressed("10.1.0.0/24", members: ["mtu": 576])
    try network.plugin.add(fit, containerID: "c1", sandbox: sandbox).checked()
    #expect(try mtu("eth0", sandbox) == 576)
  }

  @Test(
    "takes router advertisements as acceptRA says, and without it not where IPAM gives addresses")
  func acceptRA() throws {
    for (members, addressed, expected) in [
      ([:], true, "0"), ([:], false, "1"), (["acceptRA": true], true, "2"),
      (["acceptRA": false], false, "0"),
    ] as [([String: Document], Bool, String)] {
      let sandbox = try Sandbox()
      let configuration =
        addressed
        ? network.addressed("10.1.0.0/24", members: members) : network.configuration(members)
      try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
      let path = "/proc/sys/net/ipv6/conf/eth0/accept_ra"
      #expect(try sandbox.exec("cat", [path]).stdout == "\(expected)\n", "\(members) \(addressed)")
      try network.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
    }
  }

  @Test("is refused with a cure where the kernel would refuse a route")
  func routes() throws {
    let sandbox = try Sandbox()
    for (what, routes) in [
      ("a route by a gateway of no subnet", [["dst": "0.0.0.0/0", "gw": "10.9.0.1"]]),
      ("a route of ranges twice", [["dst": "10.7.0.0/16"], ["dst": "10.7.0.0/16"]]),
      (
        "an IPv6 route of ranges twice",
        [["dst": "fd00:7::/64", "gw": "fd00:1::9"], ["dst": "fd00:7::/64", "gw": "fd00:1::9"]]
      ),
    ] as [(String, Document)] {
      var configuration = network.addressed("10.1.0.0/24", "fd00:1::/64")
      configuration = configuration.with(["ipam": configuration["ipam"].with(["routes": routes])])
      let refused = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      try Messages.expect(refused, code: 7, of: "ovs-bridge", on: "ADD, \(what)")
      // Nothing was asked for, and patchbay validate says the same.
      #expect(!FileManager.default.fileExists(atPath: "\(network.host.directory.path)/leases"))
      let list = try network.host.directory.write(
        String(
          decoding: Document.object([
            "cniVersion": "1.0.0", "name": "net1",
            "plugins": [configuration.with(["cniVersion": .absent, "name": .absent])],
          ]).encoded, as: UTF8.self), to: "routes.conflist")
      let judged = try host.exec(
        "\(Plugin.directory)/patchbay", ["validate", list],
        environment: ["CNI_PATH": Plugin.directory])
      #expect(judged.status == 1, "\(judged)")
      try Messages.expect(
        judged.stdout, of: "patchbay", on: "validate, \(what)", hiding: ["FILE": list])
    }
    // Of other IPAM plugins the addresses are known when they have answered.
    let fixed = network.configuration([
      "ipam": [
        "type": "static", "addresses": [["address": "10.1.0.5/24"]],
        "routes": [["dst": "0.0.0.0/0", "gw": "10.9.0.1"]],
      ]
    ])
    let refused = try network.plugin.add(fixed, containerID: "c1", sandbox: sandbox)
    #expect(refused.code == 7, "\(refused)")
    try Messages.expect(
      refused.message, of: "ovs-bridge", on: "ADD, a gateway of a route that no address reaches")
    // What the message proposes works.
    let cured = fixed.with([
      "ipam": fixed["ipam"].with([
        "routes": [
          ["dst": "10.9.0.1/32", "scope": 253], ["dst": "0.0.0.0/0", "gw": "10.9.0.1"],
          // Two ways to one place are none too many.
          ["dst": "10.7.0.0/16", "gw": "10.1.0.8"], ["dst": "10.7.0.0/16", "gw": "10.1.0.9"],
          // To the kernel table 0 is the main one.
          ["dst": "10.8.0.0/16", "table": 0],
        ]
      ])
    ])
    let result = try network.plugin.add(cured, containerID: "c1", sandbox: sandbox).checked()
    try network.plugin.check(cured, previous: result, containerID: "c1", sandbox: sandbox)
      .checked()
    try network.plugin.del(cured, containerID: "c1", sandbox: sandbox).checked()
  }

  @Test("a bridge is made only where its name is free, and STATUS says so beforehand")
  func names() throws {
    for words in [
      ["link", "add", "cni0", "type", "bridge"],
      ["link", "add", "up0", "type", "veth", "peer", "name", "up1"],
    ] {
      try host.exec("ip", words).checked()
    }
    try ovs.vsctl("add-br", "fake0", "br1", "42")
    try ovs.vsctl("add-port", "br1", "in0", "--", "set", "Interface", "in0", "type=internal")
    let before = try network.host.settledSnapshot()
    let sandbox = try Sandbox()
    for (name, what) in [
      ("cni0", "a bridge of the kernel"), ("up0", "a veth link"), ("lo", "a link of no kind"),
      ("fake0", "a fake bridge"), ("in0", "a port"),
    ] {
      let configuration = network.addressed(
        "10.1.0.0/24", members: ["bridge": .string(name), "datapath": "netdev"])
      let status = try network.plugin.status(configuration)
      try Messages.expect(
        status, code: 50, of: "ovs-bridge", on: "STATUS, a bridge whose name \(what) has")
      let add = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      try Messages.expect(
        add, code: 7, of: "ovs-bridge", on: "ADD, a bridge whose name \(what) has")
    }
    try network.expectAsBefore(before)
  }

  @Test("an address that the runtime requests decides no address and no route of the host")
  func requestedAddress() throws {
    func configuration(_ addresses: Document, _ ips: Document) -> Document {
      network.configuration([
        "isDefaultGateway": true, "ipMasq": true, "runtimeConfig": ["ips": ips],
        "ipam": ["type": "static", "addresses": addresses],
      ])
    }
    let before = try network.host.settledSnapshot()
    let sandbox = try Sandbox()
    let subnets: Document = [["address": "10.5.0.0/24", "gateway": "10.5.0.254"]]
    for (addresses, ips) in [
      (Document.absent, ["198.51.100.1/2"]), (subnets, ["198.51.100.1/2"]),
      (subnets, ["10.5.0.9/24", "fd00:5::1/8"]),
    ] {
      let requested = Document.array(ips.map { .string($0) })
      let refused = try network.plugin.add(
        configuration(addresses, requested), containerID: "c1", sandbox: sandbox)
      try Messages.expect(
        refused, code: 7, of: "ovs-bridge",
        on: "ADD, no gateway of \(ips), \(addresses.isAbsent ? "without" : "with") a subnet")
      try network.expectAsBefore(before)
    }
    // Neither the length nor a gateway of the request gets to the host.
    let inside = configuration(subnets, ["10.5.0.9/8"])
    let result = try network.plugin.add(
      inside, containerID: "c1", sandbox: sandbox, args: "IgnoreUnknown=1;GATEWAY=10.5.0.77"
    ).checked()
    let link = try network.host.ip("address", "show", "br1")[0]["addr_info"].array
    #expect(
      link.filter { $0["family"] == "inet" }.map { "\($0["local"])/\($0["prefixlen"])" }
        == [#""10.5.0.254"/24"#])
    try network.plugin.check(
      inside, previous: result, containerID: "c1", sandbox: sandbox,
      args: "IgnoreUnknown=1;GATEWAY=10.5.0.77"
    ).checked()
  }

  @Test("a /proc/sys that cannot be written fails no ADD that does not need it")
  func readOnly() throws {
    let sandbox = try Sandbox()
    let configuration = network.addressed(
      "10.1.0.0/24", "fd00:1::/64", members: ["logLevel": "warning"])
    let variables = [
      "CNI_COMMAND=ADD", "CNI_CONTAINERID=c1", "CNI_NETNS=\(sandbox.path)", "CNI_IFNAME=eth0",
      "CNI_PATH=\(network.plugin.searchPath)",
    ]
    func add(_ configuration: Document) throws -> Output {
      try host.exec(
        "unshare",
        [
          "-m", "sh", "-c",
          "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec env \"$@\"",
          "sh",
        ] + variables + [network.plugin.path], input: configuration.encoded)
    }
    let plain = try add(configuration)
    let attached = PluginResult(plain)
    #expect(attached.status == 0, "\(plain)")
    let name = ["PORT": attached.json["interfaces"][0]["name"].text ?? ""]
    try Messages.expect(
      attached.logged, of: "ovs-bridge", on: "ADD, /proc/sys is read-only", hiding: name)
    #expect(try sandbox.addresses().sorted() == ["10.1.0.2/24", "fd00:1::2/64"])
    try network.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
    // What was asked for is needed.
    let asked = try add(configuration.with(["acceptRA": true]))
    try Messages.expect(
      PluginResult(asked), code: 999, of: "ovs-bridge", on: "ADD, acceptRA, /proc/sys is read-only",
      hiding: name)
  }
}
