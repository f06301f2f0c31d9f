internal import CLinux

/// A file descriptor that this value owns: it is closed when the value goes away.
///
/// It never owns 0, 1 or 2; `StandardStream` writes to those.
public struct FileDescriptor: ~Copyable {
  /// The number, valid as long as this value is.
  public let rawValue: CInt

  /// Takes `rawValue` over.
  public init(owning rawValue: CInt) { self.rawValue = rawValue }

  deinit { clinux_close(rawValue) }

  /// How open(2) opens a file. `O_CLOEXEC` is always set.
  public struct OpenOptions: OptionSet, Sendable {
    /// Flags of open(2).
    public let rawValue: CInt
    /// The options that `rawValue` holds.
    public init(rawValue: CInt) { self.rawValue = rawValue }
    /// `O_RDONLY`
    public static let readOnly = OpenOptions(rawValue: O_RDONLY)
    /// `O_WRONLY`
    public static let writeOnly = OpenOptions(rawValue: O_WRONLY)
    /// `O_RDWR`
    public static let readWrite = OpenOptions(rawValue: O_RDWR)
    /// `O_CREAT`
    public static let create = OpenOptions(rawValue: O_CREAT)
    /// `O_EXCL`
    public static let exclusive = OpenOptions(rawValue: O_EXCL)
    /// `O_TRUNC`
    public static let truncate = OpenOptions(rawValue: O_TRUNC)
    /// `O_APPEND`
    public static let append = OpenOptions(rawValue: O_APPEND)
    /// `O_DIRECTORY`
    public static let directory = OpenOptions(rawValue: O_DIRECTORY)
    /// `O_NOFOLLOW`: a symbolic link is `ELOOP`.
    public static let noFollow = OpenOptions(rawValue: O_NOFOLLOW)
    /// `O_NONBLOCK`: a FIFO does not wait for its other end.
    public static let nonBlocking = OpenOptions(rawValue: O_NONBLOCK)
  }

  /// Opens `path`; see open(2).
  public static func open(
    _ path: String, _ options: OpenOptions = .readOnly, mode: UInt32 = 0o600
  ) throws(SystemError) -> FileDescriptor {
    FileDescriptor(
      owning: CInt(try check(unsafe clinux_open(path, options.rawValue, mode), "open", path)))
  }

  // MARK: - Reading and writing

  /// Reads what is there, at most `limit` bytes and 64 KiB; empty at end of file.
  public borrowing func read(limit: Int = 64 << 10) throws(SystemError) -> [UInt8] {
    try readOctets(limit, from: rawValue)
  }

  /// Reads at most `count` bytes from `offset` on; fewer at end of file. See pread(2).
  public borrowing func read(at offset: Int64, count: Int) throws(SystemError) -> [UInt8] {
    let descriptor = rawValue
    var result = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: max(0, count)) { buffer, filled in
      result = unsafe clinux_read_at(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
      filled = max(0, result)
    }
    _ = try check(result, "pread", descriptorName(descriptor))
    return bytes
  }

