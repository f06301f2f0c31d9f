/// Where the time of one ADD or DEL goes, from the plugin's own log.
struct Profile {
  /// Milliseconds from one line of the log to the next, by the later one's text.
  private var steps: [(name: String, series: Series)] = []
  private let command: String

  private static let log = "/run/bench/plugin.log"

  /// Runs ADD and DEL by turns, each when ovs-vswitchd has settled, and looks at one of them.
  init(_ command: String, _ ports: Ports, turns: Int) throws {
    self.command = command
    for index in 0..<turns {
      for each in ["ADD", "DEL"] {
        let program = ports.run(each, "profiled-\(index)", isLogged: true)
        try fill(Self.log, with: "")
        let run = try program.settled()
        if each == command { try add(text(Self.log), run) }
      }
    }
  }

  private mutating func add(_ log: String, _ run: Program.Run) throws {
    var before = 0.0
    var isFirst = true
    for line in log.split(separator: "\n") where line.contains(" ovs-bridge ") {
      let words = line.split(separator: " ")
      guard let index = words.firstIndex(where: { $0.hasPrefix("duration=") }),
        let time = Double(words[index].dropFirst("duration=".utf8.count).dropLast(2))
      else { throw BenchError("a line of the log without duration: \(line)") }
      add(words[(index + 1)...].joined(separator: " "), time - before)
      before = time
      isFirst = false
    }
    guard !isFirst else { throw BenchError("no line in the log of \(command)") }
    // What is before the log was opened, and after its last line.
    add("process: start, configuration, result, end", run.milliseconds - before)
    add("all", run.milliseconds)
  }

  private mutating func add(_ name: String, _ milliseconds: Double) {
    if let index = steps.firstIndex(where: { $0.name == name }) {
      steps[index].series.add(milliseconds)
    } else {
      var series = Series()
      series.add(milliseconds)
      steps.append((name, series))
    }
  }

  /// The medians of both as Markdown.
  static func table(_ none: Profile, _ many: Profile) -> String {
    var text = "| \(none.command): time until… | 0 other ports | 500 other ports |\n|---|---|---|\n"
    for (name, series) in none.steps {
      let there = many.steps.first { $0.name == name }?.series ?? Series()
      text += "| \(name) | \(series.median.rounded(2)) ms | \(there.median.rounded(2)) ms |\n"
    }
    return text
  }
}
