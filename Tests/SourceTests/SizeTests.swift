import Foundation
import Testing

/// Files and folders that a reader can look through.
@Suite("The size of the sources")
struct SizeTests {
  /// What is written by hand and kept in the repository; `Golden` holds what programs wrote.
  static func folders() throws -> [String: [String]] {
    var folders: [String: [String]] = [:]
    for top in ["Sources", "plugins", "Tests", "conf", ".ci"] {
      let directory = MapTests.root.appendingPathComponent(top)
      let entries = try FileManager.default.subpathsOfDirectory(atPath: directory.path)
      for entry in entries where !entry.split(separator: "/").contains("Golden") {
        var isFolder: ObjCBool = false
        let path = directory.appendingPathComponent(entry).path
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
          !isFolder.boolValue
        else { continue }
        let parts = "\(top)/\(entry)".split(separator: "/").map(String.init)
        if parts.last?.first == "." { continue }
        folders[parts.dropLast().joined(separator: "/"), default: []].append(parts[parts.count - 1])
      }
    }
    return folders
  }

  /// The bytes of each line of a file, which take less time than characters.
  private static func lines(_ file: String) throws -> [ArraySlice<UInt8>] {
    let bytes = [UInt8](try Data(contentsOf: MapTests.root.appendingPathComponent(file)))
    return bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
  }

  @Test("no folder has more than a dozen files")
  func folders() throws {
    let folders = try Self.folders()
    #expect(folders.count > 50)
    for (folder, files) in folders.sorted(by: { $0.key < $1.key }) {
      #expect(files.count <= 12, "\(folder) has \(files.count); give it sub-folders")
    }
  }

  @Test("no file of Swift or C has more than 300 lines")
  func files() throws {
    var count = 0
    for (folder, files) in try Self.folders() {
      for file in files where [".swift", ".c", ".h"].contains(where: file.hasSuffix) {
        count += 1
        let lines = try Self.lines("\(folder)/\(file)")
        // The last line ends with a line feed, too.
        #expect(lines.count - 1 <= 300, "\(folder)/\(file) has \(lines.count - 1) lines")
      }
    }
    #expect(count > 400)
  }

  @Test("no line has more than 100 columns, but for texts that a test gives or expects")
  func columns() throws {
    var files = ["Package.swift"]
    for (folder, names) in try Self.folders() {
      files += names.filter { name in [".swift", ".c", ".h"].contains { name.hasSuffix($0) } }
        .map { "\(folder)/\($0)" }
    }
    #expect(files.count > 400)
    for file in files {
      let lines = try Self.lines(file)
      let isTest = file.hasPrefix("Tests/")
      var isText = false
      // Most files have no line of over 100 bytes, let alone columns.
      guard lines.contains(where: { $0.count > 100 }) else { continue }
      for (index, bytes) in lines.enumerated() {
        // The delimiter of a text of several lines.
        if isTest, bytes.contains(UInt8(ascii: "\"")) {
          if Self.text(bytes).components(separatedBy: "\"\"\"").count % 2 == 0 { isText.toggle() }
        }
        guard bytes.count > 100 else { continue }
        let line = Self.text(bytes)
        #expect(
          line.count <= 100 || isTest && (isText || line.contains("\"")),
          "\(file):\(index + 1) has \(line.count) columns")
      }
    }
  }
}
