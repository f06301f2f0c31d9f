import Addresses
import CNI
import Linux
import Netlink
import OVSDB
import OpenVSwitch
import PluginCore

extension Picture {
  /// Asks ovsdb-server in one transaction, the kernel for all links of this namespace, and then for
  /// the container ends.
  init(reading endpoint: String, until deadline: Deadline) throws {
    let rows: Rows
    do { rows = try Rows(Endpoint(endpoint), until: deadline) } catch {
      let isOrdinary = Process.effectiveUser != 0
      throw Failure(
        error.description,
        hint: isOrdinary ? "The socket is for root, as a rule: use sudo." : nil)
    }
    let links: [Link]
    do { links = try RouteSocket().links(until: deadline) } catch {
      throw Failure(error.description)
    }
    self.endpoint = endpoint
    version = rows.version
    problems = rows.problems
    bridges = rows.bridges(Dictionary(links.map { ($0.name, $0) }) { first, _ in first })

    let sandboxes = Sandboxes(until: deadline)
    for bridge in bridges.indices {
      for port in bridges[bridge].ports.indices {
        sandboxes.visit(&bridges[bridge].ports[port])
      }
    }
    // A host end has its attachment in its alias, also when its port is gone.
    let ports = Set(bridges.flatMap { $0.ports.flatMap { $0.interfaces.map(\.name) } })
    for link in links where !ports.contains(link.name) {
      guard let alias = link.alias, alias.hasPrefix("patchbay:") else { continue }
      problems.append(
        "link \(link.name) of the attachment \(alias.dropFirst("patchbay:".count)) is no port")
    }
  }
}

/// The rows that make the picture, and only their columns that do.
private struct Rows {
  let version: String?
  let problems: [String]
  private let bridges: [Row<BridgeTable>]
  private let ports: [Reference: Row<PortTable>]
  private let interfaces: [Reference: Row<InterfaceTable>]

  init(_ endpoint: Endpoint, until deadline: Deadline) throws(OVSDBError) {
    var transaction = Transaction()
    let root = transaction.select(
      from: .openVSwitch, .columns(.version, .nextConfiguration, .currentConfiguration))
    let bridge = transaction.select(from: .bridge, .columns(.name, .datapathType, .ports))
    let port = transaction.select(
      from: .port, .columns(.uuid, .name, .interfaces, .vlanMode, .tag, .trunks, .externalIDs))
    let interface = transaction.select(
      from: .interface, .columns(.uuid, .name, .type, .ofport, .ifindex, .error))
    let results = try Connection(endpoint, until: deadline).transact(transaction, until: deadline)

    let configuration = results[root].first
    version = configuration?[.version]
    let next = configuration?[.nextConfiguration] ?? 0
    let current = configuration?[.currentConfiguration] ?? 0
    problems =
      next == current
      ? []
      : [
        "ovs-vswitchd has not taken over the last changes (cur_cfg \(current), next_cfg \(next)): "
          + "is it running?"
      ]
    bridges = results[bridge]
    ports = Dictionary(results[port].map { ($0[.uuid], $0) }) { first, _ in first }
    interfaces = Dictionary(results[interface].map { ($0[.uuid], $0) }) { first, _ in first }
  }

  func bridges(_ links: [String: Link]) -> [Picture.Bridge] {
    bridges.map { row in
      let name = row[.name]
      let ports = row[.ports].compactMap { self.ports[$0] }.map { port($0, links) }
      let datapath = row[.datapathType].isEmpty ? "system" : row[.datapathType]
      return Picture.Bridge(
        name: name, datapath: datapath,
        ports: ports.sorted { $0.name == name || $1.name != name && $0.name < $1.name })
    }.sorted { $0.name < $1.name }
  }

