import Addresses
import CLinux
import Linux

@testable import LeaseFiles

extension Feeding {
  private static let base = "/dev/shm/patchbay-fuzz-\(Process.identifier)"

  /// The first octet says which file the others are, of a network that has one lease beside it.
  static func leases(_ octets: [UInt8]) {
    guard let first = octets.first else { return }
    let content = Array(octets.dropFirst())
    _ = LeaseHolder(content: content)
    _ = BootRecord(content)
    let location = LeaseLocation(dataDirectory: base, network: "net1")
    do {
      let directory = try Directory.create(path: location.path, mode: 0o755)
      let companion = try Directory.create(path: location.privatePath, mode: 0o700)
      for name in try directory.names() { try directory.remove(name) }
      for name in try companion.names() { try companion.remove(name) }
      try use(location)
      switch first % 5 {
      case 0: try write(content, "10.0.0.9", directory)
      case 1: try write(content, "last_reserved_ip.0", directory)
      case 2: try write(content, "boot", companion)
      case 3: try write(content, "memory", companion)
      default:
        // Some words of the index, with pages whose checksums are right: a page that was torn is
        // found out by them, and what is wrong behind a good one is what is of interest.
        try patch(content, directory, companion)
      }
      try use(location)
    } catch { fatalError("\(error): \(octets)") }
  }

  private static func write(_ content: [UInt8], _ name: String, _ directory: borrowing Directory)
    throws(SystemError)
  {
    try directory.open(name, [.writeOnly, .create, .truncate]).write(content)
  }

  private static func patch(
    _ content: [UInt8], _ directory: borrowing Directory, _ companion: borrowing Directory
  ) throws {
    let modified = try directory.status().modified
    let file = try companion.open("index", .readWrite)
    var pages = PageFile(file, isWritable: true)
    // Two octets say which word, eight what is in it.
    for start in stride(from: 0, to: content.count - 9, by: 10) {
      let page = Int(content[start]) % 8
      let word = 1 + (Int(content[start + 1]) | Int(content[start] & 0x80) << 1) % 511
      let value = content[(start + 2)..<(start + 10)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      try? pages.set(page, word, value)
    }
    try? pages.write()
    // The index is taken for the directory's.
    var index = LeaseIndex(pages)
    try? index.setField(LeaseIndex.Field.stamp, UInt64(bitPattern: modified))
    try? index.pages.write()
    try directory.setModified(modified)
  }

  /// What host-local does. The leases may have been made unreadable, but no address has two
  /// holders.
  private static func use(_ location: LeaseLocation) throws {
    guard
      var store = try LeaseDirectory.open(
        location, for: .leasing, reclaims: true, until: .after(.seconds(5))),
      let range = IPRange(
        IPAddress(.v4, value: 0x0a00_0002), IPAddress(.v4, value: 0x0a00_00fe))
    else { return }
    let holder = LeaseHolder(containerID: "c1", interfaceName: "eth0")
    _ = store.cursor(of: 0)
    _ = try store.remembered(for: "name")
    for address in try store.addresses(of: holder) { _ = store.holder(of: address) }
    if let free = try store.firstFree(in: range, leavingRemembered: true) {
      if try store.lease(free, to: holder, set: 0) {
        require(store.holder(of: free) == holder, "\(free) is another's")
      }
      try store.remember(free, for: "name")
    }
    store.commit()
    _ = try store.releaseAll(of: holder)
    store.commit()
  }
}

extension IPRange {
  fileprivate init?(_ first: IPAddress?, _ last: IPAddress?) {
    guard let first, let last else { return nil }
    self.init(first, last)
  }
}
