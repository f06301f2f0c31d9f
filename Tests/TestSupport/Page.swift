import Foundation
import Testing

/// A page of the documentation in Markdown, with blocks that can be pasted into a shell.
public struct Page {
  /// A fenced block.
  public struct Block: Sendable {
    /// What stands behind the fence: `sh`, `console`, `json`.
    public let language: String
    /// Its lines, without the fences.
    public let text: String
    /// The nearest heading above it.
    public let heading: String
  }

  /// In the order of the page.
  public let blocks: [Block]
  /// The lines of indented blocks, without their indentation.
  public let indented: [String]

  /// Reads a page of the sources: `README.md`.
  public init(_ path: String) throws {
    let text = try Project.text(path)
    var blocks: [Block] = []
    var indented: [String] = []
    var open: (language: String, lines: [String])?
    var heading = ""
    for line in text.components(separatedBy: "\n") {
      if let block = open {
        open = line == "```" ? nil : (block.language, block.lines + [line])
        guard line == "```" else { continue }
        let text = block.lines.joined(separator: "\n") + "\n"
        blocks.append(Block(language: block.language, text: text, heading: heading))
      } else if line.hasPrefix("```") {
        open = (String(line.dropFirst(3)), [])
      } else if line.hasPrefix("#") {
        heading = line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces)
      } else if line.hasPrefix("    ") {
        indented.append(String(line.dropFirst(4)))
      }
    }
    (self.blocks, self.indented) = (blocks, indented)
  }
}

/// Commands as they are typed, with what they print: lines that begin with `$ `, and the lines
/// between them. `…` stands for any text, and alone on a line for any lines.
public struct Transcript {
  private struct Step {
    let command: String
    var answer: [String] = []
  }
  private let steps: [Step]

  /// Reads the text of a block.
  public init(_ text: String) {
    var steps: [Step] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("$ ") {
        steps.append(Step(command: String(line.dropFirst(2))))
      } else if !steps.isEmpty {
        steps[steps.count - 1].answer.append(String(line))
      }
    }
    self.steps = steps
  }

  /// A script that runs the commands, and prints a control character before what each prints.
  public var script: String {
    steps.map { "printf '\\036'\n{ \($0.command)\n} 2>&1\n" }.joined()
  }

  /// Fails where the commands did not print what the text has. `version` is Open vSwitch's, which
  /// pages have as 3.1.0.
  public func expect(
    _ output: String, version: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let answers = output.components(separatedBy: "\u{1e}").dropFirst()
    #expect(answers.count == steps.count, "\(output)", sourceLocation: sourceLocation)
    for (step, answer) in zip(steps, answers) {
      let expected = Self.lines(step.answer.joined(separator: "\n"))
        .map { $0.replacing("3.1.0", with: version) }
        .map { $0.replacing("userspace datapath", with: "… datapath") }
      let printed = Self.lines(answer)
      #expect(
        Self.matches(expected[...], printed[...]),
        "\(step.command)\n\(answer)\nshould be\n\(step.answer.joined(separator: "\n"))",
        sourceLocation: sourceLocation)
    }
  }

  /// Without empty lines at the end, and spaces at the end of each.
  private static func lines(_ text: String) -> [String] {
    var lines = text.components(separatedBy: "\n").map { line in
      String(line.reversed().drop { $0 == " " }.reversed())
    }
    while lines.last == "" { lines.removeLast() }
    return lines
  }

  private static func matches(_ expected: ArraySlice<String>, _ printed: ArraySlice<String>) -> Bool
  {
    guard let first = expected.first else { return printed.isEmpty }
    if first == "…" {
      return printed.indices.contains { matches(expected.dropFirst(), printed[$0...]) }
        || matches(expected.dropFirst(), [])
    }
    guard let line = printed.first, matches(first, line) else { return false }
    return matches(expected.dropFirst(), printed.dropFirst())
  }

  private static func matches(_ expected: String, _ line: String) -> Bool {
    let parts = expected.components(separatedBy: "…")
    guard parts.count > 1 else { return expected == line }
    guard line.hasPrefix(parts[0]) else { return false }
    var rest = line.dropFirst(parts[0].count)
    for part in parts.dropFirst().dropLast() {
      guard let range = rest.firstRange(of: part) else { return false }
      rest = rest[range.upperBound...]
    }
    return rest.hasSuffix(parts[parts.count - 1])
  }
}
