internal import CLinux
internal import Linux

/// A netlink socket (netlink(7)) in the namespace it was made in.
struct NetlinkSocket: ~Copyable {
  let descriptor: FileDescriptor
  let family: NetlinkFamily
  /// Nil unless the traffic is wanted on standard error.
  let trace: Trace?
  /// The number of the next request. An answer with a lower one came too late for its request.
  private var sequence: UInt32 = 1

  /// A socket of `family`, in the namespace of this thread.
  init(_ family: NetlinkFamily) throws(SystemError) {
    self.init(try .socket(AF_NETLINK, CInt(SOCK_RAW.rawValue), family.number), family)
  }

  /// The same in `namespace`.
  init(_ family: NetlinkFamily, in namespace: borrowing NetworkNamespace) throws(SystemError) {
    self.init(
      try namespace.socket(AF_NETLINK, CInt(SOCK_RAW.rawValue), family.number), family)
  }

  private init(_ descriptor: consuming FileDescriptor, _ family: NetlinkFamily) {
    // Options since 4.12, 4.3 and 4.20: the kernel's words about a refusal; not the whole refused
    // request; only what a list is asked for. An older kernel gives no words, and longer lists.
    for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK] {
      do { try descriptor.setOption(SOL_NETLINK, option, 1) } catch {}
    }
    self.descriptor = descriptor
    self.family = family
    trace = Trace(ifWantedFor: family)
  }

  /// Takes `count` numbers for requests and returns the first.
  mutating func takeSequence(_ count: Int) -> UInt32 {
    let first = sequence
    sequence &+= UInt32(truncatingIfNeeded: count)
    return first
  }

  /// Sends one or more requests. When this comes back, the kernel has done with them but for lists.
  func send(_ requests: [UInt8]) throws(SystemError) {
    trace?.write("send", requests)
    try descriptor.send(requests)
  }

  /// The kernel's next datagram; nil past the deadline.
  func receive(until deadline: Deadline) throws(SystemError) -> [UInt8]? {
    while true {
      guard let (bytes, sender) = try descriptor.receiveNetlink() else {
        guard try wait(for: [.readable(descriptor.rawValue)], until: deadline) != nil else {
          return nil
        }
        continue
      }
      // Other programs with the right to do so can write to this socket; they are not the kernel.
      guard sender == 0 else { continue }
      trace?.write("receive", bytes)
      return bytes
    }
  }

  /// A request by itself: header, `header` of its family, attributes.
  static func message(
    _ type: UInt16, flags: CInt, sequence: UInt32, _ content: [UInt8]
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Message.headerSize + content.count)
    bytes.append(native: UInt32(truncatingIfNeeded: Message.headerSize + content.count))
    bytes.append(native: type)
    bytes.append(native: UInt16(truncatingIfNeeded: flags))
    bytes.append(native: sequence)
    bytes.append(native: UInt32(0))
    return bytes + content
  }
}
