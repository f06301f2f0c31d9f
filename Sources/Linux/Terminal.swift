internal import CLinux

extension StandardStream {
  /// Whether it is a terminal; see isatty(3).
  public var isTerminal: Bool { CLinux::isatty(rawValue) == 1 }
}

extension Process {
  /// The effective user ID; 0 is root, also that of a user namespace. See geteuid(2).
  public static var effectiveUser: UInt32 { CLinux::geteuid() }
}

/// The terminal that a program for people runs on.
public enum Terminal {
  /// Leaves what the terminal sends to all of its process group, such as SIGINT, to the command
  /// that is waited for.
  public static func ignoreSignals() { clinux_ignore_terminal_signals() }

  /// The columns of the terminal that `stream` is; nil if it is not one or does not report them.
  public static func width(_ stream: StandardStream) -> Int? {
    let columns = Int(clinux_terminal_width(stream.rawValue))
    return columns > 0 ? columns : nil
  }
  /// Whether this process group reads the terminal on standard input.
  public static var isOurs: Bool { clinux_holds_terminal(0) != 0 }
  /// Makes this process group the one that reads the terminal. SIGTTOU must be ignored.
  public static func take() throws(SystemError) {
    _ = try check(clinux_take_terminal(0), "tcsetpgrp", "the terminal")
  }
}
