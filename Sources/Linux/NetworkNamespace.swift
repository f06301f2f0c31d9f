internal import CLinux

/// A network namespace, held open; see network_namespaces(7).
public struct NetworkNamespace: ~Copyable {
  /// The path it was opened by.
  public let path: String
  private let descriptor: FileDescriptor
  private let status: FileStatus

  /// Opens the namespace at `path`. Throws `EINVAL` if the file is not one.
  public init(path: String) throws(SystemError) {
    let file = try FileDescriptor.open(path, [.readOnly, .nonBlocking])
    let status = try file.status()
    guard clinux_is_network_namespace(file.rawValue) != 0 else {
      throw SystemError("setns", path, .invalidArgument)
    }
    self.path = path
    self.status = status
    descriptor = file
  }

  /// The namespace of the calling thread.
  public static func current() throws(SystemError) -> NetworkNamespace {
    try NetworkNamespace(path: "/proc/thread-self/ns/net")
  }

  /// Valid as long as this value is.
  public var fileDescriptor: CInt { descriptor.rawValue }

  /// Whether both are one namespace.
  public borrowing func isSame(as other: borrowing NetworkNamespace) -> Bool {
    status.device == other.status.device && status.inode == other.status.inode
  }

  /// Makes a socket that belongs to this namespace. It does so from wherever it is used.
  ///
  /// setns(2) moves the calling thread. These programs have one thread.
  public borrowing func socket(_ domain: CInt, _ type: CInt, _ number: CInt) throws(SystemError)
    -> FileDescriptor
  {
    let home = try enterFromHome()
    let made: Result<FileDescriptor, SystemError>
    do { made = .success(try .socket(domain, type, number)) } catch { made = .failure(error) }
    home.enterAgain()
    switch consume made {
    case .success(let socket): return socket
    case .failure(let error): throw error
    }
  }

  /// Gives settings below `/proc/sys/net` of this namespace their values, each as path and value.
  ///
  /// A setting that this kernel does not have is passed over, and so is one that has its value: to
  /// write some of them, as `disable_ipv6`, the kernel needs a lock for which it does not sleep,
  /// and tries again until others have left it.
  public borrowing func writeSettings(_ settings: [(path: String, value: String)])
    throws(SystemError)
  {
    let home = try enterFromHome()
    var failure: SystemError?
    for setting in settings where failure == nil {
      do {
        if try Self.setting(setting.path) == setting.value { continue }
        try FileDescriptor.open("/proc/sys/net/" + setting.path, .writeOnly)
          .write(Array(setting.value.utf8))
      } catch {
        if error.errno != .noSuchFileOrDirectory {
          failure = SystemError(error.call, "/proc/sys/net/" + setting.path, error.errno)
        }
      }
    }
    home.enterAgain()
    if let failure { throw failure }
  }

  /// Reads a setting below `/proc/sys/net` of this namespace; nil where this kernel has none.
  public borrowing func readSetting(_ path: String) throws(SystemError) -> String? {
    let home = try enterFromHome()
    let text: Result<String, SystemError>
    do { text = .success(try Self.setting(path)) } catch { text = .failure(error) }
    home.enterAgain()
    switch text {
    case .success(let text): return text
    case .failure(let error):
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw error
    }
  }

  /// Reads a setting of the namespace that the calling thread is in.
  private static func setting(_ path: String) throws(SystemError) -> String {
    let bytes = try FileDescriptor.open("/proc/sys/net/" + path).read(limit: 4096)
    return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }

  /// Moves this thread into the namespace; see setns(2).
  public borrowing func enter() throws(SystemError) {
    _ = try check(
      clinux_enter_namespace(descriptor.rawValue, CLINUX_CLONE_NEWNET), "setns", path)
  }

  /// Moves this thread into the namespace, from one that it can come back to, which it returns.
  ///
  /// That it can is tried before: it needs privileges over that namespace, too.
  private borrowing func enterFromHome() throws(SystemError) -> NetworkNamespace {
    let home = try NetworkNamespace.current()
    try home.enter()
    try enter()
    return home
  }

  /// Moves this thread back to where it came from. It is tried again where the kernel has no memory
  /// for it at this moment. If that fails the process ends: it must not go on in the wrong
  /// namespace, where it would take the container's links for the host's.
  private borrowing func enterAgain() {
    for _ in 0..<50 {
      do throws(SystemError) { return try enter() } catch { Clock.sleep(.milliseconds(10)) }
    }
    try? StandardStream.error.write(Array("cannot return to \(path)\n".utf8))
    Process.exit(1)
  }
}
