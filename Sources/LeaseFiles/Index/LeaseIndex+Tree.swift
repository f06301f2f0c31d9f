internal import Addresses

/// Which addresses are taken: a sparse tree of bitmaps. A bit of the lowest level stands for an
/// address, one of a higher level for a whole bitmap below, and is set when that is full. So the
/// next free address is found in as many bitmaps as the tree has levels, twice, also where all of
/// a range is taken.
extension LeaseIndex {
  enum Tree: UInt8 {
    /// The leased addresses.
    case leased = 0
    /// The leased ones, and those whose last holder may come back.
    case reserved = 1
  }

  /// A bitmap has 2 to the power of this bits.
  private static let bits: UInt128 = 14
  private static let kind: UInt64 = 3
  /// Where the number of set bits, and the bits, stand in a page.
  private static let countWord = 2
  private static let firstWord = 8
  /// The level of a bitmap that covers all addresses of a family.
  private static func top(_ family: IPAddress.Family) -> Int { family == .v4 ? 2 : 9 }

  /// The page of the bitmap that is number `index` on `level`; nil where it would be empty.
  private mutating func bitmap(
    _ tree: Tree, _ family: IPAddress.Family, _ level: Int, _ index: UInt128
  ) throws(IndexFault) -> Int? {
    guard let record = try find(try nodeKey(tree, family, level, index)) else { return nil }
    guard let page = Int(exactly: record.0),
      try pages.page(page)[1] == Self.kind | UInt64(level) << 8
    else { throw .damaged }
    return page
  }

  private mutating func nodeKey(
    _ tree: Tree, _ family: IPAddress.Family, _ level: Int, _ index: UInt128
  ) throws(IndexFault) -> Digest {
    var octets = [tree.rawValue, family == .v4 ? 4 : 6, UInt8(truncatingIfNeeded: level)]
    octets += (0..<16).map { UInt8(truncatingIfNeeded: index >> (8 * UInt128($0))) }
    return try key(.tree, octets)
  }

  /// Notes whether `address` is taken.
  mutating func mark(_ address: IPAddress, _ isTaken: Bool, in tree: Tree) throws(IndexFault) {
    try mark(address.value, isTaken, tree, address.family, level: 0)
  }

  private mutating func mark(
    _ position: UInt128, _ isTaken: Bool, _ tree: Tree, _ family: IPAddress.Family, level: Int
  ) throws(IndexFault) {
    let index = position >> Self.bits
    let bit = Int(truncatingIfNeeded: position & (1 << Self.bits - 1))
    var found = try bitmap(tree, family, level, index)
    if found == nil {
      guard isTaken else { return }
      var words = [UInt64](repeating: 0, count: PageFile.pageSize)
      words[1] = Self.kind | UInt64(level) << 8
      let page = try addPage(words)
      try insert(try nodeKey(tree, family, level, index), (UInt64(page), 0, 0))
      found = page
    }
    guard let page = found else { return }
    let words = try pages.page(page)
    let at = Self.firstWord + bit / 64
    let mask: UInt64 = 1 << UInt64(bit % 64)
    guard (words[at] & mask != 0) != isTaken else { return }
    let (word, old) = (words[at] ^ mask, words[Self.countWord])
    try pages.set(page, at, word)
    try pages.set(page, Self.countWord, isTaken ? old &+ 1 : old &- 1)
    let full: UInt64 = 1 << UInt64(Self.bits)
    if level < Self.top(family), (isTaken ? old &+ 1 : old) == full {
      try mark(index, isTaken, tree, family, level: level + 1)
    }
  }

  /// Whether `address` is taken.
  mutating func isTaken(_ address: IPAddress, in tree: Tree) throws(IndexFault) -> Bool {
    try firstFree(in: IPRange(address, address), tree) == nil
  }

  /// The lowest address of `range` that is not taken; nil if all are.
  mutating func firstFree(in range: IPRange?, _ tree: Tree) throws(IndexFault) -> IPAddress? {
    guard let range else { return nil }
    let family = range.first.family
    let found = try firstOpen(tree, family, 0, range.first.value, range.last.value)
    return found.flatMap { IPAddress(family, value: $0) }
  }

  /// The lowest position from `first` to `last` whose bit on `level` is not set.
  private mutating func firstOpen(
    _ tree: Tree, _ family: IPAddress.Family, _ level: Int, _ first: UInt128, _ last: UInt128
  ) throws(IndexFault) -> UInt128? {
    var position = first
    while position <= last {
      let index = position >> Self.bits
      guard let page = try bitmap(tree, family, level, index) else { return position }
      let start = Int(truncatingIfNeeded: position & (1 << Self.bits - 1))
      if let bit = Self.firstClear(try pages.page(page), from: start) {
        let found = index << Self.bits | UInt128(bit)
        return found <= last ? found : nil
      }
      guard level < Self.top(family), index < last >> Self.bits,
        let next = try firstOpen(tree, family, level + 1, index + 1, last >> Self.bits)
      else { return nil }
      position = next << Self.bits
    }
    return nil
  }

  /// The first bit from `start` on that is not set; nil if there is none.
  private static func firstClear(_ words: [UInt64], from start: Int) -> Int? {
    var word = start / 64
    var inverted = ~words[firstWord + word] & (~0 << UInt64(start % 64))
    let end = (1 << Int(bits)) / 64
    while inverted == 0 {
      word += 1
      guard word < end else { return nil }
      inverted = ~words[firstWord + word]
    }
    return word * 64 + inverted.trailingZeroBitCount
  }
}
