internal import Linux

/// What is worth a line; each level includes those before it.
public enum LogLevel: String, Hashable, Sendable, CaseIterable, Comparable {
  /// Something was refused.
  case error
  /// Something was odd, and the command went on.
  case warning
  /// A command ended.
  case info
  /// A step was done.
  case debug

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  /// The more urgent one is less.
  public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rank < right.rank }
}

/// The log of one invocation: one line an event, on standard error or in the configured file.
public final class Log {
  private let level: LogLevel
  private let path: String?
  private let subject: String
  private let started: Duration

  /// A log of `subject`, which every line repeats: command, network, attachment.
  ///
  /// - Parameter path: The file that lines are appended to; nil for standard error.
  public init(level: LogLevel, path: String?, subject: String) {
    self.level = level
    self.path = path
    self.subject = subject
    started = Clock.monotonic
  }

  /// Writes one line if `level` is wanted. A log that cannot be written never fails a command.
  public func write(_ level: LogLevel, _ message: @autoclosure () -> String) {
    guard level <= self.level else { return }
    let microseconds = (Clock.monotonic - started).nanoseconds / 1000
    let fraction = "\(1000 + microseconds % 1000)".dropFirst()
    let milliseconds = "\(microseconds / 1000).\(fraction)"
    let text = message().map { $0.isNewline ? " " : String($0) }.joined()
    let line = Array(
      "\(Clock.timestamp) \(level.rawValue) \(subject) duration=\(milliseconds)ms \(text)\n".utf8)
    guard let path else {
      try? StandardStream.error.write(line)
      return
    }
    do throws(SystemError) {
      let options: FileDescriptor.OpenOptions = [
        .writeOnly, .create, .append, .noFollow, .nonBlocking,
      ]
      try FileDescriptor.open(path, options, mode: 0o640).write(line)
    } catch {
      try? StandardStream.error.write(line + Array("cannot write the log: \(error)\n".utf8))
    }
  }
}
