/// Something that is wrong with a configuration.
struct Fault: Hashable {
  enum Severity: String {
    /// A runtime or a plugin refuses it.
    case error
    /// It is accepted, but hardly as meant.
    case warning
  }
  let severity: Severity
  /// `path: what it is, and what is legal`
  let text: String

  init(_ severity: Severity, _ text: String) {
    self.severity = severity
    self.text = text
  }
}
