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

  /// What names the namespace of the calling thread; see proc_pid_ns(5).
  private static let home = "/proc/thread-self/ns/net"

  /// The namespace of the calling thread.
  public static func current() throws(SystemError) -> NetworkNamespace {
    try NetworkNamespace(path: home)
  }

  /// Whether it is the namespace of the calling thread.
  public borrowing func isCurrent() throws(SystemError) -> Bool {
    status.isSameFile(as: try FileStatus(path: Self.home))
  }

  /// Valid as long as this value is.
  public var fileDescriptor: CInt { descriptor.rawValue }

  /// Whether both are one namespace.
  public borrowing func isSame(as other: borrowing NetworkNamespace) -> Bool {
    status.isSameFile(as: other.status)
  }

  /// Makes a socket that belongs to this namespace. It does so from wherever it is used.
  ///
  /// setns(2) moves the calling thread. These programs have one thread.
  public borrowing func socket(_ domain: CInt, _ type: CInt, _ number: CInt) throws(SystemError)
    -> FileDescriptor
  {
    try inside { () throws(SystemError) in try .socket(domain, type, number) }
  }

  /// A setting below `/proc/sys/net`, as path and value.
  public typealias Setting = (path: String, value: String)

  /// Gives settings below `/proc/sys/net` of this namespace their values; see `writeOwn`.
  public borrowing func writeSettings(_ settings: [Setting]) throws(SystemError) {
    try inside { () throws(SystemError) in try Self.writeOwn(settings) }
  }

  /// Gives settings of the namespace that the calling thread is in their values.
  ///
  /// A setting that this kernel does not have is passed over, and so is one that has its value: to
  /// write some of them, as `disable_ipv6`, the kernel needs a lock for which it does not sleep,
  /// and tries again until others have left it.
  public static func writeOwn(_ settings: [Setting]) throws(SystemError) {
    for setting in settings {
      let path = "/proc/sys/net/" + setting.path
      do throws(SystemError) {
        let file: FileDescriptor
        do throws(SystemError) { file = try .open(path, .readWrite) } catch {
          // Where it cannot be written, it may have its value.
          if try value(of: .open(path)) == setting.value { continue }
          throw error
        }
        if try value(of: file) == setting.value { continue }
        // The kernel takes what is written to the beginning only.
        try file.write(Array(setting.value.utf8), at: 0)
      } catch {
        if error.errno == .noSuchFileOrDirectory { continue }
        throw SystemError(error.call, path, error.errno)
      }
    }
  }

  /// Reads a setting below `/proc/sys/net` of this namespace; nil where this kernel has none.
  public borrowing func readSetting(_ path: String) throws(SystemError) -> String? {
    try inside { () throws(SystemError) in
      do throws(SystemError) { return try Self.value(of: .open("/proc/sys/net/" + path)) } catch {
        if error.errno == .noSuchFileOrDirectory { return nil }
        throw error
      }
    }
  }

  /// What a setting has whose file was just opened.
  private static func value(of setting: borrowing FileDescriptor) throws(SystemError) -> String {
    let bytes = try setting.read(limit: 4096)
    return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }

  /// Moves this thread into the namespace; see setns(2).
  public borrowing func enter() throws(SystemError) { try Self.enter(descriptor, path) }

  private static func enter(_ namespace: borrowing FileDescriptor, _ path: String)
    throws(SystemError)
  {
    _ = try check(
      clinux_enter_namespace(namespace.rawValue, CLINUX_CLONE_NEWNET), "setns", path)
  }

  /// What `body` returns, which is run in the namespace by this thread.
  ///
  /// That it can come back is tried before: it needs privileges over its own namespace, too.
  private borrowing func inside<Value: ~Copyable>(_ body: () throws(SystemError) -> Value)
    throws(SystemError) -> Value
  {
    let home = try FileDescriptor.open(Self.home)
    try Self.enter(home, Self.home)
    try enter()
    defer { Self.enterAgain(home) }
    return try body()
  }

  /// Moves this thread back to `home`, where it came from. It is tried again where the kernel has
  /// no memory for it at this moment. If that fails the process ends: it must not go on in the
  /// wrong namespace, where it would take the container's links for the host's.
  private static func enterAgain(_ home: borrowing FileDescriptor) {
    for _ in 0..<50 {
      do throws(SystemError) { return try enter(home, Self.home) } catch {
        Clock.sleep(.milliseconds(10))
      }
    }
    try? StandardStream.error.write(Array("cannot return to \(Self.home)\n".utf8))
    Process.exit(1)
  }
}
