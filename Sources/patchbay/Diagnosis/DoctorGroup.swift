import JSON
import Linux

/// What belongs together in the report of `doctor`.
struct DoctorGroup {
  let name: String
  /// What stands behind the name where all is well.
  let summary: String
  let findings: Findings

  private var isWell: Bool { !findings.hasFault && findings.doubts.isEmpty }

  func lines(isBrief: Bool) -> [String] {
    if isWell {
      guard !isBrief else { return [] }
      let mark = StandardStream.output.styled("✓", .good)
      return ["\(mark) \(name)" + (summary.isEmpty ? "" : ": \(summary)")]
    }
    let worst: Finding.Status = findings.hasFault ? .fault : .doubt
    let mark = Mark.of(worst)
    var lines = ["\(StandardStream.output.styled(mark.text, mark.style)) \(name)"]
    for finding in findings.all where finding.status == .fault || finding.status == .doubt {
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
