import CNI
import JSON

/// What the workers of `bench` have measured.
struct Measurements {
  /// Nanoseconds, by command.
  private var times: [Command: [Int64]] = [:]
  /// Attachments that were made and removed, or failed.
  private(set) var done = 0
  /// Those that were made and removed.
  private var succeeded = 0
  /// Why they, or a whole worker, failed.
  var failures: [String] = []

  private static let commands: [Command] = [.add, .check, .del]

  /// Adds what a worker said of one attachment.
  mutating func add(_ line: [UInt8]) {
    guard let value = try? JSONValue(parsing: line) else { return }
    done += 1
    if let error = value["error"]?.text {
      failures.append(error)
      return
    }
    succeeded += 1
    for command in Self.commands {
      if let time = value[command.rawValue]?.integer { times[command, default: []].append(time) }
    }
  }

  /// The figures of one command, in milliseconds.
  private func figures(_ command: Command) -> [(name: String, value: Double)] {
    let sorted = (times[command] ?? []).sorted()
    guard let least = sorted.first, let most = sorted.last else { return [] }
    // The smallest that is not exceeded by this share of them.
    func percentile(_ share: Int) -> Int64 {
      sorted[max(0, (sorted.count * share + 99) / 100 - 1)]
    }
    let mean = sorted.reduce(0.0) { $0 + Double($1) } / Double(sorted.count)
    let values: [(String, Double)] = [
      ("min", Double(least)), ("p50", Double(percentile(50))), ("p90", Double(percentile(90))),
      ("p99", Double(percentile(99))), ("max", Double(most)), ("mean", mean),
    ]
    return values.map { ($0.0, ($0.1 / 1e6).inHundredths) }
  }

  /// The table for people.
  func text(_ network: String, parallel: Int, _ seconds: Double) -> String {
    let rate = seconds > 0 ? Double(succeeded) / seconds : 0
    var table = Table(["ms", "min", "p50", "p90", "p99", "max", "mean"])
    for command in Self.commands {
      let figures = figures(command)
      if !figures.isEmpty { table.add([command.rawValue] + figures.map { "\($0.value)" }) }
    }
    let summary = """
      network "\(network)": \(succeeded) attachments, \(parallel) at a time, in \
      \(seconds.inHundredths) s: \(rate.inHundredths) a second
      """
    return succeeded == 0 ? summary : "\(summary)\n\(table.text())"
  }

  /// The same for programs.
  func json(_ network: String, parallel: Int, _ seconds: Double) -> String {
    let commands = Self.commands.map { command in
      let figures = figures(command)
      let members = figures.map { ($0.name, Optional(JSONValue.real($0.value))) }
      return (command.rawValue, figures.isEmpty ? nil : JSONValue.object(members))
    }
    let document = JSONValue.object(
      [
        ("network", .string(network)), ("count", .integer(Int64(succeeded))),
        ("parallel", .integer(Int64(parallel))),
        ("seconds", .real(seconds.inHundredths)),
        ("failures", .array(failures.map { .string($0) })),
      ] + commands)
    return String(decoding: document.encoded(indentedBy: 2), as: UTF8.self)
  }
}

extension Double {
  /// Without what comes after the second decimal.
  fileprivate var inHundredths: Double { (self * 100).rounded() / 100 }
}
