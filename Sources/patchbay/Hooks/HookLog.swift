import Linux

/// The log of a container, as its monitor has it open.
///
/// LXC writes what a hook prints at level DEBUG only, and of a hook that fails otherwise just that
/// it did. Which file it is depends on options of lxc-start that no hook knows.
struct HookLog {
  private let container: String
  private let monitor: Int32?

  init(_ call: LXCCall) {
    container = call.container
    monitor = call.monitor
  }

  /// Appends a line, unless LXC does so itself. A log that cannot be written fails nothing.
  func write(_ text: String) {
    guard let monitor else { return }
    let isWrittenByLXC = ["TRACE", "DEBUG"].contains(Process.environment("LXC_LOG_LEVEL") ?? "")
    let directory = "/proc/\(monitor)"
    let message = text.split(separator: "\n").joined(separator: "; ").controlCharactersEscaped
    let line = Array("patchbay \(container) \(Clock.timestamp) ERROR    hook - \(message)\n".utf8)
    let numbers = ((try? Directory(path: "\(directory)/fd").names()) ?? []).compactMap { Int($0) }
    for number in numbers.sorted() {
      let path = "\(directory)/fd/\(number)"
      guard let kind = try? FileStatus(path: path).kind else { continue }
      // A terminal or pipe, where lxc-start stays in the foreground; else /dev/null.
      let isForeground = number == 2 && kind == .other
      let isLog = kind == .regular && Self.isLog(flags("\(directory)/fdinfo/\(number)"))
      guard isForeground || isLog && !isWrittenByLXC else { continue }
      try? FileDescriptor.open(path, [.writeOnly, .append, .nonBlocking]).write(line)
    }
  }

  /// Only its log is open for appending and nothing else: `O_WRONLY | O_APPEND` in open(2).
  private static func isLog(_ flags: Int) -> Bool { flags & 0o2003 == 0o2001 }

  /// The flags of an open file, from proc_pid_fdinfo(5); 0 where they are not known.
  private func flags(_ path: String) -> Int {
    guard let bytes = try? FileDescriptor.open(path).read(limit: 4096) else { return 0 }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let words = line.split { $0 == ":" || $0 == "\t" || $0 == " " }
      if words.first == "flags", let last = words.last { return Int(last, radix: 8) ?? 0 }
    }
    return 0
  }
}
