internal import CLinux

/// An advisory lock on one position of a file, held as long as this value is; see fcntl(2), "Open
/// file description locks".
///
/// One file serves any number of locks, and does not grow. The lock dies with its holder and is not
/// inherited by programs that the holder starts.
public struct RangeLock: ~Copyable {
  private let descriptor: FileDescriptor

  /// What else may hold the position.
  public enum Mode: Sendable {
    /// `F_RDLCK`: others that share it.
    case shared
    /// `F_WRLCK`: no other.
    case exclusive

    fileprivate var type: CShort { CShort(self == .shared ? F_RDLCK : F_WRLCK) }
  }

  /// Locks `position`, 0…2⁶³−2, of the file at `path`, which is made with the given permissions if
  /// it is not there.
  ///
  /// Past the deadline, which may be so from the start, it throws `.held`; it does not say by which
  /// process, as the kernel does not record that of such a lock.
  public init(
    path: String, mode permissions: UInt32 = 0o600, position: Int64, _ mode: Mode = .exclusive,
    until deadline: Deadline
  ) throws(FileLock.Failure) {
    let file: FileDescriptor
    do throws(SystemError) {
      file = try .open(path, [.readWrite, .create, .noFollow], mode: permissions)
    } catch { throw .system(error) }
    try Self.lock(file, path, position, mode.type, until: deadline)
    descriptor = file
  }

  private static func lock(
    _ file: borrowing FileDescriptor, _ path: String, _ position: Int64, _ type: CShort,
    until deadline: Deadline
  ) throws(FileLock.Failure) {
    var result = clinux_lock_octet(file.rawValue, type, position)
    if result == -Int(EAGAIN) || result == -Int(EACCES) {
      guard !deadline.hasPassed else { throw .held(path: path, holder: nil) }
      result = clinux_lock_octet_until(
        file.rawValue, type, position, max(1, deadline.nanoseconds))
    }
    if result == -Int(ETIMEDOUT) { throw .held(path: path, holder: nil) }
    if result < 0 { throw .system(SystemError("fcntl", path, Errno(rawValue: CInt(-result)))) }
  }

  /// Locks another position of the same file, too, if that needs no waiting.
  public borrowing func lockAsWell(_ position: Int64, _ mode: Mode = .exclusive)
    throws(SystemError) -> Bool
  {
    let result = clinux_lock_octet(descriptor.rawValue, mode.type, position)
    if result == -Int(EAGAIN) || result == -Int(EACCES) { return false }
    _ = try check(result, "fcntl", descriptorName(descriptor.rawValue))
    return true
  }
}
