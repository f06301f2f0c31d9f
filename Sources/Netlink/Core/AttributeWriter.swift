internal import CLinux

/// Writes the attributes of one space. Lengths and padding are made here and nowhere else.
struct AttributeWriter<Space> {
  var bytes: [UInt8]

  init(_ bytes: [UInt8] = []) { self.bytes = bytes }

  /// Appends `value`; nothing if it is nil.
  mutating func put<Value: AttributeValue>(_ key: Attribute<Space, Value>, _ value: Value?) {
    guard let value else { return }
    let start = open(key.type)
    value.encode(into: &bytes)
    close(start)
  }

  /// Appends an attribute that holds `header` and what `body` writes.
  mutating func nest<Inner>(
    _ key: Attribute<Space, Nested<Inner>>, header: [UInt8] = [],
    _ body: (inout AttributeWriter<Inner>) -> Void
  ) {
    let start = open(key.type | UInt16(NLA_F_NESTED))
    // The inner writer goes on in the same octets, so that nothing is copied.
    var inner = AttributeWriter<Inner>()
    swap(&inner.bytes, &bytes)
    inner.bytes += header
    body(&inner)
    swap(&inner.bytes, &bytes)
    close(start)
  }

  private mutating func open(_ type: UInt16) -> Int {
    let start = bytes.count
    bytes.append(native: UInt16(0))
    bytes.append(native: type)
    return start
  }

  private mutating func close(_ start: Int) {
    // The length has 16 bits. No text of rtnetlink is near as long, so the kernel refuses what is
    // left of one that is cut here like the whole.
    let excess = bytes.count - start - 0xfffc
    if excess > 0 { bytes.removeLast(excess) }
    bytes.overwrite(native: UInt16(truncatingIfNeeded: bytes.count - start), at: start)
    bytes.align()
  }
}
