/// A text that is not JSON, and where it stops being so.
public struct JSONSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
  /// From 1.
  public let line: Int
  /// In characters.
  public let column: Int
  /// libjansson's words.
  public let text: String

  /// `line 1, column 7: string or '}' expected near end of file`
  public var description: String { "line \(line), column \(column): \(text)" }
}
