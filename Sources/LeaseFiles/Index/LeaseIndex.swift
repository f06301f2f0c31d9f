internal import Addresses
internal import Linux

/// What is kept beside a network's directory so that nothing in it has to be looked for: who holds
/// which addresses, and which addresses are free.
///
/// It is a cache. It holds for the directory when `stamp` is the directory's time of change, which
/// we set ourselves after each change of ours and which any other change overwrites.
struct LeaseIndex: ~Copyable {
  /// "leases 2": the format below.
  private static let magic: UInt64 = 0x3220_7365_7361_656c
  /// The words of page 0.
  enum Field {
    static let magic = 1, key = 2, boot = 4, stamp = 6, pageCount = 7, directory = 8, depth = 9
    static let hasMemory = 10, nextMemory = 11
  }
  var pages: PageFile

  init(_ pages: consuming PageFile) { self.pages = pages }

  /// Whether this is an index at all, by page 0.
  mutating func isReadable() -> Bool {
    guard let words = try? pages.page(0) else { return false }
    return words[Field.magic] == Self.magic && words[Field.depth] <= Self.depthLimit
      && (2...1 << 32).contains(words[Field.pageCount])
      && words[Field.directory] < words[Field.pageCount]
  }

  /// Whether it was made, or read.
  var hasContent: Bool { pages.isInFile || pages.isInMemory }

  /// Makes it an index of nothing.
  mutating func reset(key: Digest, boot: Digest) throws(IndexFault) {
    try pages.removeAll()
    var header = [UInt64](repeating: 0, count: PageFile.pageSize)
    header[Field.magic] = Self.magic
    header[Field.key] = key.first
    header[Field.key + 1] = key.second
    header[Field.boot] = boot.first
    header[Field.boot + 1] = boot.second
    header[Field.pageCount] = 1
    try pages.replace(0, with: header)
    try resetTable()
  }

  /// A word of page 0.
  mutating func field(_ index: Int) throws(IndexFault) -> UInt64 { try pages.page(0)[index] }
  mutating func setField(_ index: Int, _ word: UInt64) throws(IndexFault) {
    try pages.set(0, index, word)
  }

  /// The time of change of the directory that this holds for.
  var stamp: Int64 {
    mutating get throws(IndexFault) { Int64(bitPattern: try field(Field.stamp)) }
  }
  /// The boot in which it was made.
  var boot: Digest {
    mutating get throws(IndexFault) {
      Digest(first: try field(Field.boot), second: try field(Field.boot + 1))
    }
  }
  /// Whether addresses are remembered for those who had them last.
  var hasMemory: Bool { mutating get throws(IndexFault) { try field(Field.hasMemory) != 0 } }

  /// Takes a new page at the end, and gives it this content.
  mutating func addPage(_ words: [UInt64]) throws(IndexFault) -> Int {
    let count = try field(Field.pageCount)
    guard count < 1 << 32 else { throw .damaged }
    let number = Int(count)
    try setField(Field.pageCount, count + 1)
    try pages.replace(number, with: words)
    return number
  }

  // MARK: - Who holds what

  /// What a key of the table is about, so that keys of different kinds never meet.
  enum Subject: UInt8 {
    case holder = 1
    case tree = 2
    case memory = 3
    case owner = 4
  }

  mutating func key(_ subject: Subject, _ octets: [UInt8]) throws(IndexFault) -> Digest {
    let key = Digest(first: try field(Field.key), second: try field(Field.key + 1))
    return SipHash.digest([subject.rawValue] + octets, key: key)
  }

  private mutating func key(_ holder: LeaseHolder, _ ordinal: Int) throws(IndexFault) -> Digest {
    var octets = Array(holder.containerID.utf8) + [0]
    if let name = holder.interfaceName { octets += Array(name.utf8) }
    octets.append(0)
    octets += (0..<4).map { UInt8(truncatingIfNeeded: ordinal >> (8 * $0)) }
    return try key(.holder, octets)
  }

  /// The addresses that `holder` has, in the order of their leasing.
  mutating func addresses(of holder: LeaseHolder) throws(IndexFault) -> [IPAddress] {
    var addresses: [IPAddress] = []
    for ordinal in 0..<(try count(of: holder)) {
      addresses.append(try address(ordinal, of: holder))
    }
    return addresses
  }

  /// How many addresses `holder` has, which stands with the first of them.
  ///
  /// Mostly one or two; but a directory may have thousands of files that say the same.
  private mutating func count(of holder: LeaseHolder) throws(IndexFault) -> Int {
    guard let first = try find(try key(holder, 0)) else { return 0 }
    guard let count = Int32(exactly: first.2 >> 8), count > 0 else { throw .damaged }
    return Int(count)
  }

  private mutating func address(_ ordinal: Int, of holder: LeaseHolder) throws(IndexFault)
    -> IPAddress
  {
    guard let record = try find(try key(holder, ordinal)), let address = Self.address(record) else {
      throw .damaged
    }
    return address
  }

  /// Makes `address` number `ordinal` of the `count` that `holder` has.
  private mutating func set(
    _ address: IPAddress, _ ordinal: Int, of count: Int, _ holder: LeaseHolder
  ) throws(IndexFault) {
    var record = Self.record(address)
    if ordinal == 0 { record.2 |= UInt64(count) << 8 }
    try insert(try key(holder, ordinal), record)
  }

  /// Enters the lease of `address`, which is free.
  mutating func add(_ address: IPAddress, of holder: LeaseHolder) throws(IndexFault) {
    guard !(try isTaken(address, in: .leased)) else { throw .damaged }
    let count = try count(of: holder)
    try set(address, count, of: count + 1, holder)
    if count > 0 { try set(try self.address(0, of: holder), 0, of: count + 1, holder) }
    try mark(address, true, in: .leased)
    if try hasMemory { try mark(address, true, in: .reserved) }
  }

  /// Strikes out the lease of `address`, which `holder` has. The newest is found first.
  mutating func remove(_ address: IPAddress, of holder: LeaseHolder) throws(IndexFault) {
    let count = try count(of: holder)
    var ordinal = count - 1
    while ordinal >= 0, try self.address(ordinal, of: holder) != address { ordinal -= 1 }
    guard ordinal >= 0 else { throw .damaged }
    for next in (ordinal + 1)..<count {
      try set(try self.address(next, of: holder), next - 1, of: count - 1, holder)
    }
    try remove(try key(holder, count - 1))
    if ordinal > 0 { try set(try self.address(0, of: holder), 0, of: count - 1, holder) }
    try mark(address, false, in: .leased)
    if try hasMemory, try owner(of: address) == nil { try mark(address, false, in: .reserved) }
  }

  // MARK: - Addresses as words

  static func record(_ address: IPAddress) -> Record {
    (
      UInt64(truncatingIfNeeded: address.value >> 64), UInt64(truncatingIfNeeded: address.value),
      address.isIPv6 ? 6 : 4
    )
  }
  static func address(_ record: Record) -> IPAddress? {
    let value = UInt128(record.0) << 64 | UInt128(record.1)
    switch record.2 & 0xff {
    case 4: return IPAddress(.v4, value: value)
    case 6: return IPAddress(.v6, value: value)
    default: return nil
    }
  }
}
