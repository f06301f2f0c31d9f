internal import Addresses
internal import Linux

/// Which leases are of an earlier boot.
private enum Staleness {
  case none
  /// All that are there.
  case all
  /// Those written before this moment: nanoseconds since 1970-01-01T00:00:00Z.
  case before(Int64)

  func covers(_ modified: Int64) -> Bool {
    switch self {
    case .none: false
    case .all: true
    case .before(let moment): modified < moment
    }
  }
}

extension LeaseDirectory {
  /// Makes sure that the index matches the directory; one stat(2) shows that it does.
  mutating func match() throws(LeaseError) {
    let modified: Int64
    do throws(SystemError) { modified = try directory.status().modified } catch {
      throw .system(error)
    }
    var isUnchanged = false
    if index.isReadable(), let stamp = try? index.stamp, let made = try? index.boot {
      isUnchanged = stamp == modified && stamp != 0
      if isUnchanged, made == boot, boot != .none { return }
      isUnchanged = isUnchanged && made != .none
    }
    guard reclaims, boot != .none else { return try rebuild(.none, keeping: nil) }
    // A later command of this boot may find the clock set, so its beginning is noted now.
    let older = byTime()
    // No command ran here since the boot that the index is of: nothing there can be younger.
    try rebuild(isUnchanged ? .all : older, keeping: nil)
  }

  /// Rebuilds the index from the files. Which of them are of an earlier boot was judged before.
  mutating func rebuild() throws(LeaseError) { try rebuild(.none, keeping: nil) }

  /// Releases the leases of all who are not among `valid`.
  public mutating func releaseAll(but valid: Set<LeaseHolder>) throws(LeaseError) {
    try rebuild(.none, keeping: valid)
  }

  private func byTime() -> Staleness {
    let bytes = try? companion?.read("boot", limit: 256)
    let known = bytes.flatMap { $0 }.flatMap { BootRecord($0) }
    let record = BootRecord(identifier: boot, earlier: known)
    if known?.identifier != record.identifier || known?.moment != record.moment {
      putBootRecord(record)
    }
    return .before(record.moment)
  }

  private mutating func rebuild(_ staleness: Staleness, keeping valid: Set<LeaseHolder>?)
    throws(LeaseError)
  {
    if access == .reading { index = LeaseIndex(PageFile(nil, isWritable: false)) }
    var failure: SystemError?
    do throws(IndexFault) {
      try walk(staleness, valid, &failure)
      isIndexChanged = true
      commit()
    } catch {
      if case .system(let error) = error { notes.append("no index: \(error)") }
      dropIndexFile()
    }
    // What cannot be kept in a file is kept in memory, for this once.
    if !index.hasContent {
      do throws(IndexFault) { try walk(staleness, valid, &failure) } catch {
        if case .system(let error) = error { throw .system(error) }
        throw .unstable(path: location.path)
      }
      isIndexChanged = true
      commit()
    }
    if let failure { throw .system(failure) }
  }

  /// Reads every file of the directory into an empty index, and removes those that are no leases.
  private mutating func walk(
    _ staleness: Staleness, _ valid: Set<LeaseHolder>?, _ failure: inout SystemError?
  ) throws(IndexFault) {
    try index.reset(key: Boot.randomKey(), boot: boot)
    try loadMemory()
    // Of a /64 there may be many, and addresses are less than half as large as names.
    let addresses: [IPAddress]
    do throws(SystemError) {
      addresses = try directory.names { name in
        IPAddress(name).flatMap { $0.description == name ? $0 : nil }
      }
    } catch { throw .system(error) }
    let containers = Set((valid ?? []).map { $0.containerID })
    let now = Clock.nanosecondsSinceEpoch
    isUnsettled = false
    unread = nil
    for address in addresses {
      let name = address.description
      var isFree = false
      var holder: LeaseHolder?
      switch LeaseFile(name, in: directory) {
      case .none: continue
      case .foreign: break
      case .unreadable(let error):
        unread = unread ?? error
        isUnsettled = true
      case .torn(let modified):
        // A program that writes there has the lock, and that is this one; but not every program
        // locks. A file may claim any time, also one so long ago that no difference has room.
        let isYoung = modified <= now && modified > now - 2_000_000_000 && modified != 0
        if isYoung { isUnsettled = true } else { isFree = true }
      case .lease(let found, let modified):
        holder = found
        isFree = staleness.covers(modified)
        if let valid {
          isFree =
            isFree
            || (found.interfaceName == nil
              ? !containers.contains(found.containerID) : !valid.contains(found))
        }
      }
      if isFree, remove(name, &failure) { continue }
      if let holder {
        try index.add(address, of: holder)
      } else {
        try index.mark(address, true, in: .leased)
        if try index.hasMemory { try index.mark(address, true, in: .reserved) }
      }
    }
  }

  /// Whether the file is gone, or is as good as gone for one who only reads.
  private mutating func remove(_ name: String, _ failure: inout SystemError?) -> Bool {
    guard access != .reading else { return true }
    do throws(SystemError) {
      try directory.remove(name)
      isDirectoryChanged = true
      return true
    } catch {
      failure = failure ?? error
      return false
    }
  }
}
