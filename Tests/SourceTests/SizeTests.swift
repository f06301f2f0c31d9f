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
        let lines = try MapTests.text("\(folder)/\(file)").split(
          separator: "\n", omittingEmptySubsequences: false)
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
      let isTest = file.hasPrefix("Tests/")
      var isText = false
      for (index, line) in try MapTests.text(file).split(
        separator: "\n", omittingEmptySubsequences: false
      ).enumerated() {
        // The delimiters of a text of several lines.
        if line.components(separatedBy: "\"\"\"").count % 2 == 0 { isText.toggle() }
        guard line.count > 100 else { continue }
        #expect(
          isTest && (isText || line.contains("\"")),
          "\(file):\(index + 1) has \(line.count) columns")
      }
    }
  }
}
