public import Addresses
public import Linux

/// Looking at the leases of a network without a lock, and without changing anything.
public enum LeaseList {
  /// All files that stand for an address, in the order of the addresses; empty where the network
  /// has no directory.
  public static func entries(at location: LeaseLocation) throws(SystemError) -> [LeaseEntry] {
    try entries(at: location, limit: .max) { _ in true }.entries
  }

  /// The same of the addresses that `isWanted` picks, of which no more than `limit` files are read;
  /// and whether those are all. The others cost a name of the directory each.
  public static func entries(
    at location: LeaseLocation, limit: Int, where isWanted: (IPAddress) -> Bool
  ) throws(SystemError) -> (entries: [LeaseEntry], isWhole: Bool) {
    let directory: Directory
    do throws(SystemError) { directory = try Directory(path: location.path) } catch {
      if error.errno == .noSuchFileOrDirectory { return ([], true) }
      throw error
    }
    let stale = staleness(at: location, directory)
    var entries: [LeaseEntry] = []
    let addresses = try directory.names { (name: String) -> IPAddress? in
      guard let address = IPAddress(name), address.description == name else { return nil }
      return isWanted(address) ? address : nil
    }
    for address in addresses.prefix(limit) {
      switch LeaseFile(address.description, in: directory) {
      case .none: continue
      case .foreign, .unreadable:
        entries.append(LeaseEntry(address: address, state: .foreign, holder: nil, since: nil))
      case .torn(let modified):
        entries.append(LeaseEntry(address: address, state: .torn, holder: nil, since: modified))
      case .lease(let holder, let modified):
        let state: LeaseEntry.State = modified < stale ? .stale : .held
        entries.append(
          LeaseEntry(address: address, state: state, holder: holder, since: modified))
      }
    }
    return (entries.sorted { $0.address < $1.address }, addresses.count <= limit)
  }

  /// The address that was leased last in the range set number `set`; nil where it is not known.
  public static func cursor(of set: Int, at location: LeaseLocation) -> IPAddress? {
    guard
      let file = try? FileDescriptor.open(
        "\(location.path)/\(LeaseLocation.cursorName(set))", [.readOnly, .noFollow, .nonBlocking]),
      let bytes = try? file.read(limit: 64)
    else { return nil }
    return IPAddress(String(decoding: bytes, as: UTF8.self))
  }

  /// The names of the networks that have a directory below `dataDirectory`, sorted.
  public static func networks(in dataDirectory: String) throws(SystemError) -> [String] {
    let names: [String]
    do throws(SystemError) { names = try Directory(path: dataDirectory).names() } catch {
      if error.errno == .noSuchFileOrDirectory { return [] }
      throw error
    }
    return names.filter {
      !$0.hasPrefix(".") && (try? FileStatus(path: "\(dataDirectory)/\($0)"))?.kind == .directory
    }.sorted()
  }

  /// The moment before which leases are of an earlier boot.
  private static func staleness(at location: LeaseLocation, _ directory: borrowing Directory)
    -> Int64
  {
    let boot = Boot.identifier()
    guard boot != .none else { return .min }
    guard let companion = try? Directory(path: location.privatePath) else { return Boot.moment }
    let bytes = (try? companion.read("boot", limit: 256)) ?? nil
    let record = BootRecord(identifier: boot, earlier: bytes.flatMap { BootRecord($0) })
    guard let file = try? companion.open("index") else { return record.moment }
    var index = LeaseIndex(PageFile(file, isWritable: false))
    if index.isReadable(), let stamp = try? index.stamp, let made = try? index.boot,
      stamp == (try? directory.status().modified)
    {
      return made == boot ? .min : .max
    }
    return record.moment
  }
}
