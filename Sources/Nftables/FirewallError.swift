public import Linux

/// Why the firewall was not asked, or said no.
public enum FirewallError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The name of the program that is spoken to.
  static let program = "nft"

  /// No directory of `path` has the program.
  case missing(path: [String])
  /// It said no, in these words of its own.
  case refused(attempt: String, words: String)
  /// It gave no answer.
  case unanswered(attempt: String, ChildProcess.Failure)
  /// Its answer is not what libnftables-json(5) says.
  case malformed(attempt: String, reason: String)

  /// What was attempted, and why not.
  public var description: String {
    switch self {
    case .missing(let path):
      "there is no \(Self.program) in \(path.joined(separator: ":")): "
        + "install the package nftables"
    case .refused(let attempt, let words): "\(attempt): \(Self.program): \(words)"
    case .unanswered(let attempt, let failure): "\(attempt): \(failure)"
    case .malformed(let attempt, let reason):
      "\(attempt): the answer of \(Self.program) cannot be read: \(reason)"
    }
  }

  /// Whether it had not answered at the deadline.
  public var isTimeout: Bool {
    if case .unanswered(_, .deadlinePassed) = self { true } else { false }
  }

  /// Whether it says that what it was asked for is not there.
  public var isAbsence: Bool {
    guard case .refused(_, let words) = self else { return false }
    return words.hasPrefix(Errno.noSuchFileOrDirectory.text)
  }

  /// Whether the rules may have been changed by another program since they were read. nft has one
  /// exit status for all errors, and prints what strerror(3) says of the kernel's.
  public var isConflict: Bool {
    guard case .refused(_, let words) = self else { return false }
    return Self.conflicts.contains { words.contains($0.text) }
  }

  /// Why the kernel refuses changes of what is not as it was when it was read.
  public static let conflicts: [Errno] = [
    .noSuchFileOrDirectory, .fileExists, .resourceBusy, .interrupted, .wouldBlock,
  ]
}

extension StringProtocol {
  /// Whether `part` occurs in it.
  func contains(_ part: String) -> Bool {
    let (octets, wanted) = (Array(utf8), Array(part.utf8))
    return octets.indices.contains { octets[$0...].starts(with: wanted) }
  }
}
