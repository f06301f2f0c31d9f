internal import CLinux

/// What is mounted in this process's mount namespace; see mount(2) and mount_namespaces(7).
public enum Mount {
  /// How a file system is mounted.
  public struct Options: OptionSet, Sendable {
    /// Flags of mount(2).
    public let rawValue: UInt
    /// The options that `rawValue` holds.
    public init(rawValue: UInt) { self.rawValue = rawValue }
    /// `MS_RDONLY`
    public static let readOnly = Options(rawValue: CLINUX_MS_RDONLY)
    /// `MS_NOSUID`
    public static let noSetUserID = Options(rawValue: CLINUX_MS_NOSUID)
    /// `MS_NODEV`
    public static let noDevices = Options(rawValue: CLINUX_MS_NODEV)
    /// `MS_NOEXEC`
    public static let noExecution = Options(rawValue: CLINUX_MS_NOEXEC)
  }

  /// Where mounts and unmounts below a mount go.
  public enum Propagation: Sendable {
    /// Nowhere: `MS_PRIVATE`.
    case isolated
    /// They come from the namespace that this one was copied from: `MS_SLAVE`.
    case receiving
    /// They go both ways: `MS_SHARED`.
    case shared

    fileprivate var flag: UInt {
      switch self {
      case .isolated: CLINUX_MS_PRIVATE
      case .receiving: CLINUX_MS_SLAVE
      case .shared: CLINUX_MS_SHARED
      }
    }
  }

  /// Mounts a new file system of `type`, such as `tmpfs`, `proc`, `sysfs`, on `path`.
  ///
  /// - Parameter data: Options of the file system, such as `mode=755`.
  public static func add(
    _ type: String, on path: String, _ options: Options = [], data: String = ""
  )
    throws(SystemError)
  {
    let result = unsafe clinux_mount(type, path, type, options.rawValue, data)
    _ = try check(result, "mount", "\(type) on \(path)")
  }

  /// Shows `source`, a file or a directory with all that is mounted in it, at `path` also.
  public static func bind(_ source: String, on path: String) throws(SystemError) {
    let result = unsafe clinux_mount(source, path, nil, CLINUX_MS_BIND | CLINUX_MS_REC, nil)
    _ = try check(result, "mount", "\(source) on \(path)")
  }

  /// Moves the mount at `source`, with all that is mounted in it, to `path`.
  public static func move(_ source: String, to path: String) throws(SystemError) {
    let result = unsafe clinux_mount(source, path, nil, CLINUX_MS_MOVE, nil)
    _ = try check(result, "mount", "\(source) moved to \(path)")
  }

  /// Sets where mounts at `path` and below go. `EINVAL` when `path` is no mount.
  public static func setPropagation(of path: String, _ propagation: Propagation)
    throws(SystemError)
  {
    let flags = propagation.flag | CLINUX_MS_REC
    _ = try check(unsafe clinux_mount("none", path, nil, flags, nil), "mount", path)
  }

  /// Takes the mount at `path` away, at once, also when it is in use. `EINVAL` when there is none.
  public static func remove(at path: String) throws(SystemError) {
    _ = try check(unsafe clinux_unmount(path, CLINUX_MNT_DETACH), "umount2", path)
  }

  /// Whether the file system at `path` is mounted so that nothing in it can be changed.
  public static func isReadOnly(_ path: String) throws(SystemError) -> Bool {
    try check(unsafe clinux_is_read_only(path), "statvfs", path) != 0
  }

  /// Makes the symbolic link `path`; see symlink(2).
  public static func link(_ path: String, to content: String) throws(SystemError) {
    _ = try check(unsafe clinux_symbolic_link(content, path), "symlink", path)
  }
}
