public import Linux

/// Why leases could not be read or changed.
public enum LeaseError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The lock could not be had; in time, or at all.
  case lock(FileLock.Failure)
  /// A system call failed.
  case system(SystemError)
  /// The leases changed under the lock, again and again.
  case unstable(path: String)

  /// What was attempted, and why not.
  public var description: String {
    switch self {
    case .lock(let failure): failure.description
    case .system(let error): error.description
    case .unstable(let path):
      "the leases in \(path) change while they are locked; who else writes there?"
    }
  }
}
