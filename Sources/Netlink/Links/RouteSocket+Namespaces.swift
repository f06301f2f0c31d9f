internal import CLinux
public import Linux

extension RouteSocket {
  /// The number by which the namespace of this socket knows the namespace that is open as
  /// `descriptor`, as `Link.peerNamespaceID` has it; nil if it has none for it.
  public func namespaceID(of descriptor: CInt, until deadline: Deadline) throws(RouteError)
    -> Int32?
  {
    let request = RouteRequest.findNamespace
    let sequence = socket.takeSequence(1)
    // struct rtgenmsg: the family, and padding.
    var writer = AttributeWriter<NamespaceSpace>([UInt8(AF_UNSPEC), 0, 0, 0])
    writer.put(.descriptor, descriptor)
    do throws(SystemError) {
      try socket.send(
        NetlinkSocket.message(
          UInt16(RTM_GETNSID), flags: NLM_F_REQUEST, sequence: sequence, writer.bytes))
    } catch { throw .system(request, error) }
    while true {
      let datagram = try receive(for: request, until: deadline)
      var refusal: Acknowledgement?
      do throws(NetlinkError) {
        var cursor = MessageCursor(datagram)
        while let message = try cursor.next() {
          guard message.sequence == sequence else { continue }
          if message.type == UInt16(RTM_NEWNSID) {
            let found = try Attributes<NamespaceSpace>(message.body.dropFirst(4))[.identifier]
            // -1 is NETNSA_NSID_NOT_ASSIGNED.
            return found == -1 ? nil : found
          }
          if message.type == UInt16(NLMSG_ERROR) { refusal = try Acknowledgement(message) }
        }
      } catch { throw .malformed(request, error) }
      if let refusal, let errno = refusal.errno {
        throw .refused(request, errno, words: refusal.words)
      }
    }
  }
}

/// `linux/net_namespace.h`: `NETNSA_…`
enum NamespaceSpace: AttributeSpace {
  static var names: [AttributeName] { [known(.identifier), known(.descriptor)] }
}

extension Attribute where Space == NamespaceSpace, Value == Int32 {
  static var identifier: Self { .init(NETNSA_NSID, "NETNSA_NSID") }
  static var descriptor: Self { .init(NETNSA_FD, "NETNSA_FD") }
}
