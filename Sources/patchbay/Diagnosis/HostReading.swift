import Addresses
import CNI
import Linux
import Netlink
import OVSDB
import OpenVSwitch
import PluginCore
import Unixctl

/// This host as it is: Open vSwitch's database, ovs-vswitchd, the links and addresses of this
/// namespace, and the container ends in theirs. Reading changes nothing.
final class HostReading {
  let endpoint: Endpoint
  let deadline: Deadline
  let outside: RouteSocket
  let links: [Link]
  let addresses: [LinkAddress]
  let root: DatabaseReading.Root
  let bridges: [DatabaseReading.Bridge]
  /// Whether an ovs-vswitchd serves the database.
  let isServed: Bool
  let attachments: [AttachmentReading]
  /// Nil where ovs-vswitchd does not respond; `silence` says why.
  let control: ControlConnection?
  let silence: ControlError?
  /// Of ovs-vswitchd, `3.1.0`; nil where it does not respond.
  let version: String?

  /// Reads everything but what needs a question of its own.
  init(_ endpoint: Endpoint, until deadline: Deadline) throws {
    self.endpoint = endpoint
    self.deadline = deadline
    let rows = try DatabaseReading(settled: endpoint, until: deadline)
    outside = try RouteSocket()
    links = try outside.links(until: deadline)
    addresses = try outside.addresses(until: deadline)
    root = rows.root
    bridges = rows.bridges
    isServed = rows.isServed
    var database: String?
    if case .unix(let path) = endpoint { database = path }
    var connection: ControlConnection?
    var silence: ControlError?
    var version: String?
    do throws(ControlError) {
      // A daemon that is stopped accepts the connection; its silence is an answer, too.
      let patience = min(deadline, .after(.seconds(2)))
      let directory = ControlSocket.directory(database: database)
      let made = try ControlConnection(
        ControlSocket(ofSwitchIn: directory), until: patience)
      let text = try made.run("version", until: patience)
      version = text.split(separator: "\n").first?.split(separator: " ").last.map { String($0) }
      connection = made
    } catch { silence = error }
    control = connection
    self.silence = silence
    self.version = version
    let sandboxes = SandboxReader(links: links, until: deadline)
    attachments = bridges.flatMap { bridge in
      bridge.ports.compactMap { port in
        AttachmentRecord(externalIDs: { port.externalIDs[$0] }).map { record in
          sandboxes.read(record, port, on: bridge)
        }
      }
    }
  }

  func link(_ name: String) -> Link? { links.first { $0.name == name } }
  func bridge(_ name: String) -> DatabaseReading.Bridge? { bridges.first { $0.name == name } }

  /// The addresses of the link with `index` in this namespace.
  func addresses(of index: Int32) -> [LinkAddress] { addresses.filter { $0.linkIndex == index } }

  /// The link of this namespace that has `address`.
  func holder(of address: IPAddress) -> Link? {
    addresses.first { $0.prefix.address == address }.flatMap { found in
      links.first { $0.index == found.linkIndex }
    }
  }
}

/// An attachment, and what is there of it.
struct AttachmentReading {
  let record: AttachmentRecord
  let port: DatabaseReading.Port
  let bridge: DatabaseReading.Bridge
  /// The host end; nil where there is no link of the port's name.
  let hostLink: Link?
  /// What is in the sandbox, or why nothing can be read there.
  let inside: Result<Inside, Obstacle>

  /// The container end.
  struct Inside {
    let socket: RouteSocket
    let link: Link
    let addresses: [LinkAddress]
  }
  enum Obstacle: Error, Hashable {
    /// There is no network namespace at the recorded path.
    case sandboxGone
    /// What is at the recorded path is no network namespace.
    case notANamespace
    /// The namespace has no link of the interface's name.
    case linkMissing
    case unreadable(String)
  }

