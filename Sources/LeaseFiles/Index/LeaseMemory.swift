public import Addresses
internal import Linux

/// Who had which address last, so that it can have it again.
///
/// That is in no lease. It is a ring of slots in a file, the newest over the oldest; a slot that
/// is torn is none.
extension LeaseDirectory {
  /// Slots of the ring. Who had an address longer ago than this many leases is forgotten.
  private static var capacity: Int { 1 << 16 }
  /// Words of a slot: checksum, number (from 1 on), subject (two), address (two) and family.
  private static var slotSize: Int { 8 }
  private static var fileName: String { "memory" }

  /// What an address is remembered for: any text that stays the same from one life of a container
  /// to the next.
  private static func subject(_ text: String) -> Digest {
    SipHash.digest(Array(text.utf8), key: .none)
  }

  /// The address that `text` had last.
  public mutating func remembered(for text: String) throws(LeaseError) -> IPAddress? {
    for _ in 0..<2 {
      do throws(IndexFault) {
        guard try index.hasMemory else { return nil }
        return try index.remembered(for: Self.subject(text))
      } catch { try rebuild() }
    }
    throw .unstable(path: location.path)
  }

  /// From now on `address` is what `text` had last; nil: it was never leased.
  ///
  /// It is not worth a failure: what cannot be written is forgotten.
  public mutating func remember(_ address: IPAddress, for text: String?) throws(LeaseError) {
    var isKnown = false
    do throws(IndexFault) {
      isKnown = try note(address, text.map { Self.subject($0) } ?? .none)
    } catch { isKnown = false }
    if !isKnown { try rebuild() }
  }

  /// False where the index must be rebuilt: only a rebuilding makes the tree of the reserved
  /// addresses, and the first memory needs it.
  private mutating func note(_ address: IPAddress, _ subject: Digest) throws(IndexFault) -> Bool {
    let hasMemory = try index.hasMemory
    guard hasMemory || subject != .none else { return true }
    if hasMemory {
      let owner = try index.owner(of: address) ?? .none
      let last = subject == .none ? nil : try index.remembered(for: subject)
      if owner == subject, subject == .none || last == address { return true }
    }
    let number = max(1, try index.field(LeaseIndex.Field.nextMemory))
    guard writeSlot(number, subject, address) else { return true }
    guard hasMemory else { return false }
    isIndexChanged = true
    try index.setField(LeaseIndex.Field.nextMemory, number &+ 1)
    try index.remember(address, for: subject)
    return true
  }

  private mutating func writeSlot(_ number: UInt64, _ subject: Digest, _ address: IPAddress) -> Bool
  {
    let record = LeaseIndex.record(address)
    var words = [0, number, subject.first, subject.second, record.0, record.1, record.2, 0]
    words[0] = Self.checksum(words)
    do throws(SystemError) {
      guard companion != nil else { return false }
      let slot = Int64(number % UInt64(Self.capacity)) * Int64(Self.slotSize) * 8
      try companion?.open(Self.fileName, [.readWrite, .create]).write(words: words, at: slot)
      return true
    } catch {
      notes.append("\(address) will not be remembered: \(error)")
      return false
    }
  }

  private static func checksum(_ words: [UInt64]) -> UInt64 {
    words.dropFirst().reduce(0x6d65_6d6f_7279_0001) {
      let mixed = ($0 ^ $1) &* 0xff51_afd7_ed55_8ccd
      return mixed ^ mixed >> 32
    }
  }

  /// Reads the ring, from the oldest slot to the newest, into an index without leases.
  mutating func loadMemory() throws(IndexFault) {
    guard companion != nil, let file = try? companion?.open(Self.fileName) else { return }
    var newest: UInt64 = 0
    let chunk = 512
    for start in stride(from: 0, to: Self.capacity, by: chunk) {
      for slot in Self.slots(start..<(start + chunk), of: file) { newest = max(newest, slot[1]) }
    }
    guard newest > 0 else { return }
    try index.setField(LeaseIndex.Field.hasMemory, 1)
    try index.setField(LeaseIndex.Field.nextMemory, newest + 1)
    // The slot after the newest is the oldest, where the ring has gone round.
    let gap = Int(newest % UInt64(Self.capacity)) + 1
    for end in [(gap, Self.capacity), (0, gap)] {
      for start in stride(from: end.0, to: end.1, by: chunk) {
        for slot in Self.slots(start..<min(start + chunk, end.1), of: file) {
          guard let address = LeaseIndex.address((slot[4], slot[5], slot[6])) else { continue }
          try index.remember(address, for: Digest(first: slot[2], second: slot[3]))
        }
      }
    }
  }

  /// Those slots in the places `range` that are whole.
  private static func slots(_ range: Range<Int>, of file: borrowing FileDescriptor) -> [[UInt64]] {
    let offset = Int64(range.lowerBound) * Int64(slotSize) * 8
    let words = (try? file.readWords(at: offset, count: range.count * slotSize)) ?? []
    return (0..<(words.count / slotSize)).compactMap { ordinal in
      let slot = Array(words[(ordinal * slotSize)..<((ordinal + 1) * slotSize)])
      let isInPlace = slot[1] % UInt64(capacity) == UInt64(range.lowerBound + ordinal)
      return slot[1] != 0 && slot[1] < 1 << 62 && isInPlace && slot[0] == checksum(slot)
        ? slot : nil
    }
  }
}

extension LeaseIndex {
  private mutating func memoryKey(_ subject: Digest) throws(IndexFault) -> Digest {
    try key(
      .memory,
      [subject.first, subject.second].flatMap { word in
        (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) }
      })
  }
  private mutating func ownerKey(_ address: IPAddress) throws(IndexFault) -> Digest {
    try key(.owner, address.bytes)
  }

  /// The address that `subject` had last.
  mutating func remembered(for subject: Digest) throws(IndexFault) -> IPAddress? {
    guard let record = try find(try memoryKey(subject)) else { return nil }
    return Self.address(record)
  }

  /// Who had `address` last.
  mutating func owner(of address: IPAddress) throws(IndexFault) -> Digest? {
    guard let record = try find(try ownerKey(address)) else { return nil }
    return Digest(first: record.0, second: record.1)
  }

  /// Makes `address` what `subject` had last; `.none`: no subject's.
  mutating func remember(_ address: IPAddress, for subject: Digest) throws(IndexFault) {
    if let old = try owner(of: address), old != subject {
      try remove(try memoryKey(old))
      try remove(try ownerKey(address))
    }
    if subject != .none, let old = try remembered(for: subject), old != address {
      try remove(try ownerKey(old))
      if !(try isTaken(old, in: .leased)) { try mark(old, false, in: .reserved) }
    }
    guard subject != .none else {
      if !(try isTaken(address, in: .leased)) { try mark(address, false, in: .reserved) }
      return
    }
    try insert(try memoryKey(subject), Self.record(address))
    try insert(try ownerKey(address), (subject.first, subject.second, 0))
    try mark(address, true, in: .reserved)
  }
}
