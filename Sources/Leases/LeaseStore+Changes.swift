public import Addresses
internal import Linux

extension LeaseStore {
  /// Leases `address` to `holder`; false where somebody has it after all. Then the index, which had
  /// it free, has been made anew.
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

  /// Takes `addresses` back from `holder`; those that are not its own are left alone.
  public mutating func release(_ addresses: [IPAddress], of holder: LeaseHolder)
    throws(LeaseError)
  {
    for address in addresses {
      let name = address.description
      guard case .lease(let found, _) = LeaseFile(name, in: directory), found.covers(holder) else {
        // The index is wrong about it.
        try rebuild()
        continue
      }
      do throws(SystemError) { try directory.remove(name) } catch { throw .system(error) }
      isDirectoryChanged = true
      isIndexChanged = true
      do throws(IndexFault) { try index.remove(address, of: found) } catch { try rebuild() }
    }
  }

  /// Takes back all that `holder` has, and answers it.
  public mutating func releaseAll(of holder: LeaseHolder) throws(LeaseError) -> [IPAddress] {
    var released: [IPAddress] = []
    for _ in 0..<3 {
      let held = try addresses(of: holder)
      if held.isEmpty || (!released.isEmpty && held.allSatisfy(released.contains)) { break }
      try release(held, of: holder)
      released += held
      // What the container as a whole has is only meant where its interface has nothing.
      break
    }
    return released
  }

  /// Makes the index match the directory. What fails here costs the next operation a walk.
  public mutating func commit() {
    guard access != .reading, isDirectoryChanged || isIndexChanged else { return }
    if !reclaims { synchronizeDirectory() }
    guard !isUnsettled, companion != nil else { return }
    do throws(SystemError) {
      // From here on the old index, half overwritten, must not match.
      if !isDirectoryChanged { try directory.setModified(Clock.nanosecondsSinceEpoch) }
      // In the past, where no other change of the directory can come to lie.
      let stamp = Clock.nanosecondsSinceEpoch - 1_000_000_000
      do throws(IndexFault) {
        try index.setField(LeaseIndex.Field.stamp, UInt64(bitPattern: stamp))
        try index.pages.write()
      } catch {
        if case .system(let error) = error { throw error }
        return
      }
      try directory.setModified(stamp)
      isDirectoryChanged = false
      isIndexChanged = false
    } catch {
      notes.append("no index, so the next command reads every lease: \(error)")
      try? index.pages.removeAll()
    }
  }

  private mutating func synchronizeDirectory() {
    do throws(SystemError) { try directory.synchronize() } catch {
      notes.append("a power loss now may undo this: \(error)")
    }
  }

  // MARK: - Files

  /// The one file that is being written. Whoever has the lock may remove it.
  private static var draftName: String { "draft" }

  /// Writes a draft; false where there is no place for one.
  private func writeDraft(_ bytes: [UInt8], isDurable: Bool) throws(SystemError) -> Bool {
    let options: FileDescriptor.OpenOptions = [.writeOnly, .create, .exclusive]
    guard companion != nil else { return false }
    var file: FileDescriptor?
    do throws(SystemError) { file = try companion?.open(Self.draftName, options) } catch {
      // Left by somebody who was killed. It may be a second name of a lease: never write into it.
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
        case .crossDevice, .notPermitted, .notSupported, .tooManyNames: break
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

  /// Gives the file `name` this short content. Whoever is killed in between leaves a cursor that
  /// stands elsewhere, or nowhere, and costs nobody an address.
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