  var end: Inside? { try? inside.get() }
  var interface: DatabaseReading.Interface? { port.interfaces.first }
  /// The container's name, or what its sandbox is called.
  var name: String {
    if let name = record.containerName { return name }
    let path = record.sandbox
    for directory in SandboxPath.directories where path.hasPrefix(directory + "/") {
      return String(path.dropFirst(directory.count + 1))
    }
    return String(record.attachment.containerID.prefix(12))
  }
  /// `nsenter --net=/run/netns/blue`
  var entering: String { "nsenter --net=\(record.sandbox.shellWord)" }
  /// Detaches it and attaches it again; nil where another runtime made it, which has to do so.
  var reattaching: String? {
    guard record.runtime == nil else { return nil }
    let words = record.attachment.words(on: record.network, in: record.sandbox)
    return "patchbay del \(words) && patchbay add \(words)"
  }

  /// What the container end has, else what it was given; without link-local addresses.
  func addresses(_ family: IPAddress.Family) -> [IPPrefix] {
    let all =
      end.map { $0.addresses.map(\.prefix) } ?? record.addresses.compactMap { try? IPPrefix($0) }
    return all.filter { $0.address.family == family && !$0.address.isLinkLocal }
  }
}

extension IPAddress {
  /// Whether it is in 169.254.0.0/16 or fe80::/10.
  var isLinkLocal: Bool {
    let bytes = bytes
    guard bytes.count > 1 else { return false }
    return isIPv6 ? bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80 : bytes[0] == 169 && bytes[1] == 254
  }
}

extension IPAddress {
  /// Whether it is one that routers of the Internet do not know: RFC 1918, RFC 6598, RFC 4193, and
  /// those of one link.
  var isPrivate: Bool {
    let bytes = bytes
    guard bytes.count > 1, !isLinkLocal else { return true }
    if isIPv6 { return bytes[0] & 0xfe == 0xfc }
    return bytes[0] == 10 || bytes[0] == 172 && bytes[1] & 0xf0 == 16
      || bytes[0] == 192 && bytes[1] == 168 || bytes[0] == 100 && bytes[1] & 0xc0 == 64
  }
}

/// Reads container ends; each sandbox is opened once.
final class SandboxReader {
  private let links: [String: Link]
  private let deadline: Deadline
  private var sockets: [String: Result<RouteSocket, AttachmentReading.Obstacle>] = [:]

  init(links: [Link], until deadline: Deadline) {
    self.links = Dictionary(links.map { ($0.name, $0) }) { first, _ in first }
    self.deadline = deadline
  }

  func read(
    _ record: AttachmentRecord, _ port: DatabaseReading.Port, on bridge: DatabaseReading.Bridge
  ) -> AttachmentReading {
    AttachmentReading(
      record: record, port: port, bridge: bridge,
      hostLink: links[port.interfaces.first?.name ?? port.name], inside: inside(record))
  }

  private func inside(_ record: AttachmentRecord)
    -> Result<AttachmentReading.Inside, AttachmentReading.Obstacle>
  {
    let socket: RouteSocket
    switch open(record.sandbox) {
    case .success(let opened): socket = opened
    case .failure(let obstacle): return .failure(obstacle)
    }
    do throws(RouteError) {
      let link = try socket.link(.named(record.attachment.interfaceName), until: deadline)
      let addresses = try socket.addresses(of: link.index, until: deadline)
      return .success(.init(socket: socket, link: link, addresses: addresses))
    } catch {
      return .failure(
        error.errno == .noSuchDevice ? .linkMissing : .unreadable(error.description))
    }
  }

  private func open(_ path: String) -> Result<RouteSocket, AttachmentReading.Obstacle> {
    if let known = sockets[path] { return known }
    var opened: Result<RouteSocket, AttachmentReading.Obstacle>
    do {
      let namespace = try NetworkNamespace(path: path)
      opened = .success(try RouteSocket(in: namespace))
    } catch let error as SystemError {
      opened = .failure(
        error.errno == .noSuchFileOrDirectory
          ? .sandboxGone
          : error.errno == .invalidArgument ? .notANamespace : .unreadable(error.description))
    } catch { opened = .failure(.unreadable("\(error)")) }
    sockets[path] = opened
    return opened
  }
}
