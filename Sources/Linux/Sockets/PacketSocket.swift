internal import CLinux

/// A socket that sees the frames of one link, as they pass there; see packet(7). It needs
/// CAP_NET_RAW.
public struct PacketSocket: ~Copyable {
  /// An instruction of the filter: classic BPF, as `linux/filter.h` has it.
  public struct Instruction: Hashable, Sendable {
    /// `BPF_…` flags.
    public let code: UInt16
    /// How many instructions to skip where a comparison holds, and where it does not.
    public let ifTrue: UInt8, ifFalse: UInt8
    /// The operand.
    public let operand: UInt32

    /// An instruction.
    public init(code: UInt16, ifTrue: UInt8 = 0, ifFalse: UInt8 = 0, operand: UInt32) {
      self.code = code
      self.ifTrue = ifTrue
      self.ifFalse = ifFalse
      self.operand = operand
    }
  }
  private let descriptor: FileDescriptor

  /// Listens to the link with `index` in `namespace`; frames that `filter` does not accept are not
  /// seen. The filter is there before the socket is bound, so that no other frame is ever read.
  public init(
    in namespace: borrowing NetworkNamespace, index: Int32, filter: [Instruction]
  ) throws(SystemError) {
    let descriptor = try namespace.socket(AF_PACKET, CInt(SOCK_RAW.rawValue), 0)
    var program = filter.map {
      sock_filter(code: $0.code, jt: $0.ifTrue, jf: $0.ifFalse, k: $0.operand)
    }
    let (socket, count) = (descriptor.rawValue, program.count)
    let result = unsafe program.withUnsafeMutableBufferPointer {
      unsafe clinux_attach_filter(socket, $0.baseAddress, count)
    }
    _ = try check(result, "setsockopt", "SO_ATTACH_FILTER")
    _ = try check(clinux_bind_packet(socket, index), "bind", "link index \(index)")
    try descriptor.setNonBlocking()
    self.descriptor = descriptor
  }

  /// For `wait(for:until:)`.
  public var readiness: Readiness { .readable(descriptor.rawValue) }

  /// The next frame; nil where none has come.
  public borrowing func receive() throws(SystemError) -> [UInt8]? {
    do throws(SystemError) { return try descriptor.receive(limit: 2048) } catch {
      if error.errno == .wouldBlock { return nil }
      throw error
    }
  }

  /// Sends `frame` by the link.
  public borrowing func send(_ frame: [UInt8]) throws(SystemError) { try descriptor.send(frame) }
}

extension FileDescriptor {
  /// A socket in `namespace` that is connected to an address of 4 or 16 bytes, or about to be.
  ///
  /// - Parameters:
  ///   - type: `SOCK_STREAM`, `SOCK_DGRAM` or `SOCK_RAW`.
  ///   - number: The IP protocol; 0 for that of the type.
  public static func connecting(
    to octets: [UInt8], port: UInt16, type: ConnectionType, in namespace: borrowing NetworkNamespace
  ) throws(SystemError) -> FileDescriptor {
    let domain = octets.count == 4 ? AF_INET : AF_INET6
    let socket = try namespace.socket(
      domain, type.socketType, type.number(isIPv6: octets.count > 4))
    try socket.setNonBlocking()
    if case .stream = type {
      _ = try check(clinux_set_abortive(socket.rawValue), "setsockopt", "SO_LINGER")
    }
    let result = unsafe octets.withUnsafeBufferPointer {
      unsafe clinux_connect_tcp(socket.rawValue, $0.baseAddress, $0.count, port)
    }
    if result != -Int(EINPROGRESS) { _ = try check(result, "connect", "port \(port)") }
    return socket
  }

  /// What a socket speaks.
  public enum ConnectionType: Sendable {
    /// TCP.
    case stream
    /// UDP.
    case datagram
    /// ICMP, or ICMPv6.
    case echo

    fileprivate var socketType: CInt {
      switch self {
      case .stream: CInt(SOCK_STREAM.rawValue)
      case .datagram: CInt(SOCK_DGRAM.rawValue)
      case .echo: CInt(SOCK_RAW.rawValue)
      }
    }
    fileprivate func number(isIPv6: Bool) -> CInt {
      if case .echo = self { return isIPv6 ? 58 : 1 }
      return 0
    }
  }
}
