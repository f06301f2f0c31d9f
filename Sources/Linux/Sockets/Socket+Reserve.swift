internal import CLinux

extension FileDescriptor {
  /// Takes a port of this namespace for a moment, as a server would that listens on `bytes`, an
  /// address of 4 or 16 bytes in network byte order, and no other family. `EADDRINUSE` where a
  /// server has it; see bind(2).
  public static func reserve(
    _ octets: [UInt8], _ port: UInt16, isStream: Bool, protocol number: CInt
  ) throws(SystemError) {
    let subject = "port \(port)"
    guard octets.count == 4 || octets.count == 16 else {
      throw SystemError("bind", subject, .invalidArgument)
    }
    let type = isStream ? SOCK_STREAM : number == 17 ? SOCK_DGRAM : SOCK_SEQPACKET
    let socket = try FileDescriptor.socket(
      octets.count == 4 ? AF_INET : AF_INET6, CInt(type.rawValue), number)
    // Connections that have ended do not count.
    if isStream { try socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1) }
    if octets.count == 16 { try socket.setOption(CInt(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
    let result = unsafe octets.withUnsafeBufferPointer {
      unsafe clinux_bind_ip(socket.rawValue, $0.baseAddress, $0.count, port)
    }
    _ = try check(result, "bind", subject)
  }
}
