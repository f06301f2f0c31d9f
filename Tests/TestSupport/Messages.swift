import Foundation
import Synchronization
import Testing

/// The messages for people, all those of one program in one file: `Tests/Golden/PROGRAM.txt`.
///
/// An entry is the occasion on a line of its own, and below it, indented, what the program says.
/// Tests name the occasion; elsewhere they assert codes and paths. See `Tests/Golden/README.md`.
public enum Messages {
  /// Occasions and messages by program, as the files have them.
  private static let books = Mutex<[String: [String: String]]>([:])
  private static let isRecording = ProcessInfo.processInfo.environment["RECORD"] == "1"
  private static let indentation = "    "

  private static func path(_ program: String) -> String {
    Project.path("Tests/Golden/\(program).txt")
  }

  /// What tests make in each run by another name (see `uniqueName`), where the executables under
  /// test and others are, and the numbers that the kernel and ovsdb-server gave: of a file system,
  /// of a process, of a configuration, of a program.
  private static let places = [
    ("DIRECTORY", #"(/[^\s"':;,()]+)?/pbt-[0-9]+x[0-9]+"#),
    ("SANDBOX", "/run/netns/pbt[0-9]+x[0-9]+"),
    (
      "PLUGINS", #"(?<![\w/])"# + NSRegularExpression.escapedPattern(for: Plugin.directory) + #"\b"#
    ),
    ("N", "(?<![0-9])\(ProcessInfo.processInfo.processIdentifier % 1_000_000)x[0-9]+"),
    ("PATH", #"(?<=in PATH \()[^)]*"#),
    ("PID", #"(?<=/proc/)[0-9]+(?=/ns/)|(?<=\(process )[0-9]+(?=\))"#),
    ("NUMBER", #"(?<=waiting for configuration )[0-9]+|(?<=taken over \(it has )[0-9]+"#),
    ("NUMBER", #"(?<=(cur|next)_cfg )[0-9]+|(?<=XDP program )[0-9]+"#),
    ("MAGIC", #"(?<=unknown FS magic on "[^"]{1,200}": )[0-9a-f]+"#),
  ]

  /// `message` with words for what is another in each run: what `hiding` has, and the `places`.
  private static func normalised(_ message: String, _ hiding: [String: String]) -> String {
    // The longer ones first: they may have others in them.
    let text = hiding.sorted { $0.value.count > $1.value.count }
      .filter { !$0.value.isEmpty }
      .reduce(message) { $0.replacing($1.value, with: $1.key) }
    return places.reduce(text) {
      $0.replacingOccurrences(of: $1.1, with: $1.0, options: .regularExpression)
    }.trimmingCharacters(in: .newlines)
  }

  /// Expects an error result of `program` with this code, and what it says as its file has it.
  public static func expect(
    _ result: PluginResult, code: Int, of program: String, on occasion: String,
    hiding: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    #expect(result.code == code, "\(result)", sourceLocation: sourceLocation)
    #expect(result.status == 1, "\(result)", sourceLocation: sourceLocation)
    try expect(
      result.message, of: program, on: occasion, hiding: hiding, sourceLocation: sourceLocation)
  }

  /// Expects that `program` says `message` on `occasion`, as its file has it.
  ///
  /// - Parameter hiding: What is another in each run, by the word that stands for it in the file;
  ///   the `places` have theirs already.
  public static func expect(
    _ message: String, of program: String, on occasion: String, hiding: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let found = normalised(message, hiding)
    let occasion = occasion.split(whereSeparator: \.isNewline).map {
      $0.trimmingCharacters(in: .whitespaces)
    }.joined(separator: " ")
    let expected = try books.withLock { books in
      var book = try books[program] ?? Self.book(program)
      if isRecording, book[occasion] != found {
        book[occasion] = found
        try write(book, of: program)
      }
      books[program] = book
      return book[occasion]
    }
    guard let expected else {
      Issue.record(
        """
        Tests/Golden/\(program).txt has no "\(occasion)"; RECORD=1 writes it. It would be: \(found)
        """, sourceLocation: sourceLocation)
      return
    }
    #expect(found == expected, "\(program): \(occasion)", sourceLocation: sourceLocation)
  }

  private static func book(_ program: String) throws -> [String: String] {
    guard FileManager.default.fileExists(atPath: path(program)) else { return [:] }
    var book: [String: String] = [:]
    var occasion: String?
    for line in try String(contentsOfFile: path(program), encoding: .utf8).split(
      separator: "\n", omittingEmptySubsequences: true)
    {
      guard line.hasPrefix(indentation) else {
        occasion = String(line)
        guard book.updateValue("", forKey: String(line)) == nil else {
          throw RunError(description: "\(path(program)): twice: \(line)")
        }
        continue
      }
      guard let occasion, let text = book[occasion] else {
        throw RunError(description: "\(path(program)): a message without an occasion: \(line)")
      }
      book[occasion] = (text.isEmpty ? "" : text + "\n") + line.dropFirst(indentation.count)
    }
    return book
  }

  private static func write(_ book: [String: String], of program: String) throws {
    let entries = book.sorted { $0.key < $1.key }.map { occasion, message in
      occasion + "\n"
        + message.split(separator: "\n", omittingEmptySubsequences: true)
        .map { indentation + $0 + "\n" }.joined()
    }
    try entries.joined(separator: "\n").write(
      toFile: path(program), atomically: true, encoding: .utf8)
  }
}
