import Foundation
import Linux
import Testing

/// What the suites of netlink need: a private network namespace, others beside it, and the words
/// of `ip` and `ethtool` about them.
enum PrivateNetwork {
  /// Whether this process may do with its network namespace what it likes.
  static let isOurs: Bool = {
    let here = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
    if let told = ProcessInfo.processInfo.environment["PATCHBAY_PRIVATE"] { return told == here }
    let host = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/1/ns/net")
    return here != nil && host != nil && here != host
  }()

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs a command found in the usual places; its standard output. Another status than 0 throws.
  @discardableResult
  static func run(_ words: String...) throws -> String {
    let process = Foundation.Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    var environment = ProcessInfo.processInfo.environment
    environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    process.environment = environment
    let output = Pipe()
    let errors = Pipe()
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let words = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: String(decoding: words, as: UTF8.self))
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The JSON that a command prints: a list of objects.
  static func json(_ words: String...) throws -> [[String: Any]] {
    let command = "exec " + words.map { "'\($0)'" }.joined(separator: " ")
    let data = Data(try run("sh", "-c", command).utf8)
    if data.isEmpty { return [] }
    let objects = try JSONSerialization.jsonObject(with: data) as? [[String: Any]]
    // `ip` prints an empty object for what it filtered out.
    return try #require(objects).filter { !$0.isEmpty }
  }
}

/// A network namespace with a name, gone with this value.
final class TestNamespace {
  let name: String
  var path: String { "/run/netns/" + name }

  init(_ name: String) throws {
    self.name = name
    try PrivateNetwork.run("ip", "netns", "add", name)
  }

  deinit { _ = try? PrivateNetwork.run("ip", "netns", "del", name) }

  func open() throws -> NetworkNamespace { try NetworkNamespace(path: path) }
}