  /// Reads to the end of the file. More than `limit` bytes are `EFBIG`.
  public borrowing func readToEnd(limit: Int = 1 << 30) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      let chunk = try read(limit: min(64 << 10, limit + 1 - bytes.count))
      if chunk.isEmpty { return bytes }
      bytes += chunk
      guard bytes.count <= limit else {
        throw SystemError(rawValue, exceeds: limit)
      }
    }
  }

  /// The number of the kind of file system that the file is of; see statfs(2).
  public borrowing func fileSystem() throws(SystemError) -> UInt64 {
    let kind = try check(clinux_file_system(rawValue), "fstatfs", descriptorName(rawValue))
    return UInt64(bitPattern: Int64(kind))
  }

  /// Receives one datagram of at most `limit` bytes, and of 64 KiB; a longer one is cut. See
  /// recv(2).
  public borrowing func receive(limit: Int = 64 << 10) throws(SystemError) -> [UInt8] {
    let descriptor = rawValue
    let (bytes, result) = unsafe received(limit) { unsafe clinux_receive(descriptor, $0, $1, 0) }
    _ = try check(result, "recv", descriptorName(descriptor))
    return bytes
  }

  /// Writes all of `bytes`.
  public borrowing func write(_ bytes: [UInt8]) throws(SystemError) {
    try writeAll(bytes, to: rawValue)
  }

  /// Writes all of `bytes` from `offset` on. See pwrite(2).
  public borrowing func write(_ bytes: [UInt8], at offset: Int64) throws(SystemError) {
    var rest = bytes[...]
    var position = offset
    let descriptor = rawValue
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe clinux_write_at(descriptor, $0.baseAddress, $0.count, off_t(position))
      }
      let written = try check(count, "pwrite", descriptorName(descriptor))
      rest = rest.dropFirst(written)
      position += Int64(written)
    }
  }

  /// Reads at most `count` words from the byte `offset` on, in machine byte order; fewer at end of
  /// file. See pread(2).
  public borrowing func readWords(at offset: Int64, count: Int) throws(SystemError) -> [UInt64] {
    let descriptor = rawValue
    var result = 0
    let words = unsafe [UInt64](unsafeUninitializedCapacity: max(0, count)) { buffer, filled in
      result = unsafe clinux_read_at(
        descriptor, buffer.baseAddress, buffer.count * 8, off_t(offset))
      filled = max(0, result) / 8
    }
    _ = try check(result, "pread", descriptorName(descriptor))
    return words
  }

  /// Writes all of `words` from the byte `offset` on, in machine byte order. See pwrite(2).
  public borrowing func write(words: [UInt64], at offset: Int64) throws(SystemError) {
    var written = 0
    let descriptor = rawValue
    while written < words.count * 8 {
      let count = unsafe words.withUnsafeBytes {
        unsafe clinux_write_at(
          descriptor, $0.baseAddress?.advanced(by: written), $0.count - written,
          off_t(offset + Int64(written)))
      }
      written += try check(count, "pwrite", descriptorName(descriptor))
    }
  }

  /// Writes what fits without waiting and takes it off `bytes`. A pipe that no process reads any
  /// more takes everything.
  public borrowing func writeAvailable(_ bytes: inout ArraySlice<UInt8>) throws(SystemError) {
    while !bytes.isEmpty {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe clinux_write(rawValue, $0.baseAddress, $0.count)
      }
      if count == -Int(EAGAIN) { return }
      if count == -Int(EPIPE) {
        bytes = []
        return
      }
      bytes = bytes.dropFirst(try check(count, "write", descriptorName(rawValue)))
    }
  }

  /// Whether reads and writes answer `EAGAIN` instead of waiting.
  public borrowing func setNonBlocking(_ on: Bool = true) throws(SystemError) {
    _ = try check(clinux_set_nonblocking(rawValue, on ? 1 : 0), "fcntl", descriptorName(rawValue))
  }

  // MARK: - Files

  /// Makes the file `size` bytes long; see ftruncate(2).
  public borrowing func truncate(to size: Int64) throws(SystemError) {
    _ = try check(clinux_truncate(rawValue, off_t(size)), "ftruncate", descriptorName(rawValue))
  }
  /// Waits until the file's data is on the disk; see fdatasync(2).
  public borrowing func synchronizeData() throws(SystemError) {
    _ = try check(clinux_sync_data(rawValue), "fdatasync", descriptorName(rawValue))
  }
  /// Waits until file and metadata are on the disk; see fsync(2).
  public borrowing func synchronize() throws(SystemError) {
    _ = try check(clinux_sync(rawValue), "fsync", descriptorName(rawValue))
  }
  /// What the file is; see fstat(2).
  ///
  /// Never inlined. Symptom otherwise: a plugin is 20 KiB larger. Cause: the shim is a function of
  /// C once two places call it, and one such function gives the whole module unwind tables.
  @inline(never)
  public borrowing func status() throws(SystemError) -> FileStatus {
    var status = stat()
    _ = try check(
      unsafe clinux_stat_descriptor(rawValue, &status), "fstat", descriptorName(rawValue))
    return FileStatus(status)
  }
}

