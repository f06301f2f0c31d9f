import ArgumentParser
import CNIRuntime
import JSON
import Linux

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure how long ADD, CHECK and DEL of a network take.",
    usage: "patchbay bench <network> [--count <n>] [--parallel <p>] [<options>]",
    discussion: """
      Attaches and detaches temporary network namespaces. Any plugins can be measured, and so \
      compared. Times are those of the whole chain.

      Examples:
        patchbay bench ovs-1
        patchbay bench ovs-1 -n 500 -p 8
        patchbay bench reference --cni-path /usr/lib/cni --json
      """)

  @Argument(
    help: ArgumentHelp("Name of the network.", valueName: "network"), completion: .networks)
  var network: String

  @Option(
    name: [.customShort("n"), .customLong("count")],
    help: ArgumentHelp("How many attachments.", valueName: "n"))
  var count = 100

  @Option(
    name: [.customShort("p"), .customLong("parallel")],
    help: ArgumentHelp("How many at a time.", valueName: "p"))
  var parallel = 1

  @Flag(help: "Print JSON; times are in milliseconds.")
  var json = false

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func validate() throws {
    guard (1...1_000_000).contains(count) else {
      throw ValidationError("--count: \(count) is not in 1…1000000")
    }
    guard (1...1024).contains(parallel) else {
      throw ValidationError("--parallel: \(parallel) is not in 1…1024")
    }
  }

  func run() throws {
    _ = try options.network(network)
    var measurements = Measurements()
    let started = Clock.monotonic
    do throws(SystemError) { try work(&measurements) } catch {
      throw Failure("cannot run the workers: \(error)")
    }
    progress(nil)
    let seconds = Double((Clock.monotonic - started).nanoseconds) / 1e9
    show(
      json
        ? measurements.json(network, parallel: parallel, seconds)
        : measurements.text(network, parallel: parallel, seconds))
    guard let failure = measurements.failures.first else { return }
    throw Failure(
      "\(measurements.failures.count) failures; the first:\n\(failure)")
  }

  /// Starts the workers and collects what they measure.
  private func work(_ measurements: inout Measurements) throws(SystemError) {
    var workers: [Worker] = []
    let number = min(parallel, count)
    for index in 0..<number {
      let share = count / number + (index < count % number ? 1 : 0)
      workers.append(try Worker(arguments(share, index)))
    }
    var lastTold = Clock.monotonic
    while !workers.isEmpty {
      guard
        let ready = try wait(
          for: workers.map(\.readiness), until: .after(.seconds(86_400)))
      else { continue }
      let worker = workers[ready]
      if try worker.read(into: &measurements) {
        worker.end(&measurements)
        workers.remove(at: ready)
      }
      if Clock.monotonic - lastTold > .milliseconds(100) {
        progress(measurements.done)
        lastTold = Clock.monotonic
      }
    }
  }

  private func arguments(_ share: Int, _ index: Int) -> [String] {
    [
      "bench-worker", network, "\(share)", "bench-\(Process.identifier)-\(index)",
      "--conf-dir", options.directory.path,
      "--cni-path", options.pluginDirectories.joined(separator: ":"),
      "--cache-dir", options.cachePath, "--timeout", "\(options.timeout)",
    ] + (options.trace ? ["--trace"] : [])
  }

  /// Shows how far it is, on a terminal; nil takes that away.
  private func progress(_ done: Int?) {
    guard StandardStream.error.isTerminal, !options.trace else { return }
    let text = done.map { "\($0) of \(count)" } ?? ""
    try? StandardStream.error.write(Array("\r\u{1b}[K\(text)".utf8))
  }
}

/// A process that attaches and detaches, one after the other.
private final class Worker {
  private var process: ChildProcess?
  private var unread: [UInt8] = []
  let readiness: Readiness

  init(_ arguments: [String]) throws(SystemError) {
    let process = try ChildProcess(
      start: "/proc/self/exe", arguments: arguments, environment: Process.environment, input: [])
    readiness = process.readiness
    self.process = consume process
  }

  /// Takes the lines that are there; true when no more will come.
  func read(into measurements: inout Measurements) throws(SystemError) -> Bool {
    guard let bytes = try process?.readOutput() else { return false }
    unread += bytes
    while let end = unread.firstIndex(of: 0x0a) {
      measurements.add(Array(unread[..<end]))
      unread.removeSubrange(...end)
    }
    return bytes.isEmpty
  }

  func end(_ measurements: inout Measurements) {
    guard let process = process.take() else { return }
    let reason: String
    do throws(ChildProcess.Failure) {
      let output = try process.finish(until: .after(.seconds(60)))
      guard output.status != .exited(0) else { return }
      reason = "a worker ended with \(output.status)"
    } catch { reason = error.description }
    measurements.failures.append(reason)
  }
}
