import Addresses
import Attachments
import CNI
import Linux
import Netlink
import OVSDB
import PluginCore

extension Picture {
  /// Asks ovsdb-server in one transaction, the kernel for all links of this namespace, and then for
  /// the container ends.
  init(reading endpoint: String, until deadline: Deadline) throws {
    let rows: PictureRows
    do { rows = try PictureRows(Endpoint(endpoint), until: deadline) } catch {
      throw Failure(error.description)
    }
    let route: RouteSocket
    let links: [Link]
    do {
      route = try RouteSocket()
      links = try route.links(until: deadline)
    } catch { throw Failure(error.description) }
    self.endpoint = endpoint
    version = rows.version
    problems = rows.problems
    bridges = rows.bridges(Dictionary(links.map { ($0.name, $0) }) { first, _ in first })

    let sandboxes = Sandboxes(until: deadline)
    for bridge in bridges.indices {
      for port in bridges[bridge].ports.indices {
        sandboxes.visit(&bridges[bridge].ports[port])
        bridges[bridge].ports[port].readGateway(route, until: deadline)
      }
      bridges[bridge].findTwins()
    }
    // A host end has its attachment in its alias, also when its port is gone.
    let ports = Set(bridges.flatMap { $0.ports.flatMap { $0.interfaces.map(\.name) } })
    for link in links where !ports.contains(link.name) {
      guard let attachment = HostLink.attachmentText(link.alias) else { continue }
      problems.append("link \(link.name) of the attachment \(attachment) is no port")
    }
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
