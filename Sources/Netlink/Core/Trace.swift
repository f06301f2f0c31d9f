internal import CLinux
internal import Linux

/// Writes the traffic of one socket to standard error: every message, decoded, with its octets.
struct Trace {
  private let family: NetlinkFamily

  /// Nil unless the environment variable `CNI_TRACE` names `netlink` among others.
  init?(ifWantedFor family: NetlinkFamily) {
    guard Process.isTraced("netlink") else { return nil }
    self.family = family
  }

  init(_ family: NetlinkFamily) { self.family = family }

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
    let body = message.body
    if message.type == UInt16(NLMSG_ERROR) || message.type == UInt16(NLMSG_DONE) {
      let answer = try Acknowledgement(message)
      text += "  \(hex(body))\n  \(answer.errno.map { "\($0)" } ?? "success")"
      text += (answer.words.map { "; \($0)" } ?? "") + "\n"
    } else if let layout = family.layout(message.type) {
      text += "  \(hex(body.prefix(layout.headerSize)))\n"
      describe(body.dropFirst(layout.headerSize), layout, depth: 1, into: &text)
    } else {
      text += "  \(hex(body))\n"
    }
  }

  /// One line an attribute; what it holds is below it, further to the right.
  private func describe(
    _ attributes: ArraySlice<UInt8>, _ layout: AttributeLayout, depth: Int, into text: inout String
  ) {
    let indent = String(repeating: " ", count: depth * 2)
    var cursor = AttributeCursor(attributes)
    do throws(NetlinkError) {
      while let (type, isNested, range) = try cursor.next() {
        let payload = attributes[range]
        text += indent + layout.name(type)
        // A sender could nest them without end.
        guard depth < 8, let inner = layout.inside(type, isNested: isNested) else {
          text += " \(hex(payload))\(quotation(payload))\n"
          continue
        }
        text += inner.headerSize > 0 ? " \(hex(payload.prefix(inner.headerSize)))\n" : "\n"
        describe(payload.dropFirst(inner.headerSize), inner, depth: depth + 1, into: &text)
      }
    } catch { text += "\(indent)\(error)\n" }
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
    default: family.messageName(type) ?? "type \(type)"
    }
  }
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
