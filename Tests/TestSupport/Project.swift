import Foundation

/// The sources to which the tests belong.
public enum Project {
  /// Their directory.
  public static let root = URL(fileURLWithPath: #filePath)
    .appendingPathComponent("../../..").standardizedFileURL

  /// The absolute path of what is at `path` there: `conf/cluster`.
  public static func path(_ path: String) -> String { root.appendingPathComponent(path).path }

  /// The text of the file at `path`. Throws if it cannot be read.
  public static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }
}
