import ArgumentParser
import JSON
import Linux
import OVSDB
import OpenVSwitch

/// `patchbay doctor`
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Say what is wrong on this host, and the commands that mend it.",
    usage: "patchbay doctor [--brief | --json] [<options>]",
    discussion: """
      Looks at Open vSwitch and what it has lost or dropped, bridges, ports, attachments, \
      gateways, and CNI: configurations, plugins, results and leases that no attachment has, full \
      file systems. It only reads.

      Exit status: 0 where nothing is wrong (warnings included), 1 where something is.

      Examples:
        patchbay doctor
        patchbay doctor --json | jq '.groups[].checks[] | select(.status == "fault")'
      """)

  @Flag(help: "Only what is wrong.")
  var brief = false

  @Flag(help: "A JSON text.")
  var json = false

  @OptionGroup var database: DatabaseOptions

  @OptionGroup var runtime: RuntimeOptions

  /// Seconds. Who has not answered by then does not answer; plugins may take longer for their work.
  private static let patience = 10

  func run() throws {
    let groups: [DoctorGroup]
    do {
      let host = try HostReading(
        Endpoint(database.endpoint), until: .after(.seconds(min(runtime.timeout, Self.patience))))
      groups = Doctor(host).groups + [ConfigurationChecks(runtime, on: host).group]
    } catch let error as OVSDBError {
      var findings = Findings()
      findings.add(Finding(silent: error))
      groups = [
        DoctorGroup(name: "Open vSwitch", summary: "", findings: findings),
        ConfigurationChecks(runtime, on: nil).group,
      ]
    }
    let faults = groups.reduce(0) { $0 + $1.findings.faults.count }
    let doubts = groups.reduce(0) { $0 + $1.findings.doubts.count }
    if json {
      let value: JSONValue = [
        "groups": .array(groups.map(\.json)), "faults": .integer(Int64(faults)),
        "doubts": .integer(Int64(doubts)),
      ]
      show(value)
    } else {
      show(text(groups, faults, doubts))
    }
    if faults > 0 { throw ExitCode(1) }
  }

  private func text(_ groups: [DoctorGroup], _ faults: Int, _ doubts: Int) -> String {
    var lines = groups.flatMap { $0.lines(isBrief: brief) }
    func count(_ number: Int, _ noun: String) -> String {
      "\(number == 0 ? "no" : "\(number)") \(noun)\(number == 1 ? "" : "s")"
    }
    if !lines.isEmpty { lines.append("") }
    let skipped = groups.reduce(0) { $0 + $1.findings.skipped.count }
    lines.append(
      "\(count(faults, "problem")), \(count(doubts, "warning"))"
        + (skipped == 0 ? "" : ", \(count(skipped, "check")) could not be made"))
    return lines.joined(separator: "\n")
  }
}
