internal import CNI
/// What is not as ADD made it.
package struct Deviations {
  private var all: [String] = []

  package init() {}

  /// Notes that `subject` is not as it should be.
  mutating func expect<T: Equatable>(
    _ subject: String, is found: T, shouldBe wanted: T, _ text: (T) -> String
  ) {
    if found != wanted { add("\(subject) is \(text(found)), should be \(text(wanted))") }
  }
  mutating func expect(_ subject: String, is found: String?, shouldBe wanted: String?) {
    expect(subject, is: found, shouldBe: wanted) { $0.map { "\"\($0)\"" } ?? "absent" }
  }
  mutating func expect<I: FixedWidthInteger>(_ subject: String, is found: I?, shouldBe wanted: I?) {
    expect(subject, is: found, shouldBe: wanted) { $0.map { "\($0)" } ?? "absent" }
  }
  mutating func expect(_ subject: String, is found: Bool, shouldBe wanted: Bool) {
    expect(subject, is: found, shouldBe: wanted) { "\($0)" }
  }
  mutating func add(_ text: String) { all.append(text) }

  package func throwIfAny(_ plan: Plan) throws(AttachmentError) {
    guard !all.isEmpty else { return }
    let interface = plan.attachment.interfaceName
    throw AttachmentError(
      .failed,
      "interface \"\(interface)\" on bridge \"\(plan.bridge)\" is not as ADD made it",
      details: all.joined(separator: "; "))
  }
}
