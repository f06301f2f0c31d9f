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
    do throws(SystemError) {
      try socket.send(Self.message(name, sequence: sequence))
    } catch { throw .system(request, error) }
    while true {
      let datagram: [UInt8]?
      do { datagram = try socket.receive(until: deadline) } catch { throw .system(request, error) }
      guard let datagram else { throw .timedOut(request) }
      let answer: Answer?
      do { answer = try Self.answer(datagram, sequence) } catch { throw .malformed(request, error) }
      switch answer {
      case nil: continue
      case .family?: return true
      case .refusal(let refusal)?:
        guard let errno = refusal.errno, errno != .noSuchFileOrDirectory else { return false }
        throw .refused(request, errno, words: refusal.words)
      }
    }
  }

  /// CTRL_CMD_GETFAMILY with the name.
  static func message(_ name: String, sequence: UInt32) -> [UInt8] {
    // struct genlmsghdr: command, version, two octets of padding.
    var writer = AttributeWriter<FamilyNameSpace>([UInt8(CTRL_CMD_GETFAMILY), 1, 0, 0])
    writer.put(.name, name)
    return NetlinkSocket.message(
      UInt16(GENL_ID_CTRL), flags: NLM_F_REQUEST, sequence: sequence, writer.bytes)
  }

  /// What the kernel says to the request for a family.
  enum Answer: Hashable {
    /// There is one.
    case family
    case refusal(Acknowledgement)
  }

  /// The answer to the request numbered `sequence`; nil if `datagram` has none, but one that came late,
  /// or something that was not asked for.
  static func answer(_ datagram: [UInt8], _ sequence: UInt32) throws(NetlinkError) -> Answer? {
    var cursor = MessageCursor(datagram)
    while let message = try cursor.next() {
      guard message.sequence == sequence else { continue }
      switch message.type {
      case UInt16(NLMSG_ERROR):
        let acknowledgement = try Acknowledgement(message)
        if acknowledgement.errno != nil { return .refusal(acknowledgement) }
      case UInt16(GENL_ID_CTRL): return .family
      default: continue
      }
    }
    return nil
  }
}
