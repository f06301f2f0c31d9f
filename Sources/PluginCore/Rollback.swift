public import Linux

/// Undoes, newest first, what was done so far, unless it is kept.
///
///     var rollback = Rollback(log)
///     let link = try outside.addVeth(name, …)
///     rollback.onFailure("delete link \(name)") { deadline in … }
///     …
///     rollback.disarm()
///
/// Its steps are made by what they undo, and hold what they need.
public struct Rollback: ~Copyable {
  private struct Step {
    let name: String
    /// Returns why it could not be undone; nil when it was.
    let undo: (Deadline) -> String?
  }
  private var steps: [Step] = []
  private let log: Log

  /// How long all steps may take together, from the moment at which the command has failed.
  public static let duration = Duration.seconds(5)

  /// Nothing to undo yet. An undo that fails is logged; it never hides the first error.
  public init(_ log: Log) { self.log = log }

  /// Registers how the effect that was just had is undone.
  ///
  /// - Parameters:
  ///   - name: What the undo does, for the log.
  ///   - undo: Gets the deadline of the whole rollback, and returns why it failed; nil when it did
  ///     not.
  public mutating func onFailure(_ name: String, _ undo: @escaping (Deadline) -> String?) {
    steps.append(Step(name: name, undo: undo))
  }

  /// Everything succeeded: keep it.
  public consuming func disarm() { steps.removeAll() }

  deinit {
    guard !steps.isEmpty else { return }
    let deadline = Deadline.after(Self.duration)
    for step in steps.reversed() {
      if let reason = step.undo(deadline) {
        log.write(.error, "rolling back: \(step.name): \(reason)")
      } else {
        log.write(.debug, "rolled back: \(step.name)")
      }
    }
  }
}
