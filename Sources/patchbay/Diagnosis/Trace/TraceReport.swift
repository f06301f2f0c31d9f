import CNI
import PluginCore
import Unixctl
import Addresses
import JSON
import Linux
import Netlink

/// What `trace` found, for people and for programs.
struct TraceReport {
  private let question: TraceQuestion
  private let findings: Findings
  private let frames: [TracedFrame]
  /// Nil where no packet was sent.
  private let outcome: Probe.Outcome?

  init(_ tracer: Tracer, _ outcome: Probe.Outcome?) {
    self.outcome = outcome
    question = tracer.question
    findings = tracer.findings
    frames = tracer.frames
  }

  /// Whether a fault was found, or a packet was sent and not answered.
  var isBlocked: Bool { outcome.map { $0.verdict != .answered } ?? findings.hasFault }

  /// Why an end could not be looked into, where no fault was found without.
  var obstacle: Finding? {
    findings.hasFault ? nil : findings.skipped.first { $0.id == "sandbox-unreadable" }
  }

  /// `clear`, `blocked` or `doubt`; with a packet sent, what became of it.
  private var verdict: String {
    if let outcome { return outcome.verdict.rawValue }
    if findings.hasFault { return "blocked" }
    return findings.doubts.isEmpty && findings.skipped.isEmpty ? "clear" : "doubt"
  }

  // MARK: - For people

  func text(isBrief: Bool) -> String {
    var lines: [String] = []
    if !isBrief { lines += table + [""] }
    if let cause = findings.cause {
      lines += Paragraph.lines(cause.text)
      if let remedy = cause.printableRemedy { lines.append("    \(remedy)") }
      lines += also(cause, isBrief: isBrief)
    } else if outcome?.verdict != .answered,
      let doubt = findings.doubts.first ?? findings.skipped.first
    {
      lines += Paragraph.lines(doubt.text)
      if let remedy = doubt.printableRemedy { lines.append("    \(remedy)") }
    } else if outcome == nil {
      lines.append("Nothing stands in the way, as far as can be told without a packet:")
      lines.append("    patchbay trace \(command) --probe")
    }
    if let outcome {
      if !(lines.last ?? "").isEmpty { lines.append("") }
      lines += outcome.lines(isBrief: isBrief)
    }
    return lines.joined(separator: "\n")
  }

  private var command: String {
    let port = question.traffic.port.map { " \($0)/\(question.traffic.name)" } ?? ""
    let family = question.isIPv6 ? " -6" : ""
    return "\(question.fromWord.shellWord) \(question.toWord.shellWord)\(port)\(family)"
  }

  /// The other faults, which often follow from the first.
  private func also(_ cause: Finding, isBrief: Bool) -> [String] {
    let others = findings.faults.filter { $0 != cause }
    guard !isBrief, !others.isEmpty else { return [] }
    return ["", "Also:"] + others.flatMap { Paragraph.lines("- \($0.text)") }
  }

  private var table: [String] {
    let column = min(15, findings.all.map(\.printableSubject.count).max() ?? 0)
    return findings.all.flatMap { finding in
      let mark = Mark.of(finding.status)
      let subject = finding.printableSubject
      let label = subject + String(repeating: " ", count: max(0, column - subject.count))
      let head = "\(StandardStream.output.styled(mark.text, mark.style)) \(label)"
      let lines = Paragraph.lines(finding.text, indentation: column + 4)
      // A long name has a line of its own.
      guard subject.count <= column, let first = lines.first else { return [head] + lines }
      return ["\(head)  \(first.dropFirst(column + 4))"] + lines.dropFirst()
    }
  }

  // MARK: - For programs

  var json: JSONValue {
    .object([
      ("from", Self.end(question.from)),
      (
        "to",
        question.target.map { Self.end($0) } ?? ["address": .string(question.targetName)]
      ),
      ("protocol", .string(question.traffic.name)),
      ("port", question.traffic.port.map { .integer(Int64($0)) }),
      ("verdict", .string(verdict)), ("cause", findings.cause?.json),
      ("checks", .array(findings.all.map(\.json))),
      (
        "traces",
        .array(
          frames.map { frame in
            [
              "bridge": .string(frame.bridge), "frame": .string(frame.name),
              "flow": .string(frame.flow),
              "actions": .array(frame.trace.blocks.last?.actions.map { .string($0) } ?? []),
              "text": .string(frame.text),
            ]
          })
      ), ("probe", outcome?.json),
    ])
  }

  /// The report of a question that could not be looked into at all.
  static func json(from: String, to: String, stoppedBy finding: Finding) -> JSONValue {
    [
      "from": ["name": .string(from)], "to": ["name": .string(to)], "verdict": "blocked",
      "cause": finding.json, "checks": [finding.json], "traces": [],
    ]
  }

  private static func end(_ attachment: AttachmentReading) -> JSONValue {
    .object([
      ("name", .string(attachment.name)), ("sandbox", .string(attachment.record.sandbox)),
      ("interface", .string(attachment.record.attachment.interfaceName)),
      ("addresses", .array(attachment.addressTexts.map { .string($0) })),
      ("mac", (attachment.end?.link.mac).map { .string($0.description) }),
      ("port", .string(attachment.port.name)),
      ("ofport", attachment.interface?.ofport.map { .integer($0) }),
      ("bridge", .string(attachment.bridge.name)),
    ])
  }
}
