public import Addresses
internal import Linux

/// What a file in the network's directory is.
enum LeaseFile {
  /// A lease, and when its file was written: nanoseconds since 1970-01-01T00:00:00Z.
  case lease(LeaseHolder, modified: Int64)
  /// A file that is empty, blank or has NUL bytes in it: who wrote it was stopped in between, or
  /// the power failed.
  case torn(modified: Int64)
  /// Nothing that we may judge: no regular file, or one that says something else.
  case foreign
  /// A file that could not be read, for this reason.
  case unreadable(SystemError)
  /// There is no such file.
  case none

  /// Looks at the file that stands for `address`.
  init(_ name: String, in directory: borrowing Directory) {
    do throws(SystemError) {
      let file = try directory.open(name, [.readOnly, .nonBlocking])
      let status = try file.status()
      guard status.kind == .regular else {
        self = .foreign
        return
      }
      let content = try file.read(limit: LeaseHolder.sizeLimit + 1)
      if let holder = LeaseHolder(content: content) {
        self = .lease(holder, modified: status.modified)
      } else if LeaseHolder.isTorn(content) {
        self = .torn(modified: status.modified)
      } else {
        self = .foreign
      }
    } catch {
      switch error.errno {
      case .noSuchFileOrDirectory: self = .none
      // A symbolic link; a socket.
      case .tooManySymbolicLinkLevels, .noSuchDeviceOrAddress: self = .foreign
      default: self = .unreadable(error)
      }
    }
  }
}

/// A file that stands for an address, for people to look at.
public struct LeaseEntry: Hashable, Sendable {
  /// What the file is.
  public enum State: String, Hashable, Sendable {
    /// A lease.
    case held
    /// A lease of an earlier boot: free, unless the network's configuration keeps such.
    case stale
    /// A file that a crash left without its content: free.
    case torn
    /// Nothing that we may judge: the address is not given to anybody.
    case foreign
  }
  /// The address.
  public let address: IPAddress
  /// What the file is.
  public let state: State
  /// Who holds it; nil where the file does not say.
  public let holder: LeaseHolder?
  /// Nanoseconds since 1970-01-01T00:00:00Z; nil where it is unknown.
  public let since: Int64?

  /// An entry.
  public init(address: IPAddress, state: State, holder: LeaseHolder?, since: Int64?) {
    self.address = address
    self.state = state
    self.holder = holder
    self.since = since
  }
}
