internal import CLinux
public import Linux

/// A generic netlink socket (linux/genetlink.h) in the namespace it was made in.
public final class GenericSocket {
  private var socket: NetlinkSocket

  /// Makes a socket in the namespace of this process.
  public init() throws(RouteError) {
    do { socket = try NetlinkSocket(NETLINK_GENERIC) } catch { throw .system(.open, error) }
  }

  /// Whether the kernel has the family `name`, as `ovs_datapath`. It may load a module to find out.
  public func hasFamily(_ name: String, until deadline: Deadline) throws(RouteError) -> Bool {
    let request = RouteRequest.findFamily(name)
    let sequence = socket.takeSequence(1)
    let datagram: [UInt8]?
    do throws(SystemError) {
      try socket.send(Self.message(name, sequence: sequence))
      datagram = try socket.receive(until: deadline)
    } catch { throw .system(request, error) }
    guard let datagram else { throw .timedOut(request) }
    let refusal: Acknowledgement?
    do throws(NetlinkError) { refusal = try Self.refusal(datagram, sequence) } catch {
      throw .malformed(request, error)
    }
    guard let refusal, let errno = refusal.errno else { return true }
    if errno == .noSuchFileOrDirectory { return false }
    throw .refused(request, errno, words: refusal.words)
  }

  /// CTRL_CMD_GETFAMILY with the name.
  static func message(_ name: String, sequence: UInt32) -> [UInt8] {
    // struct genlmsghdr: command, version, two octets of padding.
    var writer = AttributeWriter<FamilyNameSpace>([UInt8(CTRL_CMD_GETFAMILY), 1, 0, 0])
    writer.put(.name, name)
    return NetlinkSocket.message(
      UInt16(GENL_ID_CTRL), flags: NLM_F_REQUEST, sequence: sequence, writer.bytes)
  }

  /// Nil if the answer is the family.
  private static func refusal(_ datagram: [UInt8], _ sequence: UInt32) throws(NetlinkError)
    -> Acknowledgement?
  {
    var cursor = MessageCursor(datagram)
    while let message = try cursor.next() {
      guard message.sequence == sequence, message.type == UInt16(NLMSG_ERROR) else { continue }
      return try Acknowledgement(message)
    }
    return nil
  }
}
