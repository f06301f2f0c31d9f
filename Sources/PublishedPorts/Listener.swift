internal import Addresses
public import Linux
internal import PluginConfigurations

/// What on the host has a port already.
enum Listener {
  /// podman keeps the ports of its containers busy by this program, which serves no one.
  private static let placeholder = "conmon"

  /// Throws `.listening` where a process of the host has the port: it would not be reached any
  /// more.
  static func refuse(_ port: PublishedPort, until deadline: Deadline) throws(PublishedPortsError) {
    guard isBusy(port) else { return }
    let processes = processes(port, until: deadline)
    if !processes.isEmpty, processes.allSatisfy({ $0.name == placeholder }) { return }
    let process = processes.first { $0.name != placeholder }
    throw .listening(port, process: process.map { "\($0.name) (process \($0.id))" })
  }

  private static func isBusy(_ port: PublishedPort) -> Bool {
    do throws(SystemError) {
      try FileDescriptor.reserve(
        port.host.bytes, port.hostPort, isStream: port.transport == .tcp,
        protocol: CInt(port.transport.number))
      return false
    } catch {
      // An address that the host has not got yet, and a protocol that it lacks, are not busy.
      return error.errno == .addressInUse
    }
  }

  /// The processes that have a socket with this port, each with its name.
  private static func processes(_ port: PublishedPort, until deadline: Deadline)
    -> [(id: String, name: String)]
  {
    let inodes = sockets(port)
    guard !inodes.isEmpty, let names = try? Directory(path: "/proc").names() else { return [] }
    var found: [(id: String, name: String)] = []
    for id in names where id.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      if deadline.hasPassed { break }
      let place = "/proc/\(id)/fd"
      guard let numbers = try? Directory(path: place).names() else { continue }
      let hasPort = numbers.contains { number in
        guard let status = try? FileStatus(path: "\(place)/\(number)"), status.kind == .other else {
          return false
        }
        return inodes.contains(status.inode)
      }
      guard hasPort else { continue }
      let bytes = (try? FileDescriptor.open("/proc/\(id)/comm").read(limit: 64)) ?? []
      found.append((id, String(decoding: bytes.prefix { $0 != 0x0a }, as: UTF8.self)))
    }
    return found
  }

  /// The inodes of the sockets that have this port; see proc(5), `/proc/net/tcp`.
  private static func sockets(_ port: PublishedPort) -> Set<UInt64> {
    var inodes: Set<UInt64> = []
    for suffix in ["", "6"] {
      let path = "/proc/net/\(port.transport.rawValue)\(suffix)"
      guard let bytes = try? FileDescriptor.open(path).readToEnd(limit: 1 << 24) else { continue }
      for line in bytes.split(separator: 0x0a).dropFirst() {
        let words = line.split(separator: 0x20)
        guard words.count > 9, let digits = words[1].split(separator: 0x3a).last,
          UInt16(String(decoding: digits, as: UTF8.self), radix: 16) == port.hostPort,
          // TCP_LISTEN of netinet/tcp.h.
          port.transport != .tcp || words[3].elementsEqual("0A".utf8),
          let inode = UInt64(String(decoding: words[9], as: UTF8.self))
        else { continue }
        inodes.insert(inode)
      }
    }
    return inodes
  }
}

extension PublishedPorts {
  /// Throws where a process of the host has one of the ports.
  public func refuseListeners(until deadline: Deadline) throws(PublishedPortsError) {
    for port in ports { try Listener.refuse(port, until: deadline) }
  }
}
