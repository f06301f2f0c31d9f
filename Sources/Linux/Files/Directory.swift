internal import CLinux

/// A directory, held open: names are looked up in it, wherever it is moved meanwhile.
///
/// A name is one component; all else is `EINVAL`. Symbolic links in the directory are not followed.
public struct Directory: ~Copyable {
  /// The path it was opened by.
  public let path: String
  private let descriptor: FileDescriptor

  /// Opens the directory at `path`.
  public init(path: String) throws(SystemError) {
    self.path = path
    descriptor = try .open(path, [.readOnly, .directory])
  }

  /// Opens the directory at `path`, and makes it and those above it where they are missing.
  ///
  /// - Parameter isDurable: Those that are made outlast a power loss.
  public static func create(path: String, mode: UInt32, isDurable: Bool = false)
    throws(SystemError) -> Directory
  {
    do { return try Directory(path: path) } catch {
      guard error.errno == .noSuchFileOrDirectory else { throw error }
    }
    var prefix = path.utf8.first == UInt8(ascii: "/") ? "/" : ""
    for component in path.split(separator: "/") {
      let parent = prefix
      prefix += component
      let result = unsafe clinux_make_directory_at(clinux_at_fdcwd(), prefix, mode)
      if result != -Int(EEXIST) {
        _ = try check(result, "mkdir", prefix)
        if isDurable { try Directory(path: parent.isEmpty ? "." : parent).synchronize() }
      }
      prefix += "/"
    }
    return try Directory(path: path)
  }

  private borrowing func path(of name: String) -> String { "\(path)/\(name)" }

  /// Refuses what would lead out of the directory.
  private borrowing func requireComponent(_ name: String, for call: String) throws(SystemError) {
    let isComponent = !name.isEmpty && name != "." && name != ".."
    guard isComponent, !name.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "/") }) else {
      throw SystemError(call, path(of: name), .invalidArgument)
    }
  }

  /// Opens the file `name`. A symbolic link is `ELOOP`.
  public borrowing func open(
    _ name: String, _ options: FileDescriptor.OpenOptions = .readOnly, mode: UInt32 = 0o600
  ) throws(SystemError) -> FileDescriptor {
    try requireComponent(name, for: "open")
    let flags = options.union(.noFollow).rawValue
    let result = unsafe clinux_open_at(descriptor.rawValue, name, flags, mode)
    return FileDescriptor(owning: CInt(try check(result, "open", path(of: name))))
  }

  /// What `name` is; nil if there is nothing of that name.
  public borrowing func status(of name: String) throws(SystemError) -> FileStatus? {
    try requireComponent(name, for: "stat")
    var status = stat()
    let result = unsafe clinux_stat_at(descriptor.rawValue, name, &status, AT_SYMLINK_NOFOLLOW)
    if result == -Int(ENOENT) { return nil }
    _ = try check(result, "stat", path(of: name))
    return FileStatus(status)
  }

  /// The content of the file `name`; nil if there is no such file.
  public borrowing func read(_ name: String, limit: Int = 1 << 20) throws(SystemError) -> [UInt8]? {
    do {
      return try open(name, [.readOnly, .nonBlocking]).readToEnd(limit: limit)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw error
    }
  }

  /// Gives the file `name` the content `bytes`, wholly or not at all, also when power fails.
  public borrowing func replace(_ name: String, with bytes: [UInt8], mode: UInt32 = 0o600)
    throws(SystemError)
  {
    // Not with `name` in it, which may have the 255 bytes of NAME_MAX itself.
    let temporary = ".\(Process.identifier).temporary"
    do {
      let file = try open(temporary, [.writeOnly, .create, .truncate], mode: mode)
      try file.write(bytes)
      try file.synchronizeData()
      try rename(temporary, to: name)
    } catch {
      _ = try? remove(temporary)
      throw error
    }
    try synchronize()
  }

  /// Renames a file within the directory, over another of that name.
  public borrowing func rename(_ name: String, to other: String) throws(SystemError) {
    try requireComponent(name, for: "rename")
    try requireComponent(other, for: "rename")
    let fd = descriptor.rawValue
    _ = try check(unsafe clinux_rename_at(fd, name, fd, other), "rename", path(of: other))
  }

  /// Gives the file `name` the second name `other`; `EEXIST` when that is taken. See link(2).
  public borrowing func link(_ name: String, as other: String) throws(SystemError) {
    try requireComponent(name, for: "link")
    try requireComponent(other, for: "link")
    let fd = descriptor.rawValue
    _ = try check(unsafe clinux_link_at(fd, name, fd, other), "link", path(of: other))
  }

  /// Removes the file `name`; false if there was none.
  @discardableResult
  public borrowing func remove(_ name: String) throws(SystemError) -> Bool {
    try requireComponent(name, for: "unlink")
    let result = unsafe clinux_unlink_at(descriptor.rawValue, name, 0)
    if result == -Int(ENOENT) { return false }
    _ = try check(result, "unlink", path(of: name))
    return true
  }

  /// Makes the directory `name`; false if it is there.
  @discardableResult
  public borrowing func makeDirectory(_ name: String, mode: UInt32) throws(SystemError) -> Bool {
    try requireComponent(name, for: "mkdir")
    let result = unsafe clinux_make_directory_at(descriptor.rawValue, name, mode)
    if result == -Int(EEXIST) { return false }
    _ = try check(result, "mkdir", path(of: name))
    return true
  }

  /// Removes the empty directory `name`; false if there was none.
  @discardableResult
  public borrowing func removeDirectory(_ name: String) throws(SystemError) -> Bool {
    let result = unsafe clinux_unlink_at(descriptor.rawValue, name, AT_REMOVEDIR)
    if result == -Int(ENOENT) { return false }
    _ = try check(result, "rmdir", path(of: name))
    return true
  }

  /// Waits until names made and removed are on the disk; see fsync(2).
  public borrowing func synchronize() throws(SystemError) {
    _ = try check(clinux_sync(descriptor.rawValue), "fsync", path)
  }

  /// The names in the directory, without `.` and `..`, in no order.
  public borrowing func names() throws(SystemError) -> [String] { try names { $0 } }

  /// What `meaning` makes of the names in the directory, without `.` and `..` and those of which it
  /// makes nothing, in no order.
  public borrowing func names<Meaning>(_ meaning: (String) -> Meaning?) throws(SystemError)
    -> [Meaning]
  {
    let result = unsafe clinux_open_at(descriptor.rawValue, ".", O_RDONLY | O_DIRECTORY, 0)
    let copy = CInt(try check(result, "open", path))
    guard let entries = unsafe clinux_open_entries(copy) else {
      throw SystemError("fdopendir", path, .invalidArgument)
    }
    defer { unsafe closedir(entries) }
    var names: [Meaning] = []
    var error: CInt = 0
    while let entry = unsafe clinux_next_entry(entries, &error) {
      let name = unsafe String(cString: entry)
      if name != ".", name != "..", let found = meaning(name) { names.append(found) }
    }
    // A directory that was read in part must not pass for one that has no more.
    guard error == 0 else { throw SystemError("readdir", path, Errno(rawValue: error)) }
    return names
  }
}

