import Foundation
import Testing

/// The sources as they are on disk, held against `Sources/README.md` and `Package.swift`.
@Suite("The map of the sources")
struct MapTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../..").standardized

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }
  /// The cells of the rows of the tables of the map, without backquotes.
  static func rows() throws -> [[String]] {
    try text("Sources/README.md").split(separator: "\n").filter { $0.hasPrefix("| ") }.map {
      $0.split(separator: "|").map {
        $0.trimmingCharacters(in: CharacterSet(charactersIn: " `"))
      }
    }
  }
  static func folders(_ path: String) throws -> [String] {
    let directory = root.appendingPathComponent(path)
    return try FileManager.default.contentsOfDirectory(atPath: directory.path).filter {
      var isFolder: ObjCBool = false
      let file = directory.appendingPathComponent($0).path
      return FileManager.default.fileExists(atPath: file, isDirectory: &isFolder)
        && isFolder.boolValue
    }.sorted()
  }
  static func swiftFiles(_ path: String) -> [String] {
    let directory = root.appendingPathComponent(path)
    let files = FileManager.default.enumerator(atPath: directory.path) ?? .init()
    return files.compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }
      .map { "\(path)/\($0)" }
  }
  /// The modules that a file imports.
  static func imports(_ file: String) throws -> [String] {
    try text(file).split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard let position = words.firstIndex(of: "import"), position <= 2,
        !line.contains("//"), words.count > position + 1
      else { return nil }
      return String(words[position + 1].split(separator: ".")[0])
    }
  }

  /// Layers by module, and what each layer may import.
  static func map() throws -> (layers: [String: String], allowed: [String: [String]]) {
    let rows = try rows()
    let allowed = rows.filter { $0.count == 2 && $0[0] != "layer" }.prefix { $0[0] != "what" }
    let layers = rows.filter { $0.count == 3 && $0[0] != "module" }
    return (
      Dictionary(uniqueKeysWithValues: layers.map { ($0[0], $0[1]) }),
      Dictionary(
        uniqueKeysWithValues: allowed.map { row in
          let names = row[1].components(separatedBy: ", ")
          let all = ["ground", "systems", "protocols", "engine"]
          return (row[0], row[0] == "front ends" ? all : names)
        })
    )
  }

  @Test("every module has one line with a layer, and every line has a module")
  func modules() throws {
    let (layers, allowed) = try Self.map()
    #expect(try layers.keys.sorted() == Self.folders("Sources"))
    #expect(Set(layers.values).isSubset(of: allowed.keys))
    let package = try Self.text("Package.swift")
    for module in layers.keys {
      #expect(
        package.contains("library(\"\(module)\"") || package.contains("name: \"\(module)\"")
          || package.contains("library(\n      \"\(module)\""), "\(module)")
    }
  }

  @Test("no import points up, or from one front end to another")
  func imports() throws {
    let (layers, allowed) = try Self.map()
    var folders = try Self.folders("Sources").map { ("Sources/\($0)", layers[$0] ?? "") }
    for kind in try Self.folders("plugins") {
      folders += try Self.folders("plugins/\(kind)").map { ("plugins/\(kind)/\($0)", "front ends") }
    }
    #expect(folders.contains { $0.0 == "plugins/main/ovs-bridge" })
    var count = 0
    for (folder, layer) in folders {
      let permitted = try #require(allowed[layer], "\(folder)")
      for file in Self.swiftFiles(folder) {
        for module in try Self.imports(file) {
          count += 1
          guard let target = layers[module] else {
            // Packages of others are for the tool alone.
            #expect(folder == "Sources/patchbay", "\(file) imports \(module)")
            continue
          }
          #expect(permitted.contains(target), "\(file) imports \(module) of the layer \(target)")
        }
      }
    }
    #expect(count > 300)
  }

  @Test("C is imported where it is made Swift, and nowhere else")
  func imported() throws {
    for module in try Self.folders("Sources") {
      for file in Self.swiftFiles("Sources/\(module)") {
        let imports = try Self.imports(file)
        if imports.contains("CJansson") { #expect(file == "Sources/JSON/Jansson.swift") }
        if imports.contains("CLinux") { #expect(["Linux", "Netlink"].contains(module), "\(file)") }
      }
    }
  }

  @Test("a dependency that the package names is imported")
  func dependencies() throws {
    let package = try Self.text("Package.swift")
    let pattern = /(?:library|plugin)\(\s*(?:"[a-z]+", )?"([A-Za-z-]+)",\s*\[([^\]]*)\]\)/
    var count = 0
    for match in package.matches(of: pattern) {
      let module = String(match.1)
      let folder =
        try Self.folders("plugins").map { "plugins/\($0)/\(module)" }.first {
          !Self.swiftFiles($0).isEmpty
        } ?? "Sources/\(module)"
      let imports = Set(try Self.swiftFiles(folder).flatMap(Self.imports))
      for dependency in match.2.split(whereSeparator: { ", \n\"".contains($0) }) {
        count += 1
        #expect(imports.contains(String(dependency)), "\(module) does not import \(dependency)")
      }
    }
    #expect(count > 50)
  }
}
