import Foundation

/// A directory of its own for a test, removed when this value goes away.
///
/// In the private place it is below `/run`, so that the paths of sockets in it are short.
public final class TemporaryDirectory: Sendable {
  /// Its absolute path.
  public let path: String

  /// Makes it.
  public init() throws {
    let base = PrivateHost.isHere ? "/run" : NSTemporaryDirectory()
    path = URL(fileURLWithPath: base).appendingPathComponent(uniqueName("pbt-")).path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file, with the directories above it, and answers its path.
  @discardableResult
  public func write(_ text: String, to name: String, mode: Int = 0o644) throws -> String {
    let file = "\(path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
    return file
  }

  /// The content of a file; nil if there is none.
  public func read(_ name: String) -> String? {
    FileManager.default.contents(atPath: "\(path)/\(name)").map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  /// Every file below it, by its path in it, with its content.
  public func files() -> [String: String] { contents(of: path) }
}

/// Every file below `directory`, by its path in it, with its content; empty if there is none.
func contents(of directory: String) -> [String: String] {
  var files: [String: String] = [:]
  for case let name as String in FileManager.default.enumerator(atPath: directory) ?? .init() {
    guard let data = FileManager.default.contents(atPath: "\(directory)/\(name)") else { continue }
    files[name] = String(decoding: data, as: UTF8.self)
  }
  return files
}
