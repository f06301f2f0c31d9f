import Foundation
import PortGuard
import TestSupport
import Testing

@Suite("ovs-bridge with a guard", .privateHost) struct AttachmentTests {
  @Test("lets pass what the table lets pass, and tells so in the port's row")
  func table() throws {
    let network = try Guarded()
    let result = try network.attach()
    try network.expect(Case.table + Case.dhcp(false))
    let name = result["interfaces"][0]["name"].text ?? ""
    let row = try network.host.openVSwitch.row("Port", name)
    #expect(row["external_ids"]["guard"] == "full")
    for address in ["10.1.0.9", "fd00::9"] { #expect(try network.reaches(address)) }
    try network.container.exec("ip", ["address", "add", "10.1.0.3/24", "dev", "eth0"]).checked()
    #expect(try !network.reaches("10.1.0.9", from: "10.1.0.3"))
    try network.check(result).checked()
  }

  @Test("does so on an access port, on a trunk and with a native VLAN")
  func vlans() throws {
    let access = try Guarded()
    try access.attach(both: ["vlan": 10])
    try access.expect(Case.table) { $0.vlan == 0 }
    let trunk = try Guarded()
    try trunk.attach(both: ["trunk": [["id": 5]]])
    try trunk.expect(Case.table + Case.table.map { $0.tagged(5) }, last: .last(5)) { $0.vlan == 5 }
    let native = try Guarded()
    try native.attach(both: ["vlan": 10, "trunk": [["id": 5]]])
    try native.expect(Case.table + Case.table.map { $0.tagged(5) })
  }

  @Test("is not passed by with a redirect of the container's own", .only(on: .kernel))
  func redirect() throws {
    let network = try Guarded()
    try network.attach()
    try network.container.redirect("p0", to: "eth0")
    try network.expect(Case.table, through: "p0")
  }

  @Test(
    "of the Ethernet address alone, also as the reference bridge plugin spells it",
    arguments: ["guard", "macspoofchk"])
  func mac(_ member: String) throws {
    let network = try Guarded()
    let value: Document = member == "guard" ? "mac" : true
    var members: [String: Document] = ["guard": .absent, "ipam": .absent]
    members[member] = value
    try network.attach(members)
    let policy = GuardPolicy(.mac, try Container.policy().senders.filter { $0.mac.bytes[0] == 2 })
    let cases = Case.table.filter { $0.isForwarded && $0.vlan != 0 || $0.bytes[12] == 0x08 }
    let received = try exchange(
      cases.map { $0.bytes }, last: Case.arp[0].bytes, from: network.container,
      to: network.receiver)
    for (number, item) in cases.enumerated() {
      #expect(received.contains(number) == Verdict(policy, item.bytes).passes, "\(item)")
    }
  }

  @Test("stays while ovs-vswitchd is killed and comes back")
  func restart() throws {
    let network = try Guarded()
    try network.attach()
    let ovs = network.host.openVSwitch
    ovs.switching?.signal(SIGKILL)
    ovs.stopSwitching()
    try ovs.startSwitching()
    try eventually("it forwards again") { try network.reaches("10.1.0.9") }
    try network.expect(Case.arp + Case.ipv4)
  }

  @Test("lets an address be found free, also with large frames")
  func detection() throws {
    let network = try Guarded()
    let result = try network.attach(["enableDAD": true], both: ["mtu": 9000])
    #expect(result["interfaces"][1]["mtu"].integer == 9000)
    let output = try network.container.exec(
      "ping", ["-n", "-c", "1", "-W", "3", "-M", "do", "-s", "8900", "10.1.0.9"])
    #expect(output.status == 0, "\(output)")
  }

  @Test("drops nothing of what an ordinary container sends, and the tool shows that")
  func ordinary() throws {
    let network = try Guarded()
    try network.attach([
      "enableDAD": true, "bandwidth": ["egressRate": 100_000_000, "egressBurst": 8_000_000],
    ])
    for address in ["10.1.0.9", "fd00::9"] { #expect(try network.reaches(address)) }
    // The other one asks for it, and is told of it again.
    for address in ["10.1.0.2", "fd00::2"] {
      let output = try network.receiver.exec("ping", ["-n", "-c", "1", "-W", "3", address])
      #expect(output.status == 0, "\(output)")
    }
    for setting in ["arp_notify", "ndisc_notify"] {
      let family = setting == "arp_notify" ? "ipv4" : "ipv6"
      try network.container.exec(
        "sh", ["-c", "echo 1 > /proc/sys/net/\(family)/conf/eth0/\(setting)"]
      ).checked()
    }
    try network.container.exec("ip", ["link", "set", "eth0", "up"]).checked()
    #expect(try network.shown()["guard"]["dropped"].integer == 0)
    try network.expect(Case.ipv4)
    let shown = try network.shown()
    #expect(shown["guard"]["mode"] == "full")
    #expect(shown["problems"] == [])
    let dropped = shown["guard"]["dropped"].integer ?? 0
    #expect(dropped >= Case.ipv4.count { !$0.passes })
    let mechanism = Datapath.current == .userspace ? "XDP" : "nftables"
    let text = try network.show().stdout
    #expect(text.contains("guard     full, by \(mechanism), \(dropped) frames dropped"), "\(text)")
  }

  @Test("is compared by CHECK, which says what is missing")
  func checks() throws {
    let network = try Guarded()
    let result = try network.attach()
    let name = result["interfaces"][0]["name"].text ?? ""
    let changed = try network.check(result, ["guard": true])
    let port = ["PORT": name]
    let table = "patchbay-guard-\(name)"
    let removal =
      switch Datapath.current {
      case .userspace: ["ip", "link", "set", name, "xdp", "off"]
      case .kernel: ["nft", "delete", "table", "netdev", table]
      }
    try network.host.namespace.exec(removal[0], Array(removal.dropFirst())).checked()
    let shown = try network.shown()["problems"].array.compactMap { $0.text }
    try Messages.expect(
      shown.joined(separator: "\n"), of: "patchbay", on: "show: the guard is gone", hiding: port)
    let missing = try network.check(result)
    switch Datapath.current {
    case .userspace:
      try Messages.expect(
        changed, code: 999, of: "ovs-bridge", on: "CHECK, another XDP program", hiding: port)
      try Messages.expect(
        missing, code: 999, of: "ovs-bridge", on: "CHECK, the XDP program is gone", hiding: port)
    case .kernel:
      #expect(changed.code == 999 && changed.message.contains(table), "\(changed)")
      #expect(missing.code == 999 && missing.message.contains(table), "\(missing)")
    }
  }

  /// The machine with the kernel's datapath has no reference plugins.
  @Test(
    "knows when a later plugin gave the container an Ethernet address that cannot pass",
    .only(on: .userspace))
  func tuned() throws {
    let network = try Guarded()
    let tuning = network.host.plugin("tuning", reference: true)
    func tune(_ mac: String, _ result: Document) throws -> Document {
      try tuning.add(
        [
          "cniVersion": "1.0.0", "name": "net1", "type": "tuning", "mac": .string(mac),
          "prevResult": result.with(["cniVersion": "1.0.0"]),
        ], containerID: "c1", sandbox: network.container
      ).checked()
    }
    let version: [String: Document] = ["cniVersion": "1.0.0"]
    let result = try network.attach(version)
    let virtual = try tune(Container.virtual, result)
    try network.check(virtual, version).checked()
    try network.container.exec("ip", ["address", "add", "10.1.0.100/24", "dev", "eth0"]).checked()
    #expect(try network.reaches("10.1.0.9", from: "10.1.0.100"))
    let other = try tune(Container.other, result)
    let refused = try network.check(other, version)
    try Messages.expect(
      refused, code: 999, of: "ovs-bridge", on: "CHECK, an Ethernet address that the guard drops",
      hiding: ["PORT": result["interfaces"][0]["name"].text ?? ""])
    #expect(try !network.reaches("10.1.0.9"))
  }

  @Test("leaves nothing behind, by DEL, by the loss of the link, or by GC")
  func removal() throws {
    let network = try Guarded()
    let before = try network.host.snapshot()
    let configuration = network.configuration()
    func isAsBefore() throws {
      try eventually("nothing is left") {
        try network.host.snapshot().difference(from: before).isEmpty
      }
    }
    func add() throws -> String {
      let result = try network.plugin.add(
        configuration, containerID: "c1", sandbox: network.container
      ).checked()
      return result["interfaces"][0]["name"].text ?? ""
    }
    _ = try add()
    try network.plugin.del(configuration, containerID: "c1", sandbox: network.container).checked()
    try isAsBefore()
    let name = try add()
    try network.host.namespace.exec("ip", ["link", "delete", name]).checked()
    try network.plugin.del(configuration, containerID: "c1", sandbox: nil).checked()
    try isAsBefore()
    _ = try add()
    try network.plugin.gc(configuration, valid: []).checked()
    try isAsBefore()
  }

  @Test("removes the rules of its network that an ADD left, and no other's")
  func rules() throws {
    let network = try Guarded()
    let result = try network.attach()
    let name = result["interfaces"][0]["name"].text ?? ""
    let nft = network.host.namespace
    func table(_ link: String, _ owner: String) throws {
      try nft.exec(
        "nft",
        ["add table netdev patchbay-guard-\(link) { comment \"patchbay:\(owner)\" ; }"]
      ).checked()
    }
    func tables() throws -> [String] {
      try nft.exec("nft", ["list", "tables"]).checked().stdout.split(separator: "\n").compactMap {
        $0.split(separator: " ").last.map(String.init)
      }.filter { $0.hasPrefix("patchbay-guard-") }.sorted()
    }
    try table("vethnobody", "net1/c7/eth0")
    try table("vethother", "net2/c7/eth0")
    try table(name, "net1/c1/eth0")
    try network.plugin.gc(network.configuration(), valid: [("c1", "eth0"), ("c2", "eth0")])
      .checked()
    #expect(try tables() == ["patchbay-guard-\(name)", "patchbay-guard-vethother"].sorted())
    try network.plugin.del(network.configuration(), containerID: "c1", sandbox: network.container)
      .checked()
    #expect(try tables() == ["patchbay-guard-vethother"])
  }

  @Test("is a program on the kernel's datapath, too, where flows may be in the hardware")
  func offloaded() throws {
    let network = try Guarded()
    let ovs = network.host.openVSwitch
    // Where the kernel has no such datapath, ADD fails when the link is guarded and cannot be a
    // port.
    try ovs.vsctl(
      "--no-wait", "add-br", "br8", "--", "set", "Bridge", "br8", "datapath_type=system")
    func guarding(_ isOffloaded: Bool) throws -> [Substring] {
      try ovs.vsctl(
        "--no-wait", "set", "Open_vSwitch", ".", "other_config:hw-offload=\(isOffloaded)")
      let configuration = network.configuration([
        "bridge": "br8", "logLevel": "debug",
        "logFile": .string("\(network.host.directory.path)/log"),
      ])
      unlink("\(network.host.directory.path)/log")
      let sandbox = try Sandbox()
      _ = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      try network.plugin.del(configuration, containerID: "c1", sandbox: nil).checked()
      return (network.host.directory.read("log") ?? "").split(separator: "\n").filter {
        $0.contains("guarded the host end")
      }
    }
    for (isOffloaded, mechanism) in [(false, "nftables"), (true, "xdp")] {
      let lines = try guarding(isOffloaded)
      #expect(!lines.isEmpty && lines.allSatisfy { $0.contains("by \(mechanism)") }, "\(lines)")
    }
    try ovs.vsctl("--no-wait", "del-br", "br8")
  }

  @Test("stays whole with the reference bandwidth plugin after it", .only(on: .userspace))
  func limited() throws {
    let network = try Guarded()
    let version: [String: Document] = ["cniVersion": "1.0.0"]
    let result = try network.attach(version)
    let bandwidth = network.host.plugin("bandwidth", reference: true)
    let configuration: Document = [
      "cniVersion": "1.0.0", "name": "net1", "type": "bandwidth", "ingressRate": 100_000_000,
      "ingressBurst": 8_000_000, "egressRate": 100_000_000, "egressBurst": 8_000_000,
      "prevResult": result.with(version),
    ]
    let limited = try bandwidth.add(
      configuration, containerID: "c1", sandbox: network.container
    ).checked()
    try network.expect(Case.table)
    try network.check(limited, version).checked()
    try bandwidth.del(configuration, containerID: "c1", sandbox: network.container).checked()
    try network.check(result, version).checked()
  }

  /// On the kernel's datapath there is no program to load.
  @Test(
    "is refused where this host cannot have it, and STATUS says so", .only(on: .userspace))
  func unavailable() throws {
    let network = try Guarded()
    try network.plugin.status(network.configuration()).checked()
    // Root who may do everything with the network, and may not load programs.
    let refused = try network.plugin.call(
      "STATUS", network.configuration(["ipam": .absent, "guard": "mac"]), containerID: nil,
      sandbox: nil, ifname: nil, through: ["setpriv", "--bounding-set=-bpf,-sys_admin"])
    try Messages.expect(
      refused, code: 50, of: "ovs-bridge", on: "STATUS, a guard without the right to load programs")
  }
}
