internal import CLinux

/// A kernel error number; see errno(3).
public struct Errno: Error, RawRepresentable, Hashable, Sendable {
  /// A positive number of `errno.h`.
  public let rawValue: CInt
  /// The error numbered `rawValue`.
  public init(rawValue: CInt) { self.rawValue = rawValue }

  /// `EPERM`
  public static let notPermitted = Errno(rawValue: EPERM)
  /// `ENOENT`
  public static let noSuchFileOrDirectory = Errno(rawValue: ENOENT)
  /// `EINTR`
  public static let interrupted = Errno(rawValue: EINTR)
  /// `EAGAIN`
  public static let wouldBlock = Errno(rawValue: EAGAIN)
  /// `EACCES`
  public static let accessDenied = Errno(rawValue: EACCES)
  /// `EBUSY`
  public static let resourceBusy = Errno(rawValue: EBUSY)
  /// `EEXIST`
  public static let fileExists = Errno(rawValue: EEXIST)
  /// `ENODEV`
  public static let noSuchDevice = Errno(rawValue: ENODEV)
  /// `ENOTDIR`
  public static let notADirectory = Errno(rawValue: ENOTDIR)
  /// `EINVAL`
  public static let invalidArgument = Errno(rawValue: EINVAL)
  /// `ETXTBSY`
  public static let textFileBusy = Errno(rawValue: ETXTBSY)
  /// `EPIPE`
  public static let brokenPipe = Errno(rawValue: EPIPE)
  /// `ENOSPC`
  public static let noSpace = Errno(rawValue: ENOSPC)
  /// `ELOOP`
  public static let tooManySymbolicLinkLevels = Errno(rawValue: ELOOP)
  /// `ESRCH`
  public static let noSuchProcess = Errno(rawValue: ESRCH)
  /// `EOPNOTSUPP`
  public static let notSupported = Errno(rawValue: EOPNOTSUPP)
  /// `EADDRNOTAVAIL`
  public static let addressNotAvailable = Errno(rawValue: EADDRNOTAVAIL)
  /// `ECONNREFUSED`
  public static let connectionRefused = Errno(rawValue: ECONNREFUSED)
  /// `ETIMEDOUT`
  public static let timedOut = Errno(rawValue: ETIMEDOUT)
  /// `EADDRINUSE`
  public static let addressInUse = Errno(rawValue: EADDRINUSE)
  /// `EXDEV`
  public static let crossDevice = Errno(rawValue: EXDEV)
  /// `EMLINK`
  public static let tooManyLinks = Errno(rawValue: EMLINK)
  /// `EROFS`
  public static let readOnlyFileSystem = Errno(rawValue: EROFS)
  /// `ENAMETOOLONG`
  public static let nameTooLong = Errno(rawValue: ENAMETOOLONG)
  /// `ENXIO`
  public static let noSuchDeviceOrAddress = Errno(rawValue: ENXIO)
  /// `EFBIG`
  public static let fileTooLarge = Errno(rawValue: EFBIG)
}

extension Errno: CustomStringConvertible {
  /// The symbolic name and what it means: `ENOENT (No such file or directory)`.
  public var description: String {
    let name = unsafe clinux_error_name(rawValue).map { unsafe String(cString: $0) }
    return "\(name ?? "errno \(rawValue)") (\(text))"
  }

  /// What it means, as strerror(3) says it in the locale C: `No such file or directory`.
  public var text: String {
    unsafe clinux_error_text(rawValue).map { unsafe String(cString: $0) } ?? "unknown error"
  }
}

/// A system call that failed: which call, on what, and why.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The name of the system call; empty where it succeeded, and `subject` says what was wrong.
  public let call: String
  /// What it was made on: a path, an address, a descriptor.
  public let subject: String
  /// Why it failed.
  public let errno: Errno

  /// The failure of `call` on `subject`.
  public init(_ call: String, _ subject: String, _ errno: Errno) {
    self.call = call
    self.subject = subject
    self.errno = errno
  }

  /// `open(/run/netns/blue): ENOENT (No such file or directory)`
  public var description: String { call.isEmpty ? subject : "\(call)(\(subject)): \(errno)" }
}

/// The result of a system call, which is `-errno` if it failed.
func check(_ result: Int, _ call: String, _ subject: @autoclosure () -> String) throws(SystemError)
  -> Int
{
  guard result >= 0 else { throw SystemError(call, subject(), Errno(rawValue: CInt(-result))) }
  return result
}
