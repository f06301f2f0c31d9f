import PluginCore
import Addresses
import Attachments
import CNI
import Linux
import Netlink
import OpenVSwitch
import PublishedPorts
import Unixctl

/// The checks of this host that need no destination.
struct Doctor {
  let host: HostReading

  init(_ host: HostReading) { self.host = host }

  var groups: [DoctorGroup] {
    [openVSwitch, bridges, ports, attachments, gateways] + (logicalPorts.map { [$0] } ?? [])
  }

  /// Those of OVN; nil where this host has none.
  private var logicalPorts: DoctorGroup? {
    guard let reading = LogicalPortReading(host) else { return nil }
    var findings = Findings()
    for text in reading.problems { findings.doubt("ovn-database", "OVN", "\(text).") }
    for text in reading.notes { findings.skipped("ovn-database", "OVN", "\(text).") }
    for port in host.bridges.flatMap(\.ports) {
      guard let interface = port.interfaces.first,
        let problem = reading.problem(of: interface)
      else { continue }
      let text = problem.remedy == nil ? problem.description : problem.text
      findings.fault(
        "logical-port", port.name, "\(port.name): \(text)\(text.hasSuffix("?") ? "" : ".")",
        remedy: problem.remedy)
    }
    return DoctorGroup(
      name: "Logical ports", summary: "\(reading.ports.count), all up", findings: findings)
  }

  private var openVSwitch: DoctorGroup {
    var findings = Findings()
    SwitchChecks.check(host, &findings)
    if host.bridges.contains(where: { $0.datapath == .netdev }),
      (try? FileStatus(path: "/dev/net/tun")) == nil
    {
      findings.fault(
        "no-tun", "/dev/net/tun",
        "There is no /dev/net/tun, so a bridge on the userspace datapath has no port of its own.",
        remedy: "modprobe tun")
    }
    checkLosses(&findings)
    let remark = checkDrops(&findings)
    let version = host.version.map { "; version \($0)" } ?? ""
    return DoctorGroup(
      name: "Open vSwitch", summary: "ovsdb-server and ovs-vswitchd respond\(version)",
      findings: findings, remark: remark)
  }

  private var bridges: DoctorGroup {
    var findings = Findings()
    for bridge in host.bridges {
      for controller in bridge.controllers where !controller.isConnected {
        findings.doubt(
          "controller", bridge.name,
          "\(bridge.name): the controller \(controller.target) is not connected.",
          remedy: "ovs-vsctl get-controller \(bridge.name.shellWord)")
      }
      if bridge.failMode == "secure", let control = host.control,
        let text = try? control.run(
          "ofproto/trace", [bridge.name, "in_port=LOCAL,arp"], until: host.deadline),
        FlowTrace(text).lastTable?.isMiss == true
      {
        findings.fault(
          "secure-without-flows", bridge.name,
          "\(bridge.name): fail_mode secure and no flow, so it drops everything.",
          remedy: "ovs-ofctl add-flow \(bridge.name.shellWord) priority=0,actions=NORMAL")
      }
      if bridge.hasSpanningTree {
        findings.doubt(
          "stp", bridge.name,
          "\(bridge.name): spanning tree is on; ports of others wait 30 s before they forward.")
      }
      for port in bridge.ports where port.name == bridge.name {
        for interface in port.interfaces where interface.ofport == -1 || interface.error != nil {
          findings.fault(
            "port-error", bridge.name,
            "\(bridge.name): ovs-vswitchd cannot make it"
              + (interface.error.map { ": \($0)" } ?? "") + ".", remedy: "ovs-vsctl show")
        }
      }
    }
    let count = host.bridges.count
    return DoctorGroup(
      name: "Bridges", summary: count == 0 ? "there is none" : "\(count), all well",
      findings: findings)
  }

  private var ports: DoctorGroup {
    var findings = Findings()
    var count = 0
    for bridge in host.bridges {
      for port in bridge.ports {
        count += 1
        let isOurs = host.attachments.contains { $0.port.name == port.name }
        if !isOurs { SwitchChecks.check(port, of: nil, host, &findings) }
        checkColumns(port, &findings)
      }
    }
    let attached = Set(host.attachments.map(\.text))
    // One that has a port by another name is found with its attachment.
    for found in host.portlessLinks where !attached.contains(found.text) {
      findings.add(found.finding(on: host))
    }
    return DoctorGroup(
      name: "Ports", summary: count == 0 ? "there is none" : "\(count), all well",
      findings: findings)
  }

  private func checkColumns(_ port: DatabaseReading.Port, _ findings: inout Findings) {
    findings.checkTag(of: port)
    for interface in port.interfaces where interface.type == "system" {
      if let asked = interface.ofportRequest, let given = interface.ofport, given > 0,
        asked != given
      {
        findings.doubt(
          "ofport-request", port.name,
          "\(port.name): the OpenFlow port \(asked) was requested, and it has \(given).")
      }
      guard let link = host.link(interface.name) else { continue }
      for address in host.addresses(of: link.index) where address.scope == .universe {
        findings.fault(
          "address-on-port", port.name,
          "\(port.name) has the address \(address.prefix); on a port it does not work.",
          remedy: "ip address del \(address.prefix) dev \(port.name.shellWord)")
      }
    }
  }

