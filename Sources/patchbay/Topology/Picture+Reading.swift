import Addresses
import Attachments
import CNI
import Linux
import Netlink
import OVSDB
import PluginCore
import Unixctl

extension Picture {
  /// Reads this host.
  init(reading endpoint: String, until deadline: Deadline) throws {
    let host: HostReading
    do { host = try HostReading(Endpoint(endpoint), until: deadline) } catch {
      throw Failure("\(error)")
    }
    self.init(host, endpoint: endpoint)
  }

  /// Draws what was read.
  init(_ host: HostReading, endpoint: String) {
    self.endpoint = endpoint
    version = host.root.version
    problems = Self.problems(host)
    let attachments = Dictionary(host.attachments.map { ($0.port.name, $0) }) { first, _ in first }
    let peers = PeerSearch(host)
    let drops = ForwardProblem.byGateway(on: host)
    let logicalPorts = LogicalPortReading(host)
    bridges = host.bridges.map { Bridge($0, attachments, peers, drops, logicalPorts, on: host) }
    problems += logicalPorts?.problems ?? []
    notes = logicalPorts?.notes ?? []
    for found in host.portlessLinks {
      problems.append("link \(found.link.name) of the attachment \(found.text) is no port")
    }
  }

  /// What is wrong with ovs-vswitchd.
  private static func problems(_ host: HostReading) -> [String] {
    var problems: [String] = []
    if !host.isServed {
      problems.append(
        "ovs-vswitchd is not running: a userspace datapath forwards nothing, the kernel's nothing "
          + "new; \(SwitchService.restart) starts it")
    } else if let silence = host.silence, silence.isTimeout {
      problems.append("ovs-vswitchd does not respond: \(silence)")
    }
    if !host.root.isSettled {
      let (next, current) = (host.root.nextConfiguration, host.root.currentConfiguration)
      problems.append(
        "ovs-vswitchd has not taken over the last changes (cur_cfg \(current), next_cfg \(next))"
          + (problems.isEmpty ? ": is it running?" : ""))
    }
    return problems
  }
}

extension Picture.Bridge {
  fileprivate init(
    _ row: DatabaseReading.Bridge, _ attachments: [String: AttachmentReading], _ peers: PeerSearch,
    _ drops: [String: [ForwardProblem]], _ logicalPorts: LogicalPortReading?,
    on host: HostReading
  ) {
    name = row.name
    datapath = row.datapath
    ports = row.ports.map { portRow in
      var port = Picture.Port(portRow, of: row, on: host)
      if let attachment = attachments[port.name] {
        port.readContainer(attachment, until: host.deadline)
      } else {
        port.peer = port.interfaces.first?.link.flatMap { peers.place(of: $0)?.text }
      }
      if let logicalPorts { port.readLogicalPort(portRow, logicalPorts) }
      port.readGateway(host)
      port.readGuard(row, on: host)
      return port
    }.sorted { $0.name == row.name || $1.name != row.name && $0.name < $1.name }
    let own = ports.first { $0.name == row.name }?.interfaces.first?.link?.mtu
    let gateways = Dictionary(ports.map { ($0.name, $0.gatewayAddresses) }) { first, _ in first }
    for index in ports.indices {
      ports[index].compareMTU(with: own ?? 1500)
      guard let name = ports[index].gateway?.port else { continue }
      ports[index].gateway?.addresses = gateways[name] ?? []
    }
    (failMode, controllers) = (row.failMode, row.controllers)
    (hasSpanningTree, mirrors) = (row.hasSpanningTree, row.mirrors)
    if row.failMode == "secure" { settings.append("fail_mode secure") }
    if row.hasSpanningTree { settings.append("spanning tree") }
    for controller in row.controllers {
      settings.append(
        "controller \(controller.target)" + (controller.isConnected ? "" : ", not connected"))
    }
    settings += row.mirrors.compactMap(\.setting)
    if row.failMode == "secure", row.controllers.isEmpty, Self.hasFlows(row.name, host) == false {
      problems.append(
        "fail_mode is secure, and there is neither a controller nor a flow: nothing is forwarded; "
          + "ovs-vsctl del-fail-mode \(row.name) lets it switch by itself")
    }
    findTwins()
    for index in ports.indices {
      ports[index].problems += (drops[ports[index].name] ?? []).map(\.advice)
    }
  }

  /// Whether the bridge has flows, but for those that every bridge has; nil where it cannot be
  /// told.
  private static func hasFlows(_ bridge: String, _ host: HostReading) -> Bool? {
    guard host.isServed, let control = host.control,
      let text = try? control.run("bridge/dump-flows", [bridge], until: host.deadline)
    else { return nil }
    return text.split(separator: "\n").contains { !$0.contains("table_id=254") }
  }
}

extension Picture.Port {
  /// Takes over what was read in the sandbox, and finds what is wrong with it.
  fileprivate mutating func readContainer(
    _ attachment: AttachmentReading, until deadline: Deadline
  ) {
    let path = attachment.record.sandbox
    guard !path.isEmpty else { return }
    switch attachment.inside {
    case .success(let inside):
      container = .init(link: inside.link, addresses: inside.addresses.map(\.prefix))
      readRates(inside, until: deadline)
      problems += Self.problems(
        attachment.record, interfaces.first?.link, inside.link,
        inside.addresses.map(\.prefix.description))
    case .failure(.sandboxGone): problems.append("the sandbox \(path) is gone")
    case .failure(.notANamespace):
      problems.append("the sandbox \(path) is no network namespace any more")
    case .failure(.linkMissing):
      problems.append(
        "there is no link \(attachment.record.attachment.interfaceName) in the sandbox \(path)")
    case .failure(.unreadable(let reason)):
      problems.append("the sandbox \(path) cannot be looked into: \(reason)")
    }
  }

  private static func problems(
    _ record: AttachmentRecord, _ host: Link?, _ link: Link, _ addresses: [String]
  ) -> [String] {
    var problems: [String] = []
    if let host, link.peerIndex != host.index {
      problems.append("link \(link.name) in the sandbox is not the other end of \(host.name)")
    }
    if !link.isUp { problems.append("link \(link.name) in the sandbox is down") }
    if let mac = record.mac, let own = link.mac?.description, mac != own {
      problems.append("link \(link.name) in the sandbox has MAC \(own), and was given \(mac)")
    }
    let missing = record.addresses.filter { !addresses.contains($0) }
    if !missing.isEmpty {
      problems.append(
        "link \(link.name) in the sandbox lacks the address \(missing.joined(separator: ", "))")
    }
    return problems
  }
}

extension ControlError {
  /// Whether there is a daemon that accepts, and never responds.
  fileprivate var isTimeout: Bool {
    if case .timedOut = self { true } else { false }
  }
}
