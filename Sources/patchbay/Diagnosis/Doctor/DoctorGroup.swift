import JSON
import Linux

/// What belongs together in the report of `doctor`.
struct DoctorGroup {
  let name: String
  /// What stands behind the name where all is well.
  let summary: String
  let findings: Findings

  /// What is worth a line though it is well; nil where nothing is.
  var remark: String? = nil

  /// The worst of what was found; what could not be looked at is not said to be well.
  private var worst: Finding.Status {
    if findings.hasFault { return .fault }
    if !findings.doubts.isEmpty { return .doubt }
    return findings.skipped.isEmpty ? .good : .skipped
  }

  func lines(isBrief: Bool) -> [String] {
    if isBrief, worst == .good || worst == .skipped { return [] }
    let mark = Mark.of(worst)
    let title = worst == .good && !summary.isEmpty ? "\(name): \(summary)" : name
    var lines = ["\(StandardStream.output.styled(mark.text, mark.style)) \(title)"]
    if let remark, !isBrief { lines += Paragraph.lines(remark, indentation: 4) }
    for finding in findings.all where finding.status != .good {
      if isBrief, finding.status == .skipped { continue }
      let mark = Mark.of(finding.status)
      let text = Paragraph.lines(finding.text, indentation: 4)
      lines.append(
        "  \(StandardStream.output.styled(mark.text, mark.style)) \(text.first?.dropFirst(4) ?? "")"
      )
      lines += text.dropFirst()
      if let remedy = finding.printableRemedy { lines.append("      \(remedy)") }
    }
    return lines
  }

  var json: JSONValue {
    ["name": .string(name), "checks": .array(findings.all.map(\.json))]
  }
}
