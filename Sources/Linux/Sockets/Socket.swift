internal import CLinux

extension FileDescriptor {
  /// Makes a socket; see socket(2).
  public static func socket(_ domain: CInt, _ type: CInt, _ number: CInt) throws(SystemError)
    -> FileDescriptor
  {
    FileDescriptor(
      owning: CInt(try check(clinux_socket(domain, type, number), "socket", "domain \(domain)")))
  }

  /// The type of a stream socket that does not wait.
  private static let stream = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)

  /// Connects to the stream socket at `path`; see unix(7).
  ///
  /// Past the deadline it is `ETIMEDOUT`: the server lives but accepts no connection.
  public static func connect(unix path: String, until deadline: Deadline) throws(SystemError)
    -> FileDescriptor
  {
    let socket = try FileDescriptor.socket(AF_UNIX, Self.stream, 0)
    while true {
      let result = unsafe clinux_connect_unix(socket.rawValue, path)
      // A full backlog is EAGAIN, and there is no event for when it has room again.
      guard result == -Int(EAGAIN) else {
        _ = try check(result, "connect", path)
        return socket
      }
      guard !deadline.hasPassed else { throw SystemError("connect", path, .timedOut) }
      Clock.sleep(.milliseconds(2))
    }
  }

  /// Connects to `bytes`, an address of 4 or 16 bytes in network byte order; see tcp(7).
  ///
  /// Past the deadline it is `ETIMEDOUT`.
  public static func connect(tcp octets: [UInt8], port: UInt16, until deadline: Deadline)
    throws(SystemError) -> FileDescriptor
  {
    let subject = "TCP port \(port)"
    guard octets.count == 4 || octets.count == 16 else {
      throw SystemError("connect", subject, .invalidArgument)
    }
    let domain = octets.count == 4 ? AF_INET : AF_INET6
    let socket = try FileDescriptor.socket(domain, Self.stream, 0)
    let result = unsafe octets.withUnsafeBufferPointer {
      unsafe clinux_connect_tcp(socket.rawValue, $0.baseAddress, $0.count, port)
    }
    if result == -Int(EINPROGRESS) {
      guard try wait(for: [.writable(socket.rawValue)], until: deadline) != nil else {
        throw SystemError("connect", subject, .timedOut)
      }
      _ = try check(clinux_socket_error(socket.rawValue), "connect", subject)
    } else {
      _ = try check(result, "connect", subject)
    }
    try socket.setOption(CInt(IPPROTO_TCP), TCP_NODELAY, 1)
    return socket
  }

  /// Sets an integer option; see setsockopt(2).
  public borrowing func setOption(_ level: CInt, _ option: CInt, _ value: CInt) throws(SystemError)
  {
    _ = try check(
      clinux_set_option(rawValue, level, option, value), "setsockopt", "socket")
  }

  /// Reads an option into a copy of `bytes`, which say what is asked for; see getsockopt(2).
  public borrowing func option(_ level: CInt, _ option: CInt, _ bytes: [UInt8])
    throws(SystemError) -> [UInt8]
  {
    var bytes = bytes
    let descriptor = rawValue
    let result = unsafe bytes.withUnsafeMutableBytes {
      unsafe clinux_option(descriptor, level, option, $0.baseAddress, $0.count)
    }
    return Array(bytes.prefix(Int(try check(result, "getsockopt", "socket"))))
  }

  /// Sends `bytes` as one datagram; see send(2).
  public borrowing func send(_ bytes: [UInt8]) throws(SystemError) {
    let descriptor = rawValue
    let count = unsafe bytes.withUnsafeBytes {
      unsafe clinux_send(descriptor, $0.baseAddress, $0.count)
    }
    _ = try check(count, "send", "socket")
  }

  /// Sends what a stream socket takes without waiting and takes it off `bytes`; see send(2).
  ///
  /// Where the other end is closed it is `EPIPE`, and never a signal.
  public borrowing func sendAvailable(_ bytes: inout ArraySlice<UInt8>) throws(SystemError) {
    let descriptor = rawValue
    while !bytes.isEmpty {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe clinux_send(descriptor, $0.baseAddress, $0.count)
      }
      if count == -Int(EAGAIN) { return }
      bytes = bytes.dropFirst(try check(count, "send", "socket"))
    }
  }
}

/// What is waited for on a descriptor.
public enum Readiness: Hashable, Sendable {
  /// There is something to read, or the other end is closed.
  case readable(CInt)
  /// There is room to write, or a connection was made or refused.
  case writable(CInt)
}

/// Waits until one of `events` is true and returns its index; nil past the deadline. See poll(2).
public func wait(for events: [Readiness], until deadline: Deadline) throws(SystemError) -> Int? {
  var set = events.map { event in
    switch event {
    case .readable(let descriptor): pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    case .writable(let descriptor): pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    }
  }
  while true {
    let timeout = deadline.pollTimeout
    let count = unsafe set.withUnsafeMutableBufferPointer {
      unsafe clinux_poll($0.baseAddress, $0.count, timeout)
    }
    if count == -Int(EINTR) { continue }
    guard try check(count, "poll", "\(events.count) descriptors") > 0 else {
      if deadline.hasPassed { return nil }
      continue
    }
    return set.firstIndex { $0.revents != 0 }
  }
}
