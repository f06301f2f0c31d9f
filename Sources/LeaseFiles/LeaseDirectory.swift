public import Addresses
public import Linux

/// The leases of one network, locked, as long as this value is.
///
/// The files in the network's directory are the truth, and the reference plugin's own. What is
/// kept besides, the index, makes every operation cost the same however many leases there are; it
/// is rebuilt where it does not match.
///
/// Any operation may be killed at any instruction: a lease appears wholly or not at all, and an
/// index that was being changed does not match the directory, because the directory is always
/// changed before the index and gets its new time of change after it.
public struct LeaseDirectory: ~Copyable {
  /// What is wanted of the leases.
  public enum Access: Hashable, Sendable {
    /// Nothing is changed.
    case reading
    /// Leases are released; nothing is made.
    case releasing
    /// Leases are made, and the directory where it is missing.
    case leasing
  }
  /// Where they are.
  public let location: LeaseLocation
  /// What went wrong, and did not matter for the result.
  public internal(set) var notes: [String] = []

  let access: Access
  /// Whether leases of an earlier boot are free. Where they are not, they survive a power loss.
  let reclaims: Bool
  let directory: Directory
  /// What we keep besides; nil where that is impossible, and then every operation walks.
  let companion: Directory?
  private let lock: FileLock
  var index: LeaseIndex
  let boot: Digest
  /// The directory was changed after its time of change was set.
  var isDirectoryChanged = false
  /// The index was changed after it was written.
  var isIndexChanged = false
  /// Another program may be writing a file there at this moment, or one could not be read: the
  /// index holds for now only.
  var isUnsettled = false
  /// Why a file could not be read that may be anybody's lease.
  var unread: SystemError?

  /// Locks the leases at `location`; nil where there are none, unless they are to be made.
  ///
  /// - Parameter reclaims: Leases of an earlier boot are free.
  public static func open(
    _ location: LeaseLocation, for access: Access, reclaims: Bool, until deadline: Deadline
  ) throws(LeaseError) -> LeaseDirectory? {
    for _ in 0..<3 {
      let directory: Directory
      do throws(SystemError) {
        directory =
          access == .leasing
          ? try .create(path: location.path, mode: 0o755, isDurable: !reclaims)
          : try Directory(path: location.path)
      } catch {
        guard error.errno == .noSuchFileOrDirectory, access != .leasing else {
          throw .system(error)
        }
        return nil
      }
      let lock: FileLock
      do throws(FileLock.Failure) {
        lock = try FileLock(
          path: "\(location.path)/\(LeaseLocation.lockName)", mode: 0o750, until: deadline)
      } catch { throw .lock(error) }
      // All leases were removed by hand while this command waited.
      guard lock.isNamed else { continue }
      var store = LeaseDirectory(location, access, reclaims, directory, lock)
      try store.match()
      return store
    }
    throw .unstable(path: location.path)
  }

  private init(
    _ location: LeaseLocation, _ access: Access, _ reclaims: Bool,
    _ directory: consuming Directory, _ lock: consuming FileLock
  ) {
    var notes: [String] = []
    let companion = Self.companion(location, access, &notes)
    let pages = Self.pages(in: companion, access)
    self.location = location
    self.access = access
    self.reclaims = reclaims
    self.directory = directory
    self.lock = lock
    self.companion = companion
    self.notes = notes
    index = LeaseIndex(pages)
    boot = Boot.identifier()
  }

  private static func companion(
    _ location: LeaseLocation, _ access: Access, _ notes: inout [String]
  ) -> Directory? {
    do throws(SystemError) {
      return access == .reading
        ? try Directory(path: location.privatePath)
        : try .create(path: location.privatePath, mode: 0o700)
    } catch {
      if access != .reading { notes.append("no index, so every lease is read: \(error)") }
      return nil
    }
  }

  static func pages(in companion: borrowing Directory?, _ access: Access) -> PageFile {
    let options: FileDescriptor.OpenOptions =
      access == .reading ? .readOnly : [.readWrite, .create]
    guard let file = try? companion?.open("index", options) else {
      return PageFile(nil, isWritable: false)
    }
    return PageFile(file, isWritable: access != .reading)
  }

  // MARK: - Asking

  /// The addresses that `holder` has, those of its container as a whole included where it has no
  /// others.
  public mutating func addresses(of holder: LeaseHolder) throws(LeaseError) -> [IPAddress] {
    for _ in 0..<2 {
      do throws(IndexFault) {
        let own = try index.addresses(of: holder)
        if !own.isEmpty { return own }
        return try index.addresses(
          of: LeaseHolder(containerID: holder.containerID, interfaceName: nil))
      } catch { try rebuild() }
    }
    throw .unstable(path: location.path)
  }

  /// The lowest address of `range` that is free; nil if there is none.
  ///
  /// - Parameter leavingRemembered: Addresses that an attachment had last are passed over.
  public mutating func firstFree(in range: IPRange, leavingRemembered: Bool) throws(LeaseError)
    -> IPAddress?
  {
    for _ in 0..<2 {
      do throws(IndexFault) {
        let tree: LeaseIndex.Tree =
          leavingRemembered ? (try index.hasMemory ? .reserved : .leased) : .leased
        return try index.firstFree(in: range, tree)
      } catch { try rebuild() }
    }
    throw .unstable(path: location.path)
  }

  /// Whether `address` is free.
  public mutating func isFree(_ address: IPAddress) throws(LeaseError) -> Bool {
    guard let range = IPRange(address, address) else { return false }
    return try firstFree(in: range, leavingRemembered: false) != nil
  }

  /// Who holds `address`, as its file says; nil where it is free or the file does not say.
  public func holder(of address: IPAddress) -> LeaseHolder? {
    guard case .lease(let holder, _) = LeaseFile(address.description, in: directory) else {
      return nil
    }
    return holder
  }

  /// The address that was leased last in the range set number `set`.
  public func cursor(of set: Int) -> IPAddress? {
    guard let bytes = try? directory.read(LeaseLocation.cursorName(set), limit: 64) else {
      return nil
    }
    return IPAddress(String(decoding: bytes, as: UTF8.self))
  }
}
