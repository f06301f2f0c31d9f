internal import Linux

/// Why an index cannot be used. It is then rebuilt from the leases, never repaired.
enum IndexFault: Error {
  /// What it holds is not what was written.
  case damaged
  /// The file could not be read or written.
  case system(SystemError)
}

/// A file of pages, of which those that are needed are in memory. The first word of a page is the
/// checksum of the others.
struct PageFile: ~Copyable {
  /// Words of 64 bits in a page.
  static let pageSize = 512
  /// Pages that may be in memory before all are written and forgotten.
  private static let memoryLimit = 640

  /// Nil: the pages are in memory only.
  private let file: FileDescriptor?
  private var pages: [Int: [UInt64]] = [:]
  private var changed: Set<Int> = []
  /// Whether changes reach the file, if there is one.
  let isWritable: Bool

  /// The pages of `file`, or of none.
  init(_ file: consuming FileDescriptor?, isWritable: Bool) {
    self.file = file
    self.isWritable = isWritable
  }

  /// Whether there are pages in memory.
  var isInMemory: Bool { !pages.isEmpty }
  /// Whether there is a file.
  var isInFile: Bool { file != nil }

  /// Forgets all pages, in memory and in the file.
  mutating func removeAll() throws(IndexFault) {
    pages = [:]
    changed = []
    guard isWritable, file != nil else { return }
    do throws(SystemError) { try file?.truncate(to: 0) } catch { throw .system(error) }
  }

  /// The words of page `number`.
  mutating func page(_ number: Int) throws(IndexFault) -> [UInt64] {
    if let page = pages[number] { return page }
    guard file != nil, number >= 0, number < 1 << 40 else { throw .damaged }
    var words: [UInt64]?
    do throws(SystemError) {
      let offset = Int64(number) * Int64(Self.pageSize) * 8
      words = try file?.readWords(at: offset, count: Self.pageSize)
    } catch { throw .system(error) }
    guard let words, words.count == Self.pageSize, words[0] == Self.checksum(words, number) else {
      throw .damaged
    }
    try makeRoom()
    pages[number] = words
    return words
  }

  /// Makes `words` the page `number`.
  mutating func replace(_ number: Int, with words: [UInt64]) throws(IndexFault) {
    try makeRoom()
    pages[number] = words
    changed.insert(number)
  }

  private mutating func makeRoom() throws(IndexFault) {
    guard pages.count >= Self.memoryLimit, isWritable, file != nil else { return }
    try write()
    pages = [:]
  }

  /// Sets one word of a page that was read before.
  mutating func set(_ number: Int, _ index: Int, _ word: UInt64) throws(IndexFault) {
    if pages[number] == nil { _ = try page(number) }
    pages[number]?[index] = word
    changed.insert(number)
  }

  /// Writes what was changed; page 0, which says that the others are good, last.
  mutating func write() throws(IndexFault) {
    guard isWritable, file != nil else { return }
    do throws(SystemError) {
      for number in changed.sorted(by: >) {
        guard var words = pages[number] else { continue }
        words[0] = Self.checksum(words, number)
        try file?.write(words: words, at: Int64(number) * Int64(Self.pageSize) * 8)
        pages[number] = words
      }
    } catch { throw .system(error) }
    changed = []
  }

  /// Also of the page's number, so that a page in another's place is found out.
  private static func checksum(_ words: [UInt64], _ number: Int) -> UInt64 {
    var sum = UInt64(truncatingIfNeeded: number) &+ 0x9e37_79b9_7f4a_7c15
    for word in words.dropFirst() {
      sum = (sum ^ word) &* 0xff51_afd7_ed55_8ccd
      sum ^= sum >> 32
    }
    return sum
  }
}
