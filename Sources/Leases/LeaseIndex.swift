internal import Addresses
internal import Linux

/// What is kept beside a network's directory so that nothing in it has to be looked for: who holds
/// which addresses, and which addresses are free.
///
/// It is a cache. It holds for the directory when `stamp` is the directory's time of change, which
/// we set ourselves after each change of ours and which any other change overwrites.
struct LeaseIndex: ~Copyable {
  /// "leases 1": the format below.
  private static let magic: UInt64 = 0x3120_7365_7361_656c
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
    octets += [0, UInt8(truncatingIfNeeded: ordinal)]
    return try key(.holder, octets)
  }

  /// Addresses that one attachment may have.
  private static let addressLimit = 255

  /// The addresses that `holder` has, in the order of their leasing.
  mutating func addresses(of holder: LeaseHolder) throws(IndexFault) -> [IPAddress] {
    var addresses: [IPAddress] = []
    var count = 1
    while addresses.count < count {
      guard let record = try find(try key(holder, addresses.count)) else {
        guard addresses.isEmpty else { throw .damaged }
        break
      }
      guard let address = Self.address(record) else { throw .damaged }
      addresses.append(address)
      if addresses.count == 1 { count = Int(record.2 >> 8 & 0xff) }
    }
    return addresses
  }

  /// Makes `addresses` those that `holder` has; `old` are those it had.
  mutating func setAddresses(of holder: LeaseHolder, _ addresses: [IPAddress], old: Int)
    throws(IndexFault)
  {
    guard addresses.count <= Self.addressLimit else { throw .damaged }
    for (ordinal, address) in addresses.enumerated() {
      var record = Self.record(address)
      record.2 |= UInt64(addresses.count) << 8
      try insert(try key(holder, ordinal), record)
    }
    for ordinal in addresses.count..<max(old, addresses.count) {
      try remove(try key(holder, ordinal))
    }
  }

  /// Enters the lease of `address`.
  mutating func add(_ address: IPAddress, of holder: LeaseHolder) throws(IndexFault) {
    let held = try addresses(of: holder)
    if !held.contains(address) {
      try setAddresses(of: holder, held + [address], old: held.count)
    }
    try mark(address, true, in: .leased)
    if try hasMemory { try mark(address, true, in: .spokenFor) }
  }

  /// Strikes out the lease of `address`.
  mutating func remove(_ address: IPAddress, of holder: LeaseHolder) throws(IndexFault) {
    let held = try addresses(of: holder)
    try setAddresses(of: holder, held.filter { $0 != address }, old: held.count)
    try mark(address, false, in: .leased)
    if try hasMemory, try owner(of: address) == nil { try mark(address, false, in: .spokenFor) }
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
