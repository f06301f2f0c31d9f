public import Linux

/// What the kernel is asked for by a family of netlink, as errors name it: `add veth link "veth1"`.
public protocol NetlinkRequest: Hashable, Sendable, CustomStringConvertible {
  /// What the kernel's error number means here; nil where it says enough.
  func meaning(of errno: Errno) -> String?
}

/// A request that the kernel refused, or could not be asked.
public enum RequestError<Request: NetlinkRequest>: Error, Hashable, Sendable,
  CustomStringConvertible
{
  /// The kernel said no, `words` in its own words if it has any.
  case refused(Request, Errno, words: String?)
  /// The kernel's answer is not what it should be.
  case malformed(Request, NetlinkError)
  /// There was no answer until the deadline.
  case timedOut(Request)
  /// A system call failed.
  case system(Request, SystemError)

  /// What was asked for.
  public var request: Request {
    switch self {
    case .refused(let request, _, _), .malformed(let request, _), .timedOut(let request),
      .system(let request, _):
      request
    }
  }

  /// Why the kernel said no; nil if it did not.
  public var errno: Errno? {
    switch self {
    case .refused(_, let errno, _): errno
    case .system(_, let error): error.errno
    case .malformed, .timedOut: nil
    }
  }

  /// Whether the kernel said no: what was asked for did not happen. With any other error it may
  /// have.
  public var isRefusal: Bool { if case .refused = self { true } else { false } }

  /// Whether there was no answer until the deadline.
  public var isTimeout: Bool { if case .timedOut = self { true } else { false } }

  /// `add veth link "veth1": EEXIST (File exists)`, and what that means where it is not plain.
  public var description: String {
    switch self {
    case .refused(let request, let errno, let words):
      ["\(request): \(errno)", words, request.meaning(of: errno)]
        .compactMap { $0 }.joined(separator: "; ")
    case .malformed(let request, let error): "\(request): the kernel's answer: \(error)"
    case .timedOut(let request): "\(request): the kernel did not respond before the deadline"
    case .system(let request, let error): "\(request): \(error)"
    }
  }
}
