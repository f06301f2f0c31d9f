internal import CLinux

/// An advisory lock on a file, held as long as this value is; see flock(2).
public struct FileLock: ~Copyable {
  private let descriptor: FileDescriptor

  /// Why a lock could not be had.
  public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
    /// Another process holds it past the deadline; the holder, where it is known.
    case held(path: String, holder: String?)
    /// A system call failed.
    case system(SystemError)

    /// What was attempted, and why not.
    public var description: String {
      switch self {
      case .held(let path, let holder): "\(path) is locked by \(holder ?? "another process")"
      case .system(let error): error.description
      }
    }
  }

  /// Locks the file at `path` exclusively, which is made with `mode` if it is not there.
  ///
  /// The kernel queues those who wait, so that each gets its turn; no one polls.
  public init(path: String, mode: UInt32, until deadline: Deadline) throws(Failure) {
    let file: FileDescriptor
    do throws(SystemError) {
      file = try .open(path, [.readWrite, .create, .noFollow], mode: mode)
    } catch { throw .system(error) }
    try Self.lock(file, path, until: deadline)
    descriptor = file
  }

  /// Whether the file still has a name. Where it was removed before the lock was had, those who
  /// come now lock another file.
  public var isNamed: Bool { (try? descriptor.status())?.links != 0 }

  private static func lock(
    _ file: borrowing FileDescriptor, _ path: String, until deadline: Deadline
  )
    throws(Failure)
  {
    var result = clinux_flock(file.rawValue, LOCK_EX | LOCK_NB)
    if result == -Int(EWOULDBLOCK) {
      result = clinux_flock_until(file.rawValue, LOCK_EX, max(1, deadline.nanoseconds))
    }
    if result == -Int(ETIMEDOUT) { throw .held(path: path, holder: holder(of: file)) }
    if result < 0 { throw .system(SystemError("flock", path, Errno(rawValue: CInt(-result)))) }
  }

  /// Who holds the lock, from `/proc/locks`: `process 4711 (host-local)`; see proc_locks(5).
  ///
  /// Nil where it is unknown: the holder is in another PID namespace, or several hold a file of
  /// that number and none is of the device, which on some file systems stat(2) names differently.
  private static func holder(of file: borrowing FileDescriptor) -> String? {
    var holders: [(pid: String, isOfDevice: Bool)] = []
    guard let status = try? file.status(),
      let bytes = try? FileDescriptor.open("/proc/locks").readToEnd(limit: 16 << 20)
    else { return nil }
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      // 1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF; one who waits has "->" as second word.
      let words = line.split(separator: UInt8(ascii: " "))
      guard words.count >= 6, words[1].elementsEqual("FLOCK".utf8) else { continue }
      let parts = words[5].split(separator: UInt8(ascii: ":"))
        .map { String(decoding: $0, as: UTF8.self) }
      guard parts.count == 3, UInt64(parts[2]) == status.inode else { continue }
      let isOfDevice =
        UInt32(parts[0], radix: 16) == clinux_major(status.device)
        && UInt32(parts[1], radix: 16) == clinux_minor(status.device)
      holders.append((String(decoding: words[4], as: UTF8.self), isOfDevice))
    }
    let likely =
      holders.contains(where: { $0.isOfDevice }) ? holders.filter { $0.isOfDevice } : holders
    guard likely.count == 1, let pid = likely.first?.pid, pid != "0" else { return nil }
    guard let name = try? FileDescriptor.open("/proc/\(pid)/comm").read(limit: 64) else {
      return "process \(pid)"
    }
    return "process \(pid) (\(String(decoding: name.filter { $0 >= 0x20 }, as: UTF8.self)))"
  }
}

extension FileDescriptor {
  /// Opens the directory at `path` and locks it exclusively until the value goes away.
  ///
  /// For programs that share no file to lock. Anyone who can read the directory can hold the lock,
  /// so the wait has a deadline: past it `ETIMEDOUT`.
  public static func lockedDirectory(_ path: String, until deadline: Deadline) throws(SystemError)
    -> FileDescriptor
  {
    let directory = try FileDescriptor.open(path, [.readOnly, .directory])
    let result = clinux_flock_until(directory.rawValue, LOCK_EX, max(1, deadline.nanoseconds))
    _ = try check(result, "flock", path)
    return directory
  }
}
