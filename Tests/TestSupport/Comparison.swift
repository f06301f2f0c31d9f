import Foundation
import Testing

/// What one of two implementations did in a step of a generated case.
public protocol ComparedOutcome: Sendable {
  /// What it answered.
  var result: PluginResult { get }
  /// The answer without what both need not have alike.
  var comparable: Document { get }
  /// Whether both left the same behind.
  func leftTheSame(as other: Self) -> Bool
}

extension ComparedOutcome {
  /// The message of the error; empty where there is none.
  public var message: String { comparable["msg"].text ?? "" }
  /// Whether it was refused.
  public var hasFailed: Bool { result.status != 0 }
}

/// A difference from the reference plugin on purpose. A README has them in a table, by these
/// titles.
public struct Difference<Outcome: ComparedOutcome>: Sendable {
  /// Whether it explains how the two outcomes differ.
  public typealias Cover = @Sendable (_ command: String, _ ours: Outcome, _ theirs: Outcome) -> Bool

  /// The first cell of its row.
  public let title: String
  let covers: Cover

  /// The difference that is called `title`.
  public init(title: String, _ covers: @escaping Cover) {
    (self.title, self.covers) = (title, covers)
  }

  /// The titles in the first table of the README at `path`, after a line that begins with
  /// `heading`.
  public static func titles(inTableOf path: String, below heading: String = "") throws -> [String] {
    let lines = try Project.text(path).split(separator: "\n").drop { !$0.hasPrefix(heading) }
    let rows = lines.drop { !$0.hasPrefix("|---") }.dropFirst().prefix { $0.hasPrefix("|") }
    return rows.map { $0.split(separator: "|")[0].trimmingCharacters(in: .whitespaces) }
  }
}

/// A generator of cases: it makes its choices by a seed.
public protocol CaseGenerator {
  /// Where the choices come from.
  var random: SeededGenerator { get set }
}

extension CaseGenerator {
  /// True in `percent` of 100 calls.
  public mutating func isChosen(_ percent: Int) -> Bool {
    Int.random(in: 0..<100, using: &random) < percent
  }
  /// One of `choices`, which must not be empty.
  public mutating func one<T>(_ choices: [T]) -> T {
    choices[Int.random(in: 0..<choices.count, using: &random)]
  }
}

/// A plugin beside the reference plugin, over many cases.
public struct Comparison<Outcome: ComparedOutcome> {
  private let differences: [Difference<Outcome>]
  /// Codes by which ours says more than "internal failure".
  private let codes: Set<Int>
  private let isComplete: Bool
  private var seen: [String: Int] = [:]

  /// How many cases there are.
  public let count: Int

  /// `PATCHBAY_DIFFERENCES` is the number of cases; else it is `soak` in a soak, and `count`.
  /// With `soak` cases or more, each difference must be seen.
  public init(
    _ differences: [Difference<Outcome>], codes: Set<Int>, count: Int, soak: Int
  ) {
    let asked = ProcessInfo.processInfo.environment["PATCHBAY_DIFFERENCES"].flatMap { Int($0) }
    (self.differences, self.codes) = (differences, codes)
    self.count = asked ?? (isSoak ? soak : count)
    isComplete = self.count >= soak
  }

  /// Compares what both did in a step; `place` says which step it was, and `details` what the case
  /// was and what it left.
  ///
  /// - Returns: Whether they agree. After a difference the rest of the case says nothing.
  public mutating func agree(
    _ command: String, _ found: Outcome, _ expected: Outcome, at place: String, _ details: String
  ) -> Bool {
    let isSame =
      found.hasFailed == expected.hasFailed && found.message == expected.message
      && found.leftTheSame(as: expected)
      && (found.hasFailed || found.comparable == expected.comparable)
    if isSame {
      if found.hasFailed, found.result.code != expected.result.code {
        let isMore = expected.result.code == 999 && codes.contains(found.result.code ?? 0)
        #expect(isMore, "\(place): \(found.result)\n\(expected.result)")
      }
      return true
    }
    let difference = differences.first { $0.covers(command, found, expected) }
    #expect(
      difference != nil, "\(place), \(details)\n\(found.result)\n\(expected.result)")
    seen[difference?.title ?? "unknown", default: 0] += 1
    return false
  }

  /// Prints the differences of cases of `name`, and fails if one was not seen in as many as a soak
  /// has.
  public func finish(_ name: String) {
    if isComplete { #expect(Set(seen.keys) == Set(differences.map(\.title)), "\(seen)") }
    figures(
      "\(count) generated cases\(name); differences by title: \(seen.sorted { $0.key < $1.key })")
  }
}
