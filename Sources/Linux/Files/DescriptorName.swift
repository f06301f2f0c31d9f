/// What `descriptor` is, as errors name it: `standard input`, else what proc_pid_fd(5) says: the
/// path of a file, `pipe:[NUMBER]`, `socket:[NUMBER]`.
func descriptorName(_ descriptor: CInt) -> String {
  switch descriptor {
  case 0: "standard input"
  case 1: "standard output"
  case 2: "standard error"
  default: (try? Process.symbolicLink("/proc/self/fd/\(descriptor)")) ?? "a descriptor"
  }
}

extension SystemError {
  /// That there is more to read from `descriptor` than `limit` bytes.
  init(_ descriptor: CInt, exceeds limit: Int) {
    self.init("", "\(descriptorName(descriptor)) has more than \(limit) bytes", .fileTooLarge)
  }
}
