import ArgumentParser
import CNI
import CNIRuntime
import JSON

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Ask a network's plugins whether they could attach something now.",
    usage: "patchbay status [<network>] [--json] [<options>]",
    discussion: """
      Without a network, each of the directory is asked.

      Examples:
        patchbay status ovs-1
        patchbay status --json
      """)

  @Argument(
    help: ArgumentHelp("Name of the network; all without one.", valueName: "network"),
    completion: .networks)
  var network: String?

  @Flag(help: "Print JSON.")
  var json = false

  // cnitool wants one, and does nothing with it.
  @Argument(help: .hidden)
  var sandbox: String?

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func run() throws {
    guard let network else { return try askAll() }
    let list = try options.network(network)
    guard json else { return try ask(list) }
    let (document, isReady) = document(list)
    show(document)
    if !isReady { throw ExitCode(1) }
  }

  private func askAll() throws {
    let every = try EveryNetwork(options.directory)
    guard json else { return try every.forEach(ask) }
    let answers = every.lists.map(document)
    let value: JSONValue = [
      "networks": .array(answers.map(\.0)),
      "problems": .array(every.failures.map { .string($0.description) }),
    ]
    show(value)
    if !every.failures.isEmpty || answers.contains(where: { !$0.isReady }) { throw ExitCode(1) }
  }

  private func ask(_ list: NetworkList) throws {
    guard list.has(.status) else {
      say(
        "no plugin was asked: STATUS needs cniVersion 1.1.0, network \"\(list.name)\" has "
          + "\"\(list.version)\"", .warning)
      return
    }
    do throws(RuntimeError) { try options.runtime.status(list) } catch { throw Failure(error) }
    let types = list.plugins.map { $0.type }.joined(separator: ", ")
    show("network \"\(list.name)\" is ready: \(types)")
  }

  private func document(_ list: NetworkList) -> (JSONValue, isReady: Bool) {
    var failure: RuntimeError?
    do throws(RuntimeError) { if list.has(.status) { try options.runtime.status(list) } } catch {
      failure = error
    }
    let document = JSONValue.object([
      ("network", .string(list.name)), ("cniVersion", .string(list.version)),
      // Before 1.1.0 there is no STATUS.
      ("ready", list.has(.status) ? .bool(failure == nil) : nil),
      ("error", failure.map { .string($0.description) }),
    ])
    return (document, failure == nil)
  }
}
