import Foundation
import Testing

/// Files of one module that use each other, found by the names that stand at the beginning of a
/// line.
@Suite("Circles between files")
struct CircleTests {
  /// The files of each module, of which plugins are some.
  private static func modules() throws -> [String: [String]] {
    var modules: [String: [String]] = [:]
    for module in try MapTests.folders("Sources") {
      modules["Sources/\(module)"] = MapTests.swiftFiles("Sources/\(module)")
    }
    for kind in try MapTests.folders("plugins") {
      for name in try MapTests.folders("plugins/\(kind)") {
        modules["plugins/\(kind)/\(name)"] = MapTests.swiftFiles("plugins/\(kind)/\(name)")
      }
    }
    return modules
  }

  /// The circles among `files`, as the files of each.
  private static func circles(_ files: [String: SourceWords]) -> [[String]] {
    var homes: [String: [String]] = [:]
    for (file, words) in files {
      for name in words.declared { homes[name, default: []].append(file) }
    }
    let uses = files.mapValues { words in
      // A name with two homes is a member of some type, or private.
      Set(words.all.compactMap { homes[$0]?.count == 1 ? homes[$0]?.first : nil })
    }
    func reached(from file: String) -> Set<String> {
      var found: Set<String> = []
      var rest = Array(uses[file] ?? []).filter { $0 != file }
      while let next = rest.popLast() {
        guard found.insert(next).inserted else { continue }
        rest += (uses[next] ?? []).filter { $0 != next }
      }
      return found
    }
    let reached = Dictionary(uniqueKeysWithValues: files.keys.map { ($0, reached(from: $0)) })
    let circles = Set(
      files.keys.compactMap { file in
        reached[file]?.contains(file) == true
          ? Set(reached[file]?.filter { reached[$0]?.contains(file) == true } ?? []) : nil
      })
    return circles.map { $0.sorted() }
  }

  /// `Session` of `Sources/OVSDB/Connection/Session+Receiving.swift`.
  private static func type(_ file: String) -> Substring {
    file.split(separator: "/").last?.prefix { $0 != "+" && $0 != "." } ?? ""
  }

  @Test("there is none, but of a type and its extensions")
  func circles() throws {
    var count = 0
    for (module, files) in try Self.modules().sorted(by: { $0.key < $1.key }) {
      let words = try files.map { ($0, SourceWords(try MapTests.text($0))) }
      count += words.reduce(0) { $0 + $1.1.declared.count }
      for circle in Self.circles(Dictionary(uniqueKeysWithValues: words)) {
        #expect(
          Set(circle.map(Self.type)).count == 1,
          "\(module): these use each other: \(circle.joined(separator: ", "))")
      }
    }
    #expect(count > 500)
  }

  @Test("one is found, also through a third file and from within a text")
  func search() {
    func found(_ files: [String: String]) -> [[String]] {
      Self.circles(files.mapValues { SourceWords($0) })
    }
    let one = "public struct One {\n  let two: Two\n}\n"
    #expect(found(["One": one, "Two": "/// As One.\nstruct Two { let text = \"One\" }\n"]) == [])
    #expect(
      found(["One": one, "Two": "final class Two { let text = \"a \\(f(\"(\", One.a)) b\" }\n"])
        == [["One", "Two"]])
    let files = [
      "One": one, "Two": "enum Two {}\nfunc two() { three() }\n",
      "Three": "func three() -> One? { nil }\n", "Four": "let four = One()\n",
    ]
    #expect(found(files) == [["One", "Three", "Two"]])
  }
}

/// The words of a source file of Swift, without those of comments and texts.
struct SourceWords {
  private(set) var all: Set<String> = []
  /// The names of what is declared outside of everything, and not `private`.
  private(set) var declared: Set<String> = []

  /// What the text is within: a string literal, or an interpolation in it.
  private enum Nesting {
    case literal(end: [UInt8], interpolation: [UInt8])
    /// The parentheses that are open.
    case interpolation(Int)
  }
  private static let modifiers: Set = ["public", "package", "final", "indirect"]
  private static let kinds: Set = [
    "struct", "class", "enum", "protocol", "typealias", "func", "let", "var",
  ]

  init(_ text: String) {
    let bytes = Array(text.utf8)
    var nestings: [Nesting] = []
    var position = 0
    var isAtStart = true
    /// Whether all words of the line so far are modifiers, and whether the next is a name.
    var mayDeclare = false
    var isName = false
    func starts(_ other: [UInt8]) -> Bool {
      position + other.count <= bytes.count
        && bytes[position..<position + other.count].elementsEqual(other)
    }
    while position < bytes.count {
      let byte = bytes[position]
      if case .literal(let end, let interpolation)? = nestings.last {
        if starts(end) {
          nestings.removeLast()
          position += end.count
        } else if starts(interpolation) {
          nestings.append(.interpolation(1))
          position += interpolation.count
        } else {
          // With marks before the quotes a backslash is one.
          position += byte == UInt8(ascii: "\\") && interpolation.count == 2 ? 2 : 1
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\n"): isAtStart = nestings.isEmpty
      case UInt8(ascii: "/") where starts(Array("//".utf8)):
        position = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        continue
      case UInt8(ascii: "\""), UInt8(ascii: "#"):
        let marks = bytes[position...].prefix { $0 == UInt8(ascii: "#") }
        position += marks.count
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { continue }
        let quotes = starts(Array("\"\"\"".utf8)) ? 3 : 1
        nestings.append(
          .literal(
            end: Array(repeating: UInt8(ascii: "\""), count: quotes) + marks,
            interpolation: [UInt8(ascii: "\\")] + marks + [UInt8(ascii: "(")]))
        position += quotes
        continue
      case UInt8(ascii: "@") where isAtStart || mayDeclare:
        (isAtStart, mayDeclare) = (false, true)
        position += 1 + bytes[(position + 1)...].prefix { Self.isLetter($0) }.count
        continue
      case UInt8(ascii: "("), UInt8(ascii: ")"):
        guard case .interpolation(let depth)? = nestings.popLast() else { break }
        let rest = byte == UInt8(ascii: "(") ? depth + 1 : depth - 1
        if rest > 0 { nestings.append(.interpolation(rest)) }
      case let letter where Self.isLetter(letter):
        let word = String(
          decoding: bytes[position...].prefix { Self.isLetter($0) || (0x30...0x39).contains($0) },
          as: UTF8.self)
        position += word.utf8.count
        all.insert(word)
        if isName { declared.insert(word) }
        isName = (isAtStart || mayDeclare) && Self.kinds.contains(word)
        mayDeclare = (isAtStart || mayDeclare) && Self.modifiers.contains(word)
        isAtStart = false
        continue
      default: break
      }
      if byte != UInt8(ascii: "\n") { isAtStart = false }
      if byte != UInt8(ascii: " ") { (mayDeclare, isName) = (false, false) }
      position += 1
    }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (0x41...0x5a).contains(byte & 0xdf) || byte == UInt8(ascii: "_")
  }
}
