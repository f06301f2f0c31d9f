import Linux

/// Who uses a network namespace, as far as this process sees.
enum NamespaceUse {
  /// Whether there is a network namespace at `path`, not this process's own, that no process is in
  /// and none has open.
  static func isUnused(_ path: String) -> Bool {
    guard let status = try? FileStatus(path: path),
      let namespace = try? NetworkNamespace(path: path),
      let own = try? NetworkNamespace.current(), !namespace.isSame(as: own)
    else { return false }
    let name = "net:[\(status.inode)]"
    for process in names(in: "/proc") where Int32(process) != nil {
      let root = "/proc/\(process)"
      for task in names(in: "\(root)/task") where link("\(root)/task/\(task)/ns/net") == name {
        return false
      }
      for descriptor in names(in: "\(root)/fd") where link("\(root)/fd/\(descriptor)") == name {
        return false
      }
    }
    return true
  }

  /// Processes end meanwhile.
  private static func names(in directory: String) -> [String] {
    (try? Directory(path: directory).names()) ?? []
  }
  private static func link(_ path: String) -> String? { try? Process.symbolicLink(path) }
}