  private var attachments: DoctorGroup {
    var findings = Findings()
    for attachment in host.attachments { SwitchChecks.check(attachment, host, &findings) }
    SwitchChecks.checkDuplicates(host.attachments, host, &findings)
    for attachment in host.attachments where attachment.bridge.datapath == .netdev {
      guard host.root.otherConfiguration["userspace-tso-enable"] != "true",
        let end = attachment.end,
        (try? end.socket.hasTransmitChecksumOffload(end.link.name)) == true
      else { continue }
      findings.fault(
        "tx-checksum", attachment.name,
        "\(attachment.name) \(end.link.name): TX checksum offload is on: ping works, TCP does not.",
        remedy: "\(attachment.entering) ethtool -K \(end.link.name) tx off")
    }
    for attachment in host.attachments { findings.checkGuard(of: attachment, host) }
    checkSizes(&findings)
    checkHostEnds(&findings)
    let count = host.attachments.count
    return DoctorGroup(
      name: "Attachments", summary: count == 0 ? "there is none" : "\(count), all well",
      findings: findings)
  }

  /// Networks whose containers have different MTUs: what the one sends the other does not take.
  private func checkSizes(_ findings: inout Findings) {
    var sizes: [String: [(size: UInt32, attachment: AttachmentReading)]] = [:]
    for attachment in host.attachments {
      guard let end = attachment.end else { continue }
      sizes[attachment.record.network, default: []].append((end.link.mtu, attachment))
    }
    for (network, ends) in sizes.sorted(by: { $0.key < $1.key }) {
      let ends = ends.sorted { ($0.size, $0.attachment.name) < ($1.size, $1.attachment.name) }
      guard let least = ends.first, let size = ends.last?.size, least.size < size,
        let most = ends.first(where: { $0.size == size })
      else { continue }
      let (small, large) = (least.attachment, most.attachment)
      let interface = large.record.attachment.interfaceName
      findings.doubt(
        "mtu", network,
        "On network \(network), \(small.name) has MTU \(least.size) and \(large.name) "
          + "\(most.size): large packets may vanish between them.",
        remedy: "\(large.entering) ip link set \(interface.shellWord) mtu \(least.size)")
    }
  }

  private var gateways: DoctorGroup {
    var findings = Findings()
    let names = Set(host.attachments.compactMap { $0.port.externalIDs["gateway"] }).sorted()
    let drops = ForwardProblem.byGateway(on: host)
    for name in names { check(gateway: name, drops[name] ?? [], &findings) }
    checkLoopbackRoutes(&findings)
    // What flushes rules flushes those of all.
    var networks: Set<String> = []
    for attachment in host.attachments where networks.insert(attachment.record.network).inserted {
      findings.checkMasquerade(of: attachment, attachment.record.network, until: host.deadline)
    }
    return DoctorGroup(
      name: "Gateways", summary: names.isEmpty ? "there is none" : "\(names.count), all well",
      findings: findings)
  }

  /// Links to containers by which neighbours reach what listens on 127.0.0.1 only.
  private func checkLoopbackRoutes(_ findings: inout Findings) {
    let ports = host.bridges.flatMap { $0.ports.flatMap { $0.interfaces.map(\.name) } }
    let open = ports.filter { host.link($0) != nil && LoopbackRoute.isOpen($0) }
    guard !open.isEmpty else { return }
    let closed: [String]
    do throws(PublishedPortsError) {
      closed = try PortFirewall(until: host.deadline).closedLinks()
    } catch {
      findings.skipped("route-localnet", "this host", "published ports cannot be read: \(error)")
      return
    }
    for name in open where !closed.contains(name) {
      findings.fault(
        "route-localnet", name,
        "\(name): route_localnet is 1, and nothing drops what comes in to 127.0.0.0/8: containers "
          + "reach what listens on 127.0.0.1 only.",
        remedy: "sysctl -w net/ipv4/conf/\(name)/route_localnet=0")
    }
  }

  private func check(
    gateway name: String, _ drops: [ForwardProblem], _ findings: inout Findings
  ) {
    let users = host.attachments.filter { $0.port.externalIDs["gateway"] == name }
    let network = users.first?.record.network ?? ""
    guard let link = host.link(name) else {
      findings.fault(
        "gateway-lost", name, "The gateway \(name) of network \(network) is gone.",
        remedy: users.first.flatMap { host.remaking(gateway: name, of: $0) })
      return
    }
    if !link.isUp {
      findings.fault(
        "gateway-down", name, "The gateway \(name) is down.", remedy: "ip link set \(name) up")
    }
    let own = host.addresses(of: link.index).filter { $0.scope == .universe }
    let missing = host.missingMarks(ofGateway: name)
    for network in Set(missing.map(\.network)).sorted() {
      let list = missing.filter { $0.network == network }.map(\.prefix.description)
      findings.fault(
        "gateway-lost", name,
        "The gateway \(name) of network \(network) lacks its address "
          + "\(list.joined(separator: ", ")).",
        remedy: "patchbay repair \(network)")
    }
    if own.isEmpty, missing.isEmpty {
      findings.fault(
        "gateway-lost", name, "The gateway \(name) of network \(network) has no address.",
        remedy: "patchbay repair \(network)")
    }
    checkSettings(ofGateway: name, network, &findings)
    for problem in drops {
      findings.fault("forward-drops", name, "\(problem.text).", remedy: problem.remedy)
    }
    for family in Set(own.map(\.prefix.address.family)) {
      let path = family == .v6 ? "ipv6/conf/all/forwarding" : "ipv4/ip_forward"
      guard let namespace = try? NetworkNamespace.current(),
        (try? namespace.readSetting(path)) == "0"
      else { continue }
      let setting = path.split(separator: "/").joined(separator: ".")
      findings.fault(
        "no-forwarding", name, "This host does not forward, and \(name) is a gateway.",
        remedy: "sysctl -w net.\(setting)=1")
    }
  }
}
