import Linux

/// The place of a playground: namespaces of its own, and directories of its own in them.
struct PlaygroundHost {
  /// This program's file, as the playground's processes start it.
  let executable: String

  /// Moves this process into new namespaces; its next child is process 1 there.
  ///
  /// Where that takes root and this is an ordinary user, it is root of a user namespace then.
  init() throws {
    do {
      executable = try Process.executablePath()
      try Self.leaveNamespaces()
      try Mount.setPropagation(of: "/", .isolated)
    } catch {
      throw Failure(
        "cannot make the namespaces of a playground: \(error)", hint: Self.hint, isAboutRoot: false)
    }
  }

  private static func leaveNamespaces() throws(SystemError) {
    let kinds: Process.Namespaces = [.mount, .network, .process]
    let user = Process.effectiveUser
    let group = Process.effectiveGroup
    if user == 0 {
      do { return try Process.unshare(kinds) } catch {
        // A container's root may lack CAP_SYS_ADMIN.
        guard error.errno == .notPermitted else { throw error }
      }
    }
    try Process.unshare(kinds.union(.user))
    try map(user: user, group: group)
  }

  private static let hint = """
    It takes root, or a kernel that lets ordinary users make user namespaces (sysctl \
    kernel.unprivileged_userns_clone=1, on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0).
    Use sudo: sudo patchbay playground
    """

  /// Makes this process root of its user namespace; see user_namespaces(7).
  private static func map(user: UInt32, group: UInt32) throws(SystemError) {
    for (file, text) in [
      ("setgroups", "deny"), ("uid_map", "0 \(user) 1"), ("gid_map", "0 \(group) 1"),
    ] {
      try FileDescriptor.open("/proc/self/\(file)", .writeOnly).write(Array(text.utf8))
    }
  }

  /// Mounts what is the playground's own. For its process 1.
  func furnish() throws {
    do {
      mountSystemFiles()
      try Mount.add("tmpfs", on: "/run", [.noSetUserID, .noDevices], data: "mode=755")
      try furnishRuntime()
      try makePrivate(PlaygroundNetwork.directory)
    } catch {
      throw Failure("cannot furnish the playground: \(error)", hint: Self.hint, isAboutRoot: false)
    }
    try NetnsNames.setLoopbackUp()
  }

  /// Moves this process into the host `name` of the playground: a network namespace, and a mount
  /// namespace of its own, in which `directory` is `/run`, and what runtimes keep is its own, too.
  func become(_ name: String, _ namespace: borrowing NetworkNamespace, run directory: String)
    throws
  {
    do {
      try Process.unshare(.mount)
      try Mount.setPropagation(of: "/", .isolated)
      try namespace.enter()
      mountSystemFiles()
      try Mount.bind(directory, on: "/run")
      try furnishRuntime()
      // By which holders of addresses tell hosts from each other.
      try makePrivate(PlaygroundSwitch.configurations)
      try Directory(path: PlaygroundSwitch.configurations)
        .replace("system-id.conf", with: Array("\(name)\n".utf8))
    } catch {
      throw Failure(
        "cannot make a host of the playground: \(error)", hint: Self.hint, isAboutRoot: false)
    }
  }

  /// Has `/var/run` be `/run`, and empties where runtimes keep leases and results.
  private func furnishRuntime() throws(SystemError) {
    if try FileStatus(path: "/var/run", follow: false).kind == .directory {
      try Mount.bind("/run", on: "/var/run")
    }
    try makePrivate("/var/lib/cni")
  }

  /// `/proc` and `/sys` show the namespaces in which they were mounted.
  ///
  /// In a container whose runtime hides parts of them from it the kernel refuses; then the outer
  /// ones stay, and only what lists processes or links there is misled.
  private func mountSystemFiles() {
    let options: Mount.Options = [.noSetUserID, .noDevices, .noExecution]
    try? Mount.add("proc", on: "/proc", options)
    try? Mount.add("sysfs", on: "/sys", options)
  }

  /// Mounts an empty directory on `path`. Where there is none, its parent becomes a directory with
  /// the same content, and `path` an empty one in it: nothing is made outside.
  private func makePrivate(_ path: String) throws(SystemError) {
    var present = path
    while (try? FileStatus(path: present))?.kind != .directory {
      guard let slash = present.lastIndex(of: "/") else { return }
      present = slash == present.startIndex ? "/" : String(present[..<slash])
    }
    if present == path {
      try Mount.add("tmpfs", on: path, [.noSetUserID, .noDevices], data: "mode=755")
    } else {
      try copyDirectory(present)
      _ = try Directory.create(path: path, mode: 0o755)
    }
  }

  /// Mounts a directory on `path` in which everything that is in it is mounted once more.
  private func copyDirectory(_ path: String) throws(SystemError) {
    let stage = "/run/stage"
    _ = try Directory.create(path: stage, mode: 0o755)
    try Mount.add("tmpfs", on: stage, [.noSetUserID, .noDevices], data: "mode=755")
    let copy = try Directory(path: stage)
    for name in try Directory(path: path).names() {
      let original = "\(path)/\(name)"
      switch try FileStatus(path: original, follow: false).kind {
      case .symbolicLink:
        try Mount.link("\(stage)/\(name)", to: try Process.symbolicLink(original))
        continue
      case .directory: try copy.makeDirectory(name, mode: 0o755)
      case .regular, .other: _ = try copy.open(name, [.writeOnly, .create], mode: 0o644)
      }
      try Mount.bind(original, on: "\(stage)/\(name)")
    }
    try Mount.move(stage, to: path)
    try Directory(path: "/run").removeDirectory("stage")
  }
}
