public import Addresses
internal import Linux

extension LeaseDirectory {
  /// Leases `address` to `holder`; false where it is leased after all. Then the index, which had
  /// it free, has been rebuilt.
  ///
  /// - Parameter set: The range set whose cursor stands at the address from now on; nil: none.
  public mutating func lease(_ address: IPAddress, to holder: LeaseHolder, set: Int?)
    throws(LeaseError) -> Bool
  {
    do throws(SystemError) {
      try make(address.description, holder.content)
      isDirectoryChanged = true
    } catch {
      guard error.errno == .fileExists else { throw .system(error) }
      try rebuild()
      return false
    }
    do throws(SystemError) {
      if let set { try put(LeaseLocation.cursorName(set), Array(address.description.utf8)) }
    } catch { notes.append("the next ADD does not go on from \(address): \(error)") }
    isIndexChanged = true
    do throws(IndexFault) { try index.add(address, of: holder) } catch { try rebuild() }
    return true
  }

  /// Takes `addresses` back from `holder`, as far as they are its own; returns which these were.
  ///
  /// It goes on where one cannot be taken back, and throws that in the end.
  @discardableResult
  public mutating func release(_ addresses: [IPAddress], of holder: LeaseHolder)
    throws(LeaseError) -> [IPAddress]
  {
    var released: [IPAddress] = []
    var failure: SystemError?
    var isIndexWrong = false
    // The newest first, which the index finds at once however many there are.
    for address in addresses.reversed() {
      do throws(SystemError) {
        guard let found = try remove(address, ifOf: holder) else {
          isIndexWrong = true
          continue
        }
        released.append(address)
        do throws(IndexFault) { try index.remove(address, of: found) } catch { isIndexWrong = true }
      } catch { failure = failure ?? error }
    }
    if isIndexWrong { try rebuild() }
    if let failure { throw .system(failure) }
    return released.reversed()
  }

  /// Removes the lease of `address` if `holder` has it; nil if not. Returns what the file said.
  private mutating func remove(_ address: IPAddress, ifOf holder: LeaseHolder)
    throws(SystemError) -> LeaseHolder?
  {
    let name = address.description
    switch LeaseFile(name, in: directory) {
    case .lease(let found, _) where found.covers(holder):
      try directory.remove(name)
      isDirectoryChanged = true
      isIndexChanged = true
      return found
    case .unreadable(let error): throw error
    case .lease, .torn, .foreign, .none: return nil
    }
  }

  /// Takes back all that `holder` has, and returns it. Where it seems to have nothing, but not
  /// every lease could be read, that is an error.
  public mutating func releaseAll(of holder: LeaseHolder) throws(LeaseError) -> [IPAddress] {
    for _ in 0..<3 {
      let held = try addresses(of: holder)
      if held.isEmpty {
        if let unread { throw .system(unread) }
        return []
      }
      let released = try release(held, of: holder)
      // None, where the index was wrong; it has been rebuilt.
      if !released.isEmpty { return released }
    }
    throw .unstable(path: location.path)
  }

  /// Makes the index match the directory. What fails here costs the next operation a walk.
  public mutating func commit() {
    guard access != .reading, isDirectoryChanged || isIndexChanged else { return }
    if !reclaims { synchronizeDirectory() }
    guard !isUnsettled, companion != nil, index.pages.isInFile else { return }
    do throws(SystemError) {
      // From here on the old index, half overwritten, must not match.
      if !isDirectoryChanged { try directory.setModified(Clock.nanosecondsSinceEpoch) }
      // In the past, where no other change of the directory can come to lie, however coarse the
      // file system's times are.
      let stamp = Clock.nanosecondsSinceEpoch - 10_000_000_000
      guard try write(stamp: stamp) else { return }
      try directory.setModified(stamp)
      // Such a file system has cut off the fraction. A later time is another program's change.
      let kept = try directory.status().modified
      if kept < stamp { guard try write(stamp: kept) else { return } }
      isDirectoryChanged = false
      isIndexChanged = false
    } catch {
      notes.append("no index, so the next command reads every lease: \(error)")
      dropIndexFile()
    }
  }

  /// Goes on without a file for the index, and without what it has read of it.
  mutating func dropIndexFile() {
    try? index.pages.removeAll()
    index = LeaseIndex(PageFile(nil, isWritable: false))
  }

  /// Writes the index as that of a directory with this time of change; false where it is damaged.
  private mutating func write(stamp: Int64) throws(SystemError) -> Bool {
    do throws(IndexFault) {
      try index.setField(LeaseIndex.Field.stamp, UInt64(bitPattern: stamp))
      try index.pages.write()
      return true
    } catch {
      if case .system(let error) = error { throw error }
      return false
    }
  }

  private mutating func synchronizeDirectory() {
    do throws(SystemError) { try directory.synchronize() } catch {
      notes.append("a power loss now may undo this: \(error)")
    }
  }

  // MARK: - Files

  /// The one file that is being written. The holder of the lock may remove it.
  private static var draftName: String { "draft" }

  /// Writes a draft; false where there is no place for one.
  private func writeDraft(_ bytes: [UInt8], isDurable: Bool) throws(SystemError) -> Bool {
    let options: FileDescriptor.OpenOptions = [.writeOnly, .create, .exclusive]
    guard companion != nil else { return false }
    var file: FileDescriptor?
    do throws(SystemError) { file = try companion?.open(Self.draftName, options) } catch {
      // Left by a program that was killed. It may be a second name of a lease: never write into it.
      guard error.errno == .fileExists else { throw error }
      try companion?.remove(Self.draftName)
      file = try companion?.open(Self.draftName, options)
    }
    do throws(SystemError) {
      try file?.write(bytes)
      if isDurable { try file?.synchronize() }
    } catch {
      _ = try? companion?.remove(Self.draftName)
      throw error
    }
    return true
  }

  /// Makes the file `name`, which must not be there, with its content from the first moment on.
  private func make(_ name: String, _ bytes: [UInt8]) throws(SystemError) {
    if try writeDraft(bytes, isDurable: !reclaims) {
      defer { _ = try? companion?.remove(Self.draftName) }
      do throws(SystemError) {
        try companion?.link(Self.draftName, to: directory, as: name)
        return
      } catch {
        // Another file system, or one without second names.
        switch error.errno {
        case .crossDevice, .notPermitted, .notSupported, .tooManyLinks: break
        default: throw error
        }
      }
    }
    let file = try directory.open(name, [.writeOnly, .create, .exclusive])
    do throws(SystemError) {
      try file.write(bytes)
      if !reclaims { try file.synchronize() }
    } catch {
      _ = try? directory.remove(name)
      throw error
    }
  }

  /// Gives the file `name` this short content. A program that is killed in between leaves a cursor
  /// that stands elsewhere, or nowhere, and costs no attachment an address.
  private mutating func put(_ name: String, _ bytes: [UInt8]) throws(SystemError) {
    isDirectoryChanged = true
    let file = try directory.open(name, [.writeOnly, .create, .nonBlocking])
    try file.write(bytes, at: 0)
    if try file.status().size != Int64(bytes.count) { try file.truncate(to: Int64(bytes.count)) }
  }

  /// Notes when this boot began, for those who come later in it.
  func putBootRecord(_ record: BootRecord) {
    guard access != .reading, (try? writeDraft(record.bytes, isDurable: false)) == true else {
      return
    }
    try? companion?.rename(Self.draftName, to: "boot")
  }
}
