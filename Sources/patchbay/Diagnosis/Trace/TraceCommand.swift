import Addresses
import ArgumentParser
import JSON
import Linux
import OVSDB
import OpenVSwitch

/// `patchbay trace`
struct TraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Say why one container does not reach another, an address or this host.",
    usage: "patchbay trace <from> <to> [<port/proto>] [--probe] [<options>]",
    discussion: """
      Looks at everything a packet meets on its way, there and back: Open vSwitch, the links and \
      addresses of both ends, routes, VLANs, isolation, flows, the gateway, this host's forwarding \
      and firewall, sizes, checksums and what listens. The first fault is the cause: one sentence, \
      and the command that mends it. It only reads, and sends nothing unless --probe is given.

      FROM and TO are a namespace (name or path), a container (ID or name), a port or an address; \
      TO may be any address, or "host". Of several interfaces one is named NAME:IFNAME.

      Exit status: 0 where nothing stands in the way, 1 where a fault was found, 2 for a wrong \
      command line.

      Examples:
        patchbay trace ns1 ns2
        patchbay trace web 203.0.113.9 443/tcp
        patchbay trace web db 5432/tcp --brief
      """)

  @Argument(help: "Where the packet starts.", completion: .ends)
  var from: String

  @Argument(help: "Where it goes.", completion: .ends)
  var to: String

  @Argument(
    help: ArgumentHelp("What is sent: PORT/tcp, PORT/udp or icmp.", valueName: "port/proto"))
  var traffic = "icmp"

  @Flag(name: .customShort("6"), help: "By IPv6.")
  var isIPv6 = false

  @Flag(help: "Send one packet besides, and watch where it goes.")
  var probe = false

  @Flag(help: "The cause and the command that mends it, and nothing else.")
  var brief = false

  @Flag(help: "A JSON text.")
  var json = false

  @OptionGroup var database: DatabaseOptions

  @Option(help: ArgumentHelp("How long to wait in all.", valueName: "seconds"))
  var timeout: UInt16 = 10

  /// The report of a question that could not be looked into at all.
  private func stop(_ finding: Finding) -> any Error {
    guard json else { return Failure(finding.text, hint: finding.remedy, isAboutRoot: false) }
    show(TraceReport.json(from: from, to: to, stoppedBy: finding))
    return ExitCode(1)
  }

  func validate() throws {
    _ = try TraceQuestion.Traffic(traffic)
    if isIPv6, let address = IPAddress(to), !address.isIPv6 {
      throw ValidationError("-6: \(to) is an IPv4 address")
    }
  }

  func run() throws {
    let deadline = Deadline.after(.seconds(Int(timeout)))
    let host: HostReading
    let question: TraceQuestion
    do {
      host = try HostReading(Endpoint(database.endpoint), until: deadline)
      question = try TraceQuestion(from: from, to: to, .init(traffic), isIPv6: isIPv6, on: host)
    } catch let error as OVSDBError {
      throw stop(Finding(silent: error))
    } catch let error as TraceQuestion.Stop { throw stop(error.finding) }
    let tracer = Tracer(question, on: host)
    tracer.run()
    var outcome: Probe.Outcome?
    if probe {
      guard let probe = Probe(tracer) else {
        throw Failure(
          tracer.findings.cause?.text ?? "\(from) and \(to) have no addresses to send between",
          hint: tracer.findings.cause?.remedy)
      }
      outcome = try probe.run()
    }
    let report = TraceReport(tracer, outcome)
    if !json, outcome == nil, let obstacle = report.obstacle {
      throw Failure(obstacle.text)
    }
    if json {
      show(report.json)
    } else {
      show(report.text(isBrief: brief))
    }
    if report.isBlocked || report.obstacle != nil { throw ExitCode(1) }
  }
}
