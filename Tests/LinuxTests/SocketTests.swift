import Foundation
import Linux
import TestSupport
import Testing

@Suite("Sockets")
struct SocketTests {
  let temporary: TemporaryDirectory
  let path: String
  init() throws {
    temporary = try TemporaryDirectory()
    path = "\(temporary.path)/socket"
  }

  /// A listening Unix socket of this process, with room for one that is not accepted yet.
  private func listen() throws -> FileDescriptor {
    let server = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(server, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(result == 0)
    try #require(Glibc.listen(server, 0) == 0)
    return FileDescriptor(owning: server)
  }

  @Test("a connection carries octets both ways, and tells its end")
  func exchange() throws {
    let server = try listen()
    let client = try FileDescriptor.connect(unix: path, until: .after(.seconds(1)))
    let accepted = FileDescriptor(owning: accept(server.rawValue, nil, nil))
    try accepted.write(Array("hello".utf8))
    #expect(try wait(for: [.readable(client.rawValue)], until: .after(.seconds(1))) == 0)
    #expect(try client.read() == Array("hello".utf8))
    #expect(throws: SystemError.self) { try client.read() }
    var bytes = Array("back".utf8)[...]
    try client.writeAvailable(&bytes)
    #expect(bytes.isEmpty)
    #expect(try accepted.read() == Array("back".utf8))
    #expect(
      try wait(
        for: [.readable(client.rawValue), .writable(client.rawValue)], until: .after(.zero)) == 1)
    _ = consume accepted
    #expect(try wait(for: [.readable(client.rawValue)], until: .after(.seconds(1))) == 0)
    #expect(try client.read() == [])
  }

  @Test("a server that accepts no connection is timed out")
  func backlog() throws {
    let server = try listen()
    let first = try FileDescriptor.connect(unix: path, until: .after(.seconds(1)))
    let begin = Clock.monotonic
    #expect(throws: SystemError("connect", path, .timedOut)) {
      _ = try FileDescriptor.connect(unix: path, until: .after(.milliseconds(50)))
    }
    #expect(Clock.monotonic - begin < .seconds(2))
    _ = consume first
    _ = consume server
  }

  @Test("no socket there, none listening, a path too long")
  func refusals() throws {
    func failure(_ path: String) -> String? {
      #expect(throws: SystemError.self) {
        _ = try FileDescriptor.connect(unix: path, until: .after(.seconds(1)))
      }?.description
    }
    #expect(failure(path) == "connect(\(path)): ENOENT (No such file or directory)")
    do { _ = try listen() }
    #expect(failure(path) == "connect(\(path)): ECONNREFUSED (Connection refused)")
    let long = "/" + String(repeating: "x", count: 108)
    #expect(failure(long) == "connect(\(long)): ENAMETOOLONG (File name too long)")
  }

  @Test("TCP: an address of the wrong size, and a port without a listener")
  func tcp() throws {
    #expect(throws: SystemError("connect", "TCP port 1", .invalidArgument)) {
      _ = try FileDescriptor.connect(tcp: [1, 2, 3], port: 1, until: .after(.zero))
    }
    #expect(throws: SystemError("connect", "TCP port 1", .connectionRefused)) {
      _ = try FileDescriptor.connect(tcp: [127, 0, 0, 1], port: 1, until: .after(.seconds(2)))
    }
  }

  @Test("the table of a network namespace shows who listens, and what is connected")
  func table() throws {
    let server = try listen()
    #expect(try UnixSocketTable.current().listening.contains(path))
    #expect(try !UnixSocketTable.current().connected.contains(path))
    let client = try FileDescriptor.connect(unix: path, until: .after(.seconds(1)))
    let accepted = FileDescriptor(owning: accept(server.rawValue, nil, nil))
    #expect(try UnixSocketTable.current().connected.contains(path))
    _ = consume client
    _ = consume accepted
    _ = consume server
    // A process that another test has just started has them, too, until it runs its program.
    try eventually("neither is there any more") {
      let table = try UnixSocketTable.current()
      return !table.connected.contains(path) && !table.listening.contains(path)
    }
  }

  @Test("lines that the kernel does not write count for nothing")
  func strangeTable() {
    let text = """
      Num       RefCount Protocol Flags    Type St Inode Path
      0000000000000000: 00000002 00000000 00010000 0001 01    17 /run/a b
      0000000000000000: 00000003 00000000 00000000 0001 03 12345 /run/c
      0000000000000000: 00000003 00000000 00000000 0001 02 12345 /run/pending
      0000000000000000: 00000003 00000000 00000000 0001 03 12345
      0000000000000000: 00000003 00000000 x 0001 y 12345 /run/d

      0000
      """
    let table = UnixSocketTable(parsing: Array(text.utf8))
    #expect(table.listening == ["/run/a b"])
    #expect(table.connected == ["/run/c"])
  }
}
