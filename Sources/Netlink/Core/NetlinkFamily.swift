/// A family of netlink(7): its number, and what people call its messages and what they hold.
struct NetlinkFamily: Sendable {
  /// `NETLINK_…`
  let number: CInt
  /// The name of a type of message; nil if it has none here.
  let messageName: @Sendable (UInt16) -> String?
  /// What messages of a type hold; nil if it is not known.
  let layout: @Sendable (UInt16) -> AttributeLayout?

  /// The name of the attribute at `offset` of a request, as `request` holds it; nil if none begins
  /// there.
  func attributeName(at offset: Int, of request: ArraySlice<UInt8>) -> String? {
    guard let type: UInt16 = request.integer(at: 4), var layout = layout(type) else { return nil }
    var rest = request.dropFirst(Message.headerSize + layout.headerSize)
    let (target, overflow) = request.startIndex.addingReportingOverflow(offset)
    if overflow { return nil }
    while rest.startIndex <= target {
      guard let length: UInt16 = rest.integer(at: 0), let type: UInt16 = rest.integer(at: 2),
        length >= 4
      else { return nil }
      if rest.startIndex == target { return layout.name(type & 0x3fff) }
      let end = rest.startIndex + (Int(length) + 3) & ~3
      if end <= target {
        rest = rest.dropFirst(end - rest.startIndex)
      } else {
        guard let inner = layout.inside(type & 0x3fff, isNested: type & 0x8000 != 0) else {
          return nil
        }
        layout = inner
        rest = rest.dropFirst(4 + inner.headerSize)
      }
    }
    return nil
  }
}

extension Acknowledgement {
  /// The kernel's words and the name of the attribute of `request` that they are about.
  func words(about request: ArraySlice<UInt8>, of family: NetlinkFamily) -> String? {
    guard let offset, let name = family.attributeName(at: offset, of: request) else { return words }
    return words.map { "\($0) (\(name))" } ?? name
  }
}
