import Synchronization
import TestSupport
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

  /// The command must have succeeded.
  func expectSuccess(
    _ result: PluginResult, _ place: @autoclosure () -> String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    expect(result.status == 0, "\(place()): \(result)", sourceLocation: sourceLocation)
  }

  func expect(
    _ fact: Bool, _ place: @autoclosure () -> String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    if !fact { add(place(), sourceLocation: sourceLocation) }
  }
}
