internal import CLinux
internal import Linux

/// Writes the traffic of one socket to standard error: every message, decoded, with its octets.
struct Trace {
  /// `rtnetlink` numbers its messages; those of other families are not named.
  private let isRoute: Bool

  /// Nil unless the environment variable `CNI_TRACE` names `netlink` among others.
  init?(_ number: CInt) {
    guard let wishes = Process.environment("CNI_TRACE"),
      wishes.utf8.split(separator: UInt8(ascii: ",")).contains(where: {
        $0.elementsEqual("netlink".utf8)
      })
    else { return nil }
    isRoute = number == NETLINK_ROUTE
  }

  init(isRoute: Bool) { self.isRoute = isRoute }

  func write(_ direction: String, _ datagram: [UInt8]) {
    // What cannot be written is not traced.
    do { try StandardStream.error.write(Array(text(direction, datagram).utf8)) } catch {}
  }

  /// The lines for one datagram.
  func text(_ direction: String, _ datagram: [UInt8]) -> String {
    var text = ""
    do throws(NetlinkError) {
      var cursor = MessageCursor(datagram)
      while let message = try cursor.next() {
        let size = Message.headerSize + message.body.count
        text += "netlink \(direction) \(name(message.type)) flags 0x\(hex(message.flags))"
        text += " sequence \(message.sequence), \(size) octets\n"
        try describe(message, into: &text)
      }
    } catch { text += "netlink \(direction) \(error): \(hex(datagram[...]))\n" }
    return text
  }

  private func describe(_ message: Message, into text: inout String) throws(NetlinkError) {
    let headerSize: Int
    switch message.type {
    case UInt16(NLMSG_ERROR), UInt16(NLMSG_DONE):
      text += "  \(hex(message.body))\n"
      let answer = try Acknowledgement(message)
      text +=
        "  \(answer.errno.map { "\($0)" } ?? "success")\(answer.words.map { ": " + $0 } ?? "")\n"
      return
    case UInt16(RTM_NEWLINK)...UInt16(RTM_SETLINK) where isRoute: headerSize = LinkHeader.size
    case UInt16(RTM_NEWADDR)...UInt16(RTM_GETADDR) where isRoute: headerSize = AddressHeader.size
    case UInt16(RTM_NEWROUTE)...UInt16(RTM_GETROUTE) where isRoute: headerSize = RouteHeader.size
    default: headerSize = isRoute ? message.body.count : 4
    }
    text += "  \(hex(message.body.prefix(headerSize)))\n"
    describe(
      message.body.dropFirst(headerSize), names(message.type), depth: 2, into: &text)
  }

  /// One line an attribute; what it holds is below it, further to the right.
  private func describe(
    _ attributes: ArraySlice<UInt8>, _ names: [UInt16: String], depth: Int, into text: inout String
  ) {
    let indent = String(repeating: " ", count: depth)
    var cursor = AttributeCursor(attributes)
    while true {
      let next: (type: UInt16, isNested: Bool, payload: ArraySlice<UInt8>)?
      do { next = try cursor.next() } catch {
        text += "\(indent)\(error)\n"
        return
      }
      guard let (type, isNested, payload) = next else { return }
      text += "\(indent)\(names[type] ?? "attribute \(type)")"
      // The depth ends what a sender could nest without end.
      guard isNested, depth < 16 else {
        text += " \(hex(payload))\(quotation(payload))\n"
        continue
      }
      text += "\n"
      // The peer of a veth pair is described by a header and attributes of a link.
      if depth == 6, names.isEmpty {
        text += "\(indent)  \(hex(payload.prefix(LinkHeader.size)))\n"
        describe(
          payload.dropFirst(LinkHeader.size), Self.linkNames, depth: depth + 2, into: &text)
      } else {
        describe(payload, [:], depth: depth + 2, into: &text)
      }
    }
  }

  /// The text that `payload` is, if it is one.
  private func quotation(_ payload: ArraySlice<UInt8>) -> String {
    let content = payload.last == 0 ? payload.dropLast() : payload
    guard content.count > 1, content.allSatisfy({ (0x20...0x7e).contains($0) }) else { return "" }
    return " \"\(String(decoding: content, as: UTF8.self))\""
  }

  private func name(_ type: UInt16) -> String {
    switch CInt(type) {
    case NLMSG_ERROR: "NLMSG_ERROR"
    case NLMSG_DONE: "NLMSG_DONE"
    default: isRoute ? Self.typeNames[type] ?? "type \(type)" : "type \(type)"
    }
  }

  private func names(_ type: UInt16) -> [UInt16: String] {
    guard isRoute else { return [:] }
    switch Int(type) {
    case RTM_NEWLINK...RTM_SETLINK: return Self.linkNames
    case RTM_NEWADDR...RTM_GETADDR: return Self.addressNames
    case RTM_NEWROUTE...RTM_GETROUTE: return Self.routeNames
    default: return [:]
    }
  }

  private static let typeNames: [UInt16: String] = [
    16: "RTM_NEWLINK", 17: "RTM_DELLINK", 18: "RTM_GETLINK", 19: "RTM_SETLINK",
    20: "RTM_NEWADDR", 21: "RTM_DELADDR", 22: "RTM_GETADDR",
    24: "RTM_NEWROUTE", 25: "RTM_DELROUTE", 26: "RTM_GETROUTE",
  ]
  private static let linkNames: [UInt16: String] = [
    1: "IFLA_ADDRESS", 2: "IFLA_BROADCAST", 3: "IFLA_IFNAME", 4: "IFLA_MTU", 5: "IFLA_LINK",
    6: "IFLA_QDISC", 7: "IFLA_STATS", 10: "IFLA_MASTER", 13: "IFLA_TXQLEN", 16: "IFLA_OPERSTATE",
    17: "IFLA_LINKMODE", 18: "IFLA_LINKINFO", 20: "IFLA_IFALIAS", 23: "IFLA_STATS64",
    26: "IFLA_AF_SPEC", 27: "IFLA_GROUP", 28: "IFLA_NET_NS_FD", 29: "IFLA_EXT_MASK",
    31: "IFLA_NUM_TX_QUEUES", 32: "IFLA_NUM_RX_QUEUES", 33: "IFLA_CARRIER",
    37: "IFLA_LINK_NETNSID",
  ]
  private static let addressNames: [UInt16: String] = [
    1: "IFA_ADDRESS", 2: "IFA_LOCAL", 3: "IFA_LABEL", 4: "IFA_BROADCAST", 6: "IFA_CACHEINFO",
    8: "IFA_FLAGS",
  ]
  private static let routeNames: [UInt16: String] = [
    1: "RTA_DST", 4: "RTA_OIF", 5: "RTA_GATEWAY", 6: "RTA_PRIORITY", 7: "RTA_PREFSRC",
    8: "RTA_METRICS", 9: "RTA_MULTIPATH", 12: "RTA_CACHEINFO", 15: "RTA_TABLE", 18: "RTA_VIA",
    20: "RTA_PREF",
  ]
}

/// Two hexadecimal digits an octet, with nothing between them.
private func hex(_ octets: ArraySlice<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  var text: [UInt8] = []
  text.reserveCapacity(octets.count * 2)
  for octet in octets {
    text.append(digits[Int(octet >> 4)])
    text.append(digits[Int(octet & 15)])
  }
  return String(decoding: text, as: UTF8.self)
}

private func hex(_ number: UInt16) -> String { String(number, radix: 16) }
