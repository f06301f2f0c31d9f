/// What the table holds under a key.
typealias Record = (UInt64, UInt64, UInt64)

/// The table: extendible hashing (Fagin, Nievergelt, Pippenger and Strong, 1979). Finding a record
/// reads one page of the directory and one bucket, however many records there are.
extension LeaseIndex {
  private static let bucketKind: UInt64 = 1
  private static let directoryKind: UInt64 = 2
  /// Slots of the directory in one page.
  private static let slotsPerPage = 256
  /// Where slots and records start in a page, after checksum and description.
  private static let start = 2
  private static let recordSize = 5
  private static let capacity = (PageFile.pageSize - start) / recordSize
  /// Enough for some ten million leases; a table beyond it is damaged.
  static let depthLimit: UInt64 = 18

  private struct Bucket {
    let page: Int
    let slot: Int
    let words: [UInt64]
    let depth: UInt64
    let count: Int
  }

  /// Makes the table empty: one page of directory, with one slot, and one bucket.
  mutating func resetTable() throws(IndexFault) {
    let directory = try addPage(Self.directoryPage)
    let bucket = try addPage(Self.bucketPage(depth: 0, count: 0))
    try pages.set(directory, Self.start, UInt64(bucket))
    try setField(Field.directory, UInt64(directory))
    try setField(Field.depth, 0)
  }

  private static var directoryPage: [UInt64] {
    var words = [UInt64](repeating: 0, count: PageFile.pageSize)
    words[1] = directoryKind
    return words
  }
  private static func bucketPage(depth: UInt64, count: Int) -> [UInt64] {
    var words = [UInt64](repeating: 0, count: PageFile.pageSize)
    words[1] = description(depth: depth, count: count)
    return words
  }
  private static func description(depth: UInt64, count: Int) -> UInt64 {
    bucketKind | depth << 8 | UInt64(count) << 16
  }

  private mutating func slot(_ index: Int) throws(IndexFault) -> Int {
    let page = Int(try field(Field.directory)) + index / Self.slotsPerPage
    let words = try pages.page(page)
    guard words[1] == Self.directoryKind,
      let bucket = Int(exactly: words[Self.start + index % Self.slotsPerPage])
    else { throw .damaged }
    return bucket
  }
  private mutating func setSlot(_ index: Int, _ bucket: Int) throws(IndexFault) {
    let page = Int(try field(Field.directory)) + index / Self.slotsPerPage
    try pages.set(page, Self.start + index % Self.slotsPerPage, UInt64(bucket))
  }

  private mutating func bucket(for key: Digest) throws(IndexFault) -> Bucket {
    let depth = try field(Field.depth)
    let index = depth == 0 ? 0 : Int(key.first >> (64 - depth))
    let page = try slot(index)
    let words = try pages.page(page)
    let (local, count) = (words[1] >> 8 & 0xff, Int(words[1] >> 16 & 0xffff))
    guard words[1] & 0xff == Self.bucketKind, local <= depth, count <= Self.capacity else {
      throw .damaged
    }
    return Bucket(page: page, slot: index, words: words, depth: local, count: count)
  }

  /// Where the record of `key` stands in the bucket.
  private static func position(of key: Digest, in bucket: Bucket) -> Int? {
    for ordinal in 0..<bucket.count {
      let at = start + ordinal * recordSize
      if bucket.words[at] == key.first, bucket.words[at + 1] == key.second { return at }
    }
    return nil
  }

  /// The record of `key`; nil if there is none.
  mutating func find(_ key: Digest) throws(IndexFault) -> Record? {
    let bucket = try bucket(for: key)
    guard let at = Self.position(of: key, in: bucket) else { return nil }
    return (bucket.words[at + 2], bucket.words[at + 3], bucket.words[at + 4])
  }

  /// Puts `record` under `key`, in the place of another that is there.
  mutating func insert(_ key: Digest, _ record: Record) throws(IndexFault) {
    while true {
      let bucket = try bucket(for: key)
      let known = Self.position(of: key, in: bucket)
      guard known != nil || bucket.count < Self.capacity else {
        try split(bucket)
        continue
      }
      let (page, depth, count) = (bucket.page, bucket.depth, bucket.count)
      let at = known ?? Self.start + count * Self.recordSize
      for (offset, word) in [key.first, key.second, record.0, record.1, record.2].enumerated() {
        try pages.set(page, at + offset, word)
      }
      if known == nil {
        try pages.set(page, 1, Self.description(depth: depth, count: count + 1))
      }
      return
    }
  }

  /// Removes the record of `key`, if there is one. Pages are not given back; the next making does.
  mutating func remove(_ key: Digest) throws(IndexFault) {
    let bucket = try bucket(for: key)
    guard let at = Self.position(of: key, in: bucket) else { return }
    let last = Self.start + (bucket.count - 1) * Self.recordSize
    for offset in 0..<Self.recordSize {
      try pages.set(bucket.page, at + offset, bucket.words[last + offset])
      try pages.set(bucket.page, last + offset, 0)
    }
    try pages.set(
      bucket.page, 1, Self.description(depth: bucket.depth, count: bucket.count - 1))
  }

  /// Moves half of the keys of a full bucket to a new one.
  private mutating func split(_ bucket: Bucket) throws(IndexFault) {
    var depth = try field(Field.depth)
    var slot = bucket.slot
    if bucket.depth == depth {
      try doubleDirectory()
      depth += 1
      slot *= 2
    }
    let local = bucket.depth + 1
    var halves = [Self.bucketPage(depth: local, count: 0), Self.bucketPage(depth: local, count: 0)]
    var counts = [0, 0]
    for ordinal in 0..<bucket.count {
      let at = Self.start + ordinal * Self.recordSize
      let half = Int(bucket.words[at] >> (64 - local) & 1)
      for offset in 0..<Self.recordSize {
        halves[half][Self.start + counts[half] * Self.recordSize + offset] =
          bucket.words[at + offset]
      }
      counts[half] += 1
    }
    for half in 0..<2 {
      halves[half][1] = Self.description(depth: local, count: counts[half])
    }
    try pages.replace(bucket.page, with: halves[0])
    let added = try addPage(halves[1])
    let width = 1 << Int(depth - local)
    let second = slot / (2 * width) * (2 * width) + width
    for index in second..<(second + width) { try setSlot(index, added) }
  }

  /// Makes a directory of twice the slots at the end, where there is room for it in one piece.
  private mutating func doubleDirectory() throws(IndexFault) {
    let depth = try field(Field.depth)
    guard depth < Self.depthLimit else { throw .damaged }
    let count = 2 << Int(depth)
    var first: Int?
    var words = Self.directoryPage
    for index in 0..<count {
      words[Self.start + index % Self.slotsPerPage] = UInt64(try slot(index / 2))
      if index % Self.slotsPerPage == Self.slotsPerPage - 1 || index == count - 1 {
        let page = try addPage(words)
        first = first ?? page
        words = Self.directoryPage
      }
    }
    try setField(Field.directory, UInt64(first ?? 0))
    try setField(Field.depth, depth + 1)
  }
}
