import CLinux
import Foundation
import JSON
import Synchronization

/// Stands between a plugin and ovsdb-server, hands everything on, and at one request does not.
public final class DatabaseProxy: Sendable {
  /// What becomes of a request, or of its answer.
  public enum Fault: Sendable {
    /// The connection is closed and the request not handed on.
    case lostBefore
    /// The request is handed on, and the connection closed before its answer.
    case lostAfter
    /// ovsdb-server is restarted before it gets the request.
    case restartedBefore
    /// It is handed on, ovsdb-server carries it out, and is restarted.
    case restartedAfter
    /// It is not handed on and refused.
    case refused
    /// It is handed on, and what comes back of it is not JSON-RPC.
    case garbled
    /// It is not handed on, and nothing comes back.
    case unanswered
    /// It is handed on, and nothing comes back.
    case silenced
    /// It is not handed on, and refused as by a relay that has lost its member.
    case canceledBefore
    /// It is handed on, and refused likewise.
    case canceledAfter

    /// Those of a server without a relay.
    public static let ofServer: [Fault] = [
      .lostBefore, .lostAfter, .restartedBefore, .restartedAfter, .refused, .garbled, .unanswered,
      .silenced,
    ]
  }

  /// Where it listens.
  public let path: String
  private let server: String
  private let fault: Fault
  private let number: Int
  private let restart: @Sendable () -> Void
  private let listener: CInt
  private let state = Mutex<(requests: Int, method: String?)>((0, nil))

  /// The method of the request that was at fault; nil where there were not so many.
  public var method: String? { state.withLock { $0.method } }

  /// At the request `number`, from 1 on; `restart` restarts ovsdb-server.
  public convenience init(
    _ openVSwitch: OpenVSwitch, _ fault: Fault, at number: Int,
    restart: @escaping @Sendable () -> Void
  ) throws {
    try self.init(
      to: openVSwitch.socket, fault, at: number, in: openVSwitch.directory, restart: restart)
  }

  /// The same before the socket `server`; its own is in `directory`.
  public init(
    to server: String, _ fault: Fault, at number: Int, in directory: TemporaryDirectory,
    restart: @escaping @Sendable () -> Void = {}
  ) throws {
    self.server = server
    path = "\(directory.path)/proxy-\(number)-\(fault)"
    self.fault = fault
    self.number = number
    self.restart = restart
    let descriptor = clinux_socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
    listener = CInt(descriptor)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    unlink(path)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { [listener] in
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0, listen(listener, 16) == 0 else {
      throw RunError(description: "\(path): \(String(cString: strerror(errno)))")
    }
    Thread.detachNewThread { [self] in
      while true {
        let client = accept(listener, nil, nil)
        guard client >= 0 else { return }
        Thread.detachNewThread { [self] in serve(client) }
      }
    }
  }

  /// Accepts no more connections.
  public func close() {
    shutdown(listener, CInt(SHUT_RDWR))
    Glibc.close(listener)
    unlink(path)
  }

  private func serve(_ client: CInt) {
    let upstream = clinux_socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
    guard upstream >= 0, clinux_connect_unix(CInt(upstream), server) == 0 else {
      // A program that was started meanwhile may have it open, too.
      shutdown(client, CInt(SHUT_RDWR))
      Glibc.close(client)
      return
    }
    let link = Link(client: client, server: CInt(upstream))
    Thread.detachNewThread { link.downward() }
    upward(link)
    link.end()
  }

  /// Hands requests on, one after the other.
  private func upward(_ link: Link) {
    var splitter = JSONTextSplitter()
    while let bytes = link.read(link.client) {
      splitter.append(bytes)
      while let text = splitter.next() {
        guard let json = try? JSONValue(parsing: text), let method = json["method"]?.text,
          method != "echo"
        else {
          link.write(text, to: link.server)
          continue
        }
        let isFaulty = state.withLock { state in
          state.requests += 1
          if state.requests == number { state.method = method }
          return state.requests == number
        }
        if isFaulty {
          guard misbehave(link, text, json["id"] ?? .null) else { return }
        } else {
          link.write(text, to: link.server)
        }
      }
    }
  }

  /// False where the connection is over.
  private func misbehave(_ link: Link, _ text: [UInt8], _ id: JSONValue) -> Bool {
    switch fault {
    case .lostBefore: return false
    case .restartedBefore:
      restart()
      return false
    case .lostAfter, .restartedAfter:
      link.silence()
      link.write(text, to: link.server)
      usleep(50_000)
      if fault == .restartedAfter { restart() }
      return false
    case .canceledBefore, .canceledAfter:
      if fault == .canceledAfter {
        link.silence()
        link.write(text, to: link.server)
        usleep(50_000)
      }
      let refusal: JSONValue = ["id": id, "result": .null, "error": "canceled"]
      link.write(refusal.encoded(), to: link.client)
      return true
    case .refused:
      let refusal: JSONValue = [
        "id": id, "result": .null,
        "error": ["error": "resources exhausted", "details": "by a test"],
      ]
      link.write(refusal.encoded(), to: link.client)
      return true
    case .garbled:
      link.silence()
      link.write(text, to: link.server)
      link.write(Array(#"{"id":4711,"result":[{"rows":7}],"error":null}"#.utf8), to: link.client)
      return true
    case .unanswered: return true
    case .silenced:
      link.silence()
      link.write(text, to: link.server)
      return true
    }
  }
}

/// Two sockets, between which octets go.
private final class Link: Sendable {
  let client: CInt
  let server: CInt
  private let isSilent = Mutex(false)
  private let users = Mutex(2)

  init(client: CInt, server: CInt) {
    self.client = client
    self.server = server
  }

  /// From now on nothing of the server's comes through.
  func silence() { isSilent.withLock { $0 = true } }

  func read(_ descriptor: CInt) -> [UInt8]? {
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    let count = recv(descriptor, &chunk, chunk.count, 0)
    return count > 0 ? Array(chunk[..<count]) : nil
  }
  func write(_ bytes: [UInt8], to descriptor: CInt) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { clinux_send(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
  func downward() {
    while let bytes = read(server) {
      if !(isSilent.withLock { $0 }) { write(bytes, to: client) }
    }
    end()
  }
  func end() {
    shutdown(client, CInt(SHUT_RDWR))
    shutdown(server, CInt(SHUT_RDWR))
    users.withLock {
      $0 -= 1
      if $0 == 0 {
        close(client)
        close(server)
      }
    }
  }
}
