internal import CLinux

/// `struct ifinfomsg` (rtnetlink(7)), all of it.
struct LinkHeader: Hashable {
  static let size = 16

  var index: Int32 = 0
  var flags: UInt32 = 0
  /// Which of the flags are meant.
  var change: UInt32 = 0

  var bytes: [UInt8] {
    var bytes: [UInt8] = [UInt8(AF_UNSPEC), 0, 0, 0]
    bytes.append(native: index)
    bytes.append(native: flags)
    bytes.append(native: change)
    return bytes
  }

  init(index: Int32 = 0, isUp: Bool? = nil, isPromiscuous: Bool? = nil) {
    self.index = index
    for (value, flag) in [(isUp, IFF_UP), (isPromiscuous, IFF_PROMISC)] {
      guard let value else { continue }
      change |= UInt32(flag)
      if value { flags |= UInt32(flag) }
    }
  }

  init(_ body: ArraySlice<UInt8>) throws(NetlinkError) {
    guard let index: Int32 = body.integer(at: 4), let flags: UInt32 = body.integer(at: 8),
      let change: UInt32 = body.integer(at: 12)
    else { throw .badLength(body.count, at: body.startIndex) }
    self.index = index
    self.flags = flags
    self.change = change
  }
}
