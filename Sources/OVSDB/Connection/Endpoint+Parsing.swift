internal import Addresses

extension Endpoint {
  /// Parses `unix:PATH`, a bare absolute path, `tcp:IP:PORT` or `tcp:[IPv6]:PORT`; the port may be
  /// left out.
  public init(_ text: String) throws(OVSDBError) {
    if text.hasPrefix("/") {
      self = .unix(text)
      return
    }
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let method = parts.first, let rest = parts.dropFirst().first else {
      throw .unusableEndpoint(text, "\(Self.legal) is legal")
    }
    switch method {
    case "unix":
      guard rest.hasPrefix("/") else {
        throw .unusableEndpoint(text, "the path must be absolute, as in unix:/run/db.sock")
      }
      self = .unix(String(rest))
    case "tcp":
      let (host, port) = try Self.hostAndPort(rest, of: text)
      guard let address = IPAddress(host) else {
        throw .unusableEndpoint(
          text, "\"\(host)\" is not an IP address; names are not looked up, \(Self.legal) is legal")
      }
      self = .tcp(address, port)
    case "ssl": throw .unusableEndpoint(text, "only unix: and tcp: are supported, ssl: is not")
    case "ptcp", "punix", "pssl":
      throw .unusableEndpoint(
        text, "\(method): is where a server listens; name it as \(method.dropFirst()): here")
    default: throw .unusableEndpoint(text, "\(Self.legal) is legal")
    }
  }

  private static let legal = "unix:/PATH, tcp:IP:PORT or tcp:[IPv6]:PORT"

  /// Splits what stands after `tcp:`.
  private static func hostAndPort(_ rest: Substring, of text: String) throws(OVSDBError)
    -> (Substring, UInt16)
  {
    var host = rest
    var port: Substring?
    if rest.hasPrefix("[") {
      guard let end = rest.firstIndex(of: "]") else {
        throw .unusableEndpoint(text, "the \"[\" has no \"]\"; tcp:[IPv6]:PORT is legal")
      }
      host = rest[..<end].dropFirst()
      let after = rest[end...].dropFirst()
      guard after.isEmpty || after.hasPrefix(":") else {
        throw .unusableEndpoint(text, "\"]\" ends it or comes before \":PORT\"")
      }
      port = after.isEmpty ? nil : after.dropFirst()
      guard IPAddress(host)?.family == .v6 else {
        throw .unusableEndpoint(text, "\"\(host)\" is not an IPv6 address; tcp:IP:PORT is legal")
      }
    } else if let colon = rest.firstIndex(of: ":") {
      host = rest[..<colon]
      port = rest[colon...].dropFirst()
      if port?.contains(":") == true {
        throw .unusableEndpoint(text, "an IPv6 address stands in brackets: tcp:[IPv6]:PORT")
      }
    }
    guard let port else { return (host, standardPort) }
    guard let number = UInt16(port), number > 0, port.utf8.allSatisfy({ $0 >= 0x30 }) else {
      throw .unusableEndpoint(text, "port \"\(port)\" is not in 1…65535")
    }
    return (host, number)
  }
}
