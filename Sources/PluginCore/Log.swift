public import JSON
internal import Linux

/// What is worth a line; each level includes those before it.
public enum LogLevel: String, Hashable, Sendable, CaseIterable, Comparable, JSONDecodable {
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

/// What a plugin configuration says of the log.
public struct LogSettings: Hashable, Sendable, JSONDecodable {
  /// The members.
  public enum Member: String, JSONMember {
    case logLevel, logFile
  }
  /// What is written.
  public let level: LogLevel
  /// An absolute path; nil for standard error.
  public let path: String?

  /// Decodes the members of a plugin configuration.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    level = try json[Member.logLevel].decodeIfPresent() ?? .error
    path = try json[Member.logFile].decodeIfPresent()
    if let path, !path.hasPrefix("/") {
      throw json[Member.logFile].error("\"\(path)\" is not an absolute path")
    }
  }
}

/// The log of one invocation: one line an event, on standard error or in the configured file.
public final class Log {
  private let level: LogLevel
  private let path: String?
  private let subject: String
  private let started: Duration
  /// Whether standard error takes what is written.
  private var isRead = true

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
    let text = "\(level.rawValue) \(subject) duration=\(milliseconds)ms \(message())"
    let line = Array("\(Clock.timestamp) \(Self.printable(text))\n".utf8)
    guard let path else { return tell(line) }
    do throws(SystemError) {
      let options: FileDescriptor.OpenOptions = [
        .writeOnly, .create, .append, .noFollow, .nonBlocking,
      ]
      try FileDescriptor.open(path, options, mode: 0o640).write(line)
    } catch {
      tell(line + Array("cannot write the log: \(error)\n".utf8))
    }
  }

  /// Writes a line to standard error. A runtime that does not read it, as where a delegate has
  /// filled the pipe, keeps no command from its end: once it has not for a second, it gets no more.
  private func tell(_ line: [UInt8]) {
    guard isRead else { return }
    isRead = (try? StandardStream.error.write(line, until: .after(.seconds(1)))) ?? false
  }

  /// The text in one line, without what a terminal would obey: a line break is a space, another
  /// control character its number, as `\x1b`.
  private static func printable(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x0a, 0x0d, 0x85, 0x2028, 0x2029: result += " "
      case 0..<0x20, 0x7f..<0xa0:
        result +=
          "\\x" + (scalar.value < 0x10 ? "0" : "")
          + String(scalar.value, radix: 16)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
