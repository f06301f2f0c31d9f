import Digests
import Linux

/// The path of a network namespace, as a person names it.
struct SandboxPath {
  /// The directories in which ip-netns(8) has its namespaces: one, by two names as a rule.
  static let directories = ["/run/netns", "/var/run/netns"]

  /// Absolute, without `.` and `..`.
  let path: String

  /// A name of ip-netns(8), a path, which has a `/`, or a process ID where no namespace has that
  /// name.
  init(_ text: String) {
    guard !text.utf8.contains(UInt8(ascii: "/")) else {
      path = Self.absolute(text)
      return
    }
    let candidates = Self.directories.map { "\($0)/\(text)" }
    let named = candidates.first { (try? FileStatus(path: $0)) != nil }
    let isProcess = !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    path = named ?? (isProcess ? "/proc/\(text)/ns/net" : candidates[0])
  }

  private init(path: String) { self.path = path }

  /// As Go's `filepath.Abs`: symbolic links stay.
  private static func absolute(_ text: String) -> String {
    let whole = text.hasPrefix("/") ? text : "\(Process.environment("PWD") ?? "")/\(text)"
    var components: [Substring] = []
    for component in whole.split(separator: "/") where component != "." {
      if component == ".." { _ = components.popLast() } else { components.append(component) }
    }
    return "/" + components.joined(separator: "/")
  }

  /// The same namespace by the other name of its directory; nil where it has none.
  var alias: SandboxPath? {
    for (directory, other) in zip(Self.directories, Self.directories.reversed())
    where path.hasPrefix(directory + "/") {
      return SandboxPath(path: other + path.dropFirst(directory.count))
    }
    return nil
  }

  /// The container ID that cnitool gives it, which depends on how the path is written.
  var containerID: String {
    "cnitool-" + SHA2.hexadecimal(SHA2.sha512(Array(path.utf8)).prefix(10))
  }

  /// Refuses what is no network namespace, and says which there are.
  func requireNamespace() throws {
    let reason: String
    do throws(SystemError) {
      _ = try NetworkNamespace(path: path)
      return
    } catch {
      reason =
        switch error.errno {
        case .noSuchFileOrDirectory: "there is no such file"
        case .invalidArgument: "it is not a network namespace"
        default: error.description
        }
    }
    let names = Self.names
    throw Failure(
      "cannot use the network namespace \(path): \(reason)",
      hint: names.isEmpty
        ? "there are no named namespaces; \"patchbay netns add NAME\" makes one"
        : "those with a name are: \(names.joined(separator: ", "))")
  }

  /// The names of ip-netns(8) that there are.
  static var names: [String] {
    ((try? Directory(path: directories[0]).names()) ?? []).sorted()
  }
}
