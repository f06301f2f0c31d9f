internal import Linux
internal import Netlink
internal import Nftables
internal import OVSDB

/// Why an attachment, or a part of one, cannot be made, compared or released.
package struct AttachmentError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of error it is.
  package enum Kind: Hashable, Sendable {
    /// The attachment is up, or a name is taken; nothing was touched.
    case exists
    /// What is asked for does not fit what is there; the configuration has to change.
    case invalid
    /// Something was busy past the deadline; the same may succeed later.
    case busy
    /// STATUS: nothing can be attached now.
    case unavailable
    /// STATUS: nothing can be attached now, and existing attachments suffer.
    case impaired
    /// Anything else.
    case failed
    /// Another program on whose work this depends has failed, with this code of its own.
    case other(Int64)
  }
  /// What kind of error it is.
  package let kind: Kind
  /// What was attempted, and why not.
  package let message: String
  /// More of it; may be empty.
  package let details: String

  /// An error.
  package init(_ kind: Kind, _ message: String, details: String = "") {
    self.kind = kind
    self.message = message
    self.details = details
  }

  /// `message: details`
  package var description: String { details.isEmpty ? message : "\(message): \(details)" }
}

extension AttachmentError {
  /// What ovsdb-server or the way to it refused.
  init(_ error: OVSDBError, _ attempt: String) {
    self.init(error.isTransient ? .busy : .failed, attempt, details: error.description)
  }

  /// STATUS: why Open vSwitch could not be asked, so that nothing can be attached now.
  static func unavailable(_ error: OVSDBError) -> Self {
    Self(.unavailable, "Open vSwitch is not available", details: error.description)
  }

  /// What the kernel refused.
  init<Request>(_ error: RequestError<Request>, _ attempt: String) {
    var kind = Kind.failed
    if case .timedOut = error { kind = .busy }
    self.init(kind, attempt, details: error.description)
  }

  /// What the firewall refused.
  init(_ error: FirewallError, _ attempt: String) {
    self.init(error.isTimeout ? .busy : .failed, attempt, details: error.description)
  }

  /// What a system call refused.
  init(_ error: SystemError, _ attempt: String) {
    self.init(.failed, attempt, details: error.description)
  }
}

/// What a command that goes on past errors has met.
package struct Failures {
  package private(set) var all: [AttachmentError] = []

  package init() {}

  package mutating func add(_ error: AttachmentError) { all.append(error) }

  /// One error for all: the first one's kind, and what all of them say.
  package func throwIfAny(_ attempt: String) throws(AttachmentError) {
    guard let first = all.first else { return }
    if all.count == 1 { throw first }
    throw AttachmentError(
      first.kind, "\(attempt): \(all.count) steps failed",
      details: all.map { $0.description }.joined(separator: "; "))
  }
}
