public import Addresses
internal import Linux

/// Where an ovsdb-server listens: an active connection method of ovsdb(7).
public enum Endpoint: Hashable, Sendable {
  /// The Unix domain socket at an absolute path; `unix:PATH`.
  case unix(String)
  /// A TCP port of a host named by its address; `tcp:IP:PORT`, `tcp:[IPv6]:PORT`.
  case tcp(IPAddress, UInt16)

  /// Where the packages of Open vSwitch put the socket.
  public static let standard = Endpoint.unix("/var/run/openvswitch/db.sock")

  /// The port that IANA gave to OVSDB, meant where `tcp:` comes without one.
  public static let standardPort: UInt16 = 6640

  func connect(until deadline: Deadline) throws(SystemError) -> FileDescriptor {
    switch self {
    case .unix(let path): try .connect(unix: path, until: deadline)
    case .tcp(let address, let port):
      try .connect(tcp: address.bytes, port: port, until: deadline)
    }
  }
}

extension Endpoint: CustomStringConvertible {
  /// `unix:/run/openvswitch/db.sock`, `tcp:192.0.2.1:6640`, `tcp:[2001:db8::1]:6640`
  public var description: String {
    switch self {
    case .unix(let path): "unix:\(path)"
    case .tcp(let address, let port):
      address.isIPv6 ? "tcp:[\(address)]:\(port)" : "tcp:\(address):\(port)"
    }
  }
}
