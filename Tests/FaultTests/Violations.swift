import Synchronization
import Testing

/// What was found that must not be, counted, so that the figures cannot say otherwise.
final class Violations: Sendable {
  private let found = Mutex(0)
  var count: Int { found.withLock { $0 } }

  func add(_ what: String, sourceLocation: SourceLocation = #_sourceLocation) {
    found.withLock { $0 += 1 }
    Issue.record("\(what)", sourceLocation: sourceLocation)
  }

  /// `text` must be empty.
  func expectNothing(
    _ text: String, _ place: @autoclosure () -> String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    if !text.isEmpty { add("\(place()):\n\(text)", sourceLocation: sourceLocation) }
  }

  func expect(
    _ fact: Bool, _ place: @autoclosure () -> String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    if !fact { add(place(), sourceLocation: sourceLocation) }
  }
}
