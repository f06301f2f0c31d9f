internal import CLinux
internal import Linux

/// A message as received: `struct nlmsghdr` (netlink(7)) and what follows it.
struct Message {
  static let headerSize = 16

  /// `NLMSG_…` or `RTM_…`
  let type: UInt16
  /// `NLM_F_…`
  let flags: UInt16
  /// Of the request that it answers.
  let sequence: UInt32
  /// What follows the header.
  let body: ArraySlice<UInt8>
}

/// Goes from one message of a datagram to the next.
struct MessageCursor {
  private var rest: ArraySlice<UInt8>

  init(_ datagram: [UInt8]) { rest = datagram[...] }

  /// Nil at the end.
  mutating func next() throws(NetlinkError) -> Message? {
    guard !rest.isEmpty else { return nil }
    guard let length: UInt32 = rest.integer(at: 0), let type: UInt16 = rest.integer(at: 4),
      let flags: UInt16 = rest.integer(at: 6), let sequence: UInt32 = rest.integer(at: 8),
      length >= UInt32(Message.headerSize), Int(length) <= rest.count
    else { throw .badLength(rest.count, at: rest.startIndex) }
    let message = Message(
      type: type, flags: flags, sequence: sequence,
      body: rest.prefix(Int(length)).dropFirst(Message.headerSize))
    rest = rest.dropFirst((Int(length) + 3) & ~3)
    return message
  }
}

/// `linux/netlink.h`: `NLMSGERR_ATTR_…`
enum AcknowledgementSpace {}

extension Attribute where Space == AcknowledgementSpace, Value == String {
  static var words: Self { .init(NLMSGERR_ATTR_MSG.rawValue, "NLMSGERR_ATTR_MSG") }
}
extension Attribute where Space == AcknowledgementSpace, Value == UInt32 {
  /// Where in the request the attribute is that the kernel did not like. Octets.
  static var offset: Self { .init(NLMSGERR_ATTR_OFFS.rawValue, "NLMSGERR_ATTR_OFFS") }
}

/// What NLMSG_ERROR says, which is also how success is said; or NLMSG_DONE, the end of a list.
struct Acknowledgement: Hashable {
  /// Nil if the request was granted.
  let errno: Errno?
  /// The kernel's own words; nil if it has none.
  let words: String?
  /// Where in the request the attribute is that was refused, in octets; nil if it does not say.
  let offset: Int?

  init(_ message: Message) throws(NetlinkError) {
    let body = message.body
    guard let code: Int32 = body.integer(at: 0) else {
      throw .badLength(body.count, at: body.startIndex)
    }
    errno = code == 0 ? nil : Errno(rawValue: code == .min ? .max : abs(code))
    // After the code comes, unless this is NLMSG_DONE, the request or only its header.
    var start = 4
    if message.type == UInt16(NLMSG_ERROR) {
      guard let echoed: UInt32 = body.integer(at: 4) else {
        throw .badLength(body.count, at: body.startIndex)
      }
      let isCapped = message.flags & UInt16(NLM_F_CAPPED) != 0
      start += isCapped ? Message.headerSize : (Int(echoed) + 3) & ~3
    }
    guard message.flags & UInt16(NLM_F_ACK_TLVS) != 0, start <= body.count else {
      words = nil
      offset = nil
      return
    }
    let attributes = try Attributes<AcknowledgementSpace>(body.dropFirst(start))
    words = try attributes[.words]
    offset = try attributes[.offset].map { Int($0) }
  }
}

/// What the kernel reports on request, one or many a list.
protocol Reported {
  /// The type of the messages that report it.
  static var answerType: UInt16 { get }
  /// Appends what the message with `body` reports, which may be nothing that is known here.
  static func decode(_ body: ArraySlice<UInt8>, into list: inout [Self]) throws(NetlinkError)
}
