/// Undoes, newest first, what was done so far, unless it is kept.
///
///     var rollback = Rollback(log)
///     try outside.addVeth(name, …)
///     rollback.onFailure("delete link \(name)") { … }
///     …
///     rollback.disarm()
///
/// Declare it after what its steps use.
public struct Rollback: ~Copyable {
  private struct Step {
    let name: String
    /// Answers why it could not be undone; nil when it was.
    let undo: () -> String?
  }
  private var steps: [Step] = []
  private let log: Log

  /// Nothing to undo yet. An undo that fails is logged; it never hides the first error.
  public init(_ log: Log) { self.log = log }

  /// Registers how the effect that was just had is undone.
  ///
  /// - Parameters:
  ///   - name: What the undo does, for the log.
  ///   - undo: Answers why it failed; nil when it did not.
  public mutating func onFailure(_ name: String, _ undo: @escaping () -> String?) {
    steps.append(Step(name: name, undo: undo))
  }

  /// Everything succeeded: keep it.
  public consuming func disarm() { steps.removeAll() }

  deinit {
    for step in steps.reversed() {
      if let reason = step.undo() {
        log.write(.error, "rolling back: \(step.name): \(reason)")
      } else {
        log.write(.debug, "rolled back: \(step.name)")
      }
    }
  }
}