  private func port(_ row: Row<PortTable>, _ links: [String: Link]) -> Picture.Port {
    let externalIDs = row[.externalIDs]
    var problems: [String] = []
    let interfaces = row[.interfaces].compactMap { self.interfaces[$0] }.map { row in
      let type = row[.type].isEmpty ? "system" : row[.type]
      let link = links[row[.name]]
      problems += Self.problems(row, type, link)
      return Picture.Interface(name: row[.name], type: type, openFlowPort: row[.ofport], link: link)
    }
    return Picture.Port(
      name: row[.name],
      vlans: .init(mode: row[.vlanMode], tag: row[.tag], trunks: row[.trunks]),
      interfaces: interfaces, record: AttachmentRecord(externalIDs: { externalIDs[$0] }),
      owner: externalIDs["owner"], problems: problems)
  }

  private static func problems(_ row: Row<InterfaceTable>, _ type: String, _ link: Link?)
    -> [String]
  {
    let name = row[.name]
    var problems: [String] = []
    if let error = row[.error] {
      problems.append("ovs-vswitchd cannot use interface \(name): \(error)")
    } else if row[.ofport] == nil {
      problems.append("ovs-vswitchd has not seen interface \(name) yet: is it running?")
    } else if row[.ofport] == -1 {
      problems.append("ovs-vswitchd cannot use interface \(name): its ofport is -1")
    }
    // Those of other types have no link, or may have it in a container's namespace.
    guard type == "system" else { return problems }
    // Where there is no link, ovs-vswitchd says so, too, once it has noticed.
    guard let link else { return problems.isEmpty ? ["there is no link \(name) here"] : problems }
    let index = row[.ifindex] ?? 0
    if index != 0, index != Int64(link.index) {
      problems.append(
        "ovs-vswitchd uses a link with index \(index), but \(name) has index \(link.index)")
    } else if index == 0, row[.error] == nil, row[.ofport] != nil {
      problems.append("ovs-vswitchd does not see the link \(name), which has index \(link.index)")
    }
    if !link.isUp { problems.append("link \(name) is down") }
    return problems
  }
}

/// The sandboxes, each opened once.
private final class Sandboxes {
  private let deadline: Deadline
  private var sockets: [String: Result<RouteSocket, Reason>] = [:]

  /// Why a sandbox cannot be looked into.
  private struct Reason: Error { let text: String }

  init(until deadline: Deadline) { self.deadline = deadline }

  /// Reads the container end of `port`, where it is ours, and finds what is wrong with it.
  func visit(_ port: inout Picture.Port) {
    guard let record = port.record, !record.sandbox.isEmpty else { return }
    let name = record.attachment.interfaceName
    let inside: RouteSocket
    switch socket(record.sandbox) {
    case .success(let socket): inside = socket
    case .failure(let reason):
      port.problems.append(reason.text)
      return
    }
    do {
      let link = try inside.link(.named(name), until: deadline)
      let addresses = try inside.addresses(of: link.index, until: deadline).map(\.prefix)
      port.container = .init(link: link, addresses: addresses)
      port.problems += Self.problems(port, record, link, addresses.map(\.description))
    } catch {
      port.problems.append(
        error.errno == .noSuchDevice
          ? "there is no link \(name) in the sandbox \(record.sandbox)" : error.description)
    }
  }

  private static func problems(
    _ port: Picture.Port, _ record: AttachmentRecord, _ link: Link, _ addresses: [String]
  ) -> [String] {
    var problems: [String] = []
    if let host = port.interfaces.first?.link, link.peerIndex != host.index {
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

  private func socket(_ path: String) -> Result<RouteSocket, Reason> {
    if let known = sockets[path] { return known }
    let made: Result<RouteSocket, Reason>
    do throws(SystemError) {
      let namespace = try NetworkNamespace(path: path)
      do { made = .success(try RouteSocket(in: namespace)) } catch {
        made = .failure(Reason(text: "the sandbox \(path) cannot be looked into: \(error)"))
      }
    } catch {
      let text =
        switch error.errno {
        case .noSuchFileOrDirectory: "the sandbox \(path) is gone"
        case .invalidArgument: "the sandbox \(path) is no network namespace any more"
        default: "the sandbox \(path) cannot be looked into: \(error)"
        }
      made = .failure(Reason(text: text))
    }
    sockets[path] = made
    return made
  }
}