/// Reads at most `limit` bytes, and 64 KiB, from `descriptor`; empty at end of file.
func readOctets(_ limit: Int, from descriptor: CInt) throws(SystemError) -> [UInt8] {
  let (bytes, result) = unsafe received(limit) { unsafe clinux_read(descriptor, $0, $1) }
  _ = try check(result, "read", descriptorName(descriptor))
  return bytes
}

/// What `receive` has put into the memory that it is given, at most `limit` bytes and 64 KiB, and
/// what it returned: how many came, or an error.
func received(_ limit: Int, by receive: (UnsafeMutablePointer<UInt8>, Int) -> Int)
  -> (bytes: [UInt8], result: Int)
{
  guard let buffer = unsafe clinux_buffer() else { return ([], -Int(ENOMEM)) }
  let room = min(max(0, limit), Int(clinux_buffer_size))
  let result = unsafe receive(buffer, room)
  let count = min(max(0, result), room)
  let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { copy, filled in
    if let start = copy.baseAddress { _ = unsafe memcpy(start, buffer, count) }
    filled = count
  }
  return (bytes, result)
}

/// Writes all of `bytes` to `descriptor`.
func writeAll(_ bytes: [UInt8], to descriptor: CInt) throws(SystemError) {
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = unsafe rest.withUnsafeBytes {
      unsafe clinux_write(descriptor, $0.baseAddress, $0.count)
    }
    rest = rest.dropFirst(try check(count, "write", descriptorName(descriptor)))
  }
}

/// Since 1970-01-01T00:00:00Z. A file may claim any time; those past the year 2262 are that.
private func nanoseconds(_ time: timespec) -> Int64 {
  (Duration.seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)).nanoseconds
}

/// What stat(2) reports of a file.
public struct FileStatus: Hashable, Sendable {
  /// The kind of a file, from `st_mode`.
  public enum Kind: Hashable, Sendable {
    /// `S_IFREG`
    case regular
    /// `S_IFDIR`
    case directory
    /// `S_IFLNK`
    case symbolicLink
    /// Anything else.
    case other
  }
  /// The kind of file.
  public let kind: Kind
  /// Bytes.
  public let size: Int64
  /// `st_dev` and `st_ino`, which together name the file.
  public let device: UInt64, inode: UInt64
  /// How many names the file has; none when it was removed.
  public let links: Int
  /// The permission bits, `07777`.
  public let permissions: UInt32
  /// When the content changed last: nanoseconds since 1970-01-01T00:00:00Z.
  public let modified: Int64
  /// When the inode changed last: nanoseconds since 1970-01-01T00:00:00Z.
  public let changed: Int64

  init(_ status: stat) {
    kind =
      switch status.st_mode & 0o170000 /* S_IFMT */ {
      case 0o100000: .regular
      case 0o040000: .directory
      case 0o120000: .symbolicLink
      default: .other
      }
    size = Int64(status.st_size)
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    links = Int(clamping: status.st_nlink)
    permissions = status.st_mode & 0o7777
    modified = nanoseconds(status.st_mtim)
    changed = nanoseconds(status.st_ctim)
  }

  /// Whether both are of one file.
  public func isSameFile(as other: FileStatus) -> Bool {
    device == other.device && inode == other.inode
  }

  /// The status of `path`, of a symbolic link itself where `follow` is false.
  public init(path: String, follow: Bool = true) throws(SystemError) {
    var status = stat()
    let flags = follow ? 0 : AT_SYMLINK_NOFOLLOW
    _ = try check(unsafe clinux_stat_at(clinux_at_fdcwd(), path, &status, flags), "stat", path)
    self.init(status)
  }
}