// MARK: - Two directories, and the directory itself

extension Directory {
  /// Gives the file `name` a second name in another directory; `EEXIST` when that is taken.
  public borrowing func link(_ name: String, to other: borrowing Directory, as newName: String)
    throws(SystemError)
  {
    _ = try check(
      unsafe clinux_link_at(descriptor.rawValue, name, other.descriptor.rawValue, newName), "link",
      other.path(of: newName))
  }

  /// Moves a file to another directory of the same file system, over another of that name.
  public borrowing func rename(_ name: String, to other: borrowing Directory, as newName: String)
    throws(SystemError)
  {
    _ = try check(
      unsafe clinux_rename_at(descriptor.rawValue, name, other.descriptor.rawValue, newName),
      "rename", other.path(of: newName))
  }

  /// What the directory is; its `modified` is when a name was last made or removed in it.
  public borrowing func status() throws(SystemError) -> FileStatus { try descriptor.status() }

  /// Sets when a name was last made or removed in it: nanoseconds since 1970-01-01T00:00:00Z.
  public borrowing func setModified(_ nanoseconds: Int64) throws(SystemError) {
    _ = try check(clinux_set_modified(descriptor.rawValue, nanoseconds), "utimensat", path)
  }

  /// Whether the directory at `path` has more than so many names, `.` and `..` included. No more of
  /// them are read than that takes, or a page of them.
  public static func hasNames(moreThan count: Int, at path: String) throws(SystemError) -> Bool {
    let descriptor = try FileDescriptor.open(path, [.readOnly, .directory])
    let seen = clinux_count_entries(descriptor.rawValue, count + 1)
    return try check(seen, "getdents64", path) > count
  }

  /// Whether files could be made in the directory at `path`, as far as one can tell without trying;
  /// throws why not.
  public static func checkRoom(at path: String) throws(SystemError) {
    _ = try check(unsafe clinux_access(path, W_OK | X_OK), "access", path)
    guard try check(unsafe clinux_has_room(path), "statvfs", path) != 0 else {
      throw SystemError("statvfs", path, .noSpace)
    }
  }

  /// The directory at `path` or, where nothing is there, the nearest one above it, in which it
  /// would be made.
  public static func nearest(to path: String) -> String {
    var directory = path[...]
    while !directory.isEmpty {
      do throws(SystemError) {
        _ = try FileStatus(path: String(directory))
        break
      } catch { if error.errno != .noSuchFileOrDirectory { break } }
      guard let slash = directory.lastIndex(of: "/") else { return "." }
      directory = directory[..<slash]
    }
    return directory.isEmpty ? "/" : String(directory)
  }
}
