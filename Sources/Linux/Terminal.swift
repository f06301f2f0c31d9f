internal import CLinux

extension StandardStream {
  /// Whether somebody looks at it; see isatty(3).
  public var isTerminal: Bool { CLinux::isatty(rawValue) == 1 }
}

extension Process {
  /// The effective user ID; 0 is root, also that of a user namespace. See geteuid(2).
  public static var effectiveUser: UInt32 { CLinux::geteuid() }
}
