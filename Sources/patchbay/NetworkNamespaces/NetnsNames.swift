import Linux
import Netlink

/// The network namespaces that have a name: files in `/run/netns` that namespaces are mounted on.
///
/// It is the convention of ip-netns(8), which sees what is made here, and whose namespaces are
/// seen.
enum NetnsNames {
  static let directory = "/run/netns"

  static func path(_ name: String) -> String { "\(directory)/\(name)" }

  /// Refuses what cannot be the name of a file in the directory.
  static func check(_ name: String) throws {
    let isLegal =
      !name.isEmpty && name != "." && name != ".." && name.utf8.count <= 255
      && name.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "/") && $0 != 0x7f }
    guard isLegal else {
      throw Failure(
        "\"\(name)\" cannot name a network namespace: a name has 1 to 255 bytes, is not \".\" or "
          + "\"..\", and has no \"/\" and no space in it")
    }
  }

  /// What stands in the directory, sorted.
  static func all() throws -> [String] {
    do { return try Directory(path: directory).names().sorted() } catch {
      if error.errno == .noSuchFileOrDirectory { return [] }
      throw Failure("cannot list network namespaces: \(error)")
    }
  }

  /// Whether a namespace is mounted on the file `name`.
  static func isNamespace(_ name: String) -> Bool {
    do {
      _ = try NetworkNamespace(path: path(name))
      return true
    } catch { return error.errno == .accessDenied }
  }

  /// Opens the namespace `name`.
  static func open(_ name: String) throws -> NetworkNamespace {
    try check(name)
    do { return try NetworkNamespace(path: path(name)) } catch {
      switch error.errno {
      case .noSuchFileOrDirectory: throw unknown(name)
      case .invalidArgument:
        throw Failure(
          "\(path(name)) is a file on which no network namespace is mounted: "
            + "patchbay netns del \(name) removes it")
      default: throw Failure("cannot open network namespace \"\(name)\": \(error)")
      }
    }
  }

  static func unknown(_ name: String) -> Failure {
    let names = (try? all()) ?? []
    return Failure(
      "there is no network namespace \"\(name)\" in \(directory); "
        + (names.isEmpty
          ? "patchbay netns add \(name) makes it" : "there is: \(names.joined(separator: ", "))"))
  }

  /// Makes a network namespace with `lo` up, moves this process into it, and gives it a name.
  static func add(_ name: String) throws {
    try check(name)
    do {
      let directory = try share()
      do {
        _ = try directory.open(name, [.readOnly, .create, .exclusive], mode: 0)
      } catch {
        guard error.errno == .fileExists else { throw error }
        throw Failure("there is a network namespace \"\(name)\" already, as \(path(name))")
      }
      do {
        try Process.unshare(.network)
        try setLoopbackUp()
        try Mount.bind("/proc/thread-self/ns/net", on: path(name))
      } catch {
        _ = try? directory.remove(name)
        throw error
      }
    } catch let error as SystemError {
      throw Failure("cannot add network namespace \"\(name)\": \(error)")
    }
  }

  /// Sets `lo` of this process's namespace up: programs expect to reach themselves.
  static func setLoopbackUp() throws {
    do {
      let route = try RouteSocket()
      try route.request(until: .after(.seconds(5))) { $0.setLink(.named("lo"), isUp: true) }
    } catch { throw Failure("cannot set \"lo\" up: \(error)") }
  }

  /// Takes the name away. The namespace lives on as long as a process is in it.
  static func remove(_ name: String) throws {
    try check(name)
    do {
      // A file without a namespace is what an interrupted `add` leaves.
      do { try Mount.remove(at: path(name)) } catch {
        switch error.errno {
        case .invalidArgument: break
        case .noSuchFileOrDirectory: throw unknown(name)
        default: throw error
        }
      }
      guard try Directory(path: directory).remove(name) else { throw unknown(name) }
    } catch let error as SystemError {
      throw Failure("cannot delete network namespace \"\(name)\": \(error)")
    }
  }

  /// Makes the directory where it is missing, and a mount that other mount namespaces share, so
  /// that processes there see names come and go.
  private static func share() throws(SystemError) -> Directory {
    let result = try Directory.create(path: directory, mode: 0o755)
    if try isShared() { return result }
    // As ip-netns(8) does: of two that do so at once, each would mount its own. Anyone may hold
    // this lock, so it only delays.
    do {
      let lock = try FileDescriptor.lockedDirectory(directory, until: .after(.seconds(2)))
      try mountShared()
      _ = lock.rawValue
    } catch {
      guard error.errno == .timedOut else { throw error }
      say("\(directory) is locked by another process; this goes on without the lock", .warning)
      try mountShared()
    }
    return result
  }

  private static func mountShared() throws(SystemError) {
    if try isShared() { return }
    try Mount.bind(directory, on: directory)
    try Mount.setPropagation(of: directory, .shared)
  }

  /// Makes the mount at the directory shared; false if nothing is mounted there.
  private static func isShared() throws(SystemError) -> Bool {
    do { try Mount.setPropagation(of: directory, .shared) } catch {
      guard error.errno == .invalidArgument else { throw error }
      return false
    }
    return true
  }
}
