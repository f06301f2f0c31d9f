import Synchronization
import Testing

/// What was found that must not be, counted, so that the figures cannot say otherwise.
public final class Violations: Sendable {
  private let found = Mutex(0)
  /// How many there were.
  public var count: Int { found.withLock { $0 } }
  /// None.
  public init() {}

  /// Counts and reports one.
  public func add(_ what: String, sourceLocation: SourceLocation = #_sourceLocation) {
    found.withLock { $0 += 1 }
    Issue.record("\(what)", sourceLocation: sourceLocation)
  }

  /// `text` must be empty.
  public func expectNothing(
    _ text: String, _ place: @autoclosure () -> String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    if !text.isEmpty { add("\(place()):\n\(text)", sourceLocation: sourceLocation) }
  }

  /// The command must have succeeded.
  public func expectSuccess(
    _ result: PluginResult, _ place: @autoclosure () -> String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    expect(result.status == 0, "\(place()): \(result)", sourceLocation: sourceLocation)
  }

  /// `fact` must be so.
  public func expect(
    _ fact: Bool, _ place: @autoclosure () -> String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    if !fact { add(place(), sourceLocation: sourceLocation) }
  }
}
