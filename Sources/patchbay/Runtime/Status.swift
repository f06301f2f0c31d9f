import ArgumentParser
import CNI
import CNIRuntime
import JSON

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Ask a network's plugins whether they could attach something now.",
    discussion: """
      Example:
        patchbay status ovs-1
      """)

  @Argument(
    help: ArgumentHelp("Name of the network.", valueName: "network"), completion: .networks)
  var network: String

  @Flag(help: "Print JSON.")
  var json = false

  // cnitool wants one, and does nothing with it.
  @Argument(help: .hidden)
  var sandbox: String?

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func run() throws {
    let list = try options.network(network)
    if json { return try showJSON(list) }
    guard list.has(.status) else {
      say(
        "no plugin was asked: STATUS needs cniVersion 1.1.0, network \"\(network)\" has "
          + "\"\(list.version)\"", .warning)
      return
    }
    do throws(RuntimeError) { try options.runtime.status(list) } catch { throw Failure(error) }
    let types = list.plugins.map { $0.type }.joined(separator: ", ")
    show("network \"\(network)\" is ready: \(types)")
  }

  private func showJSON(_ list: NetworkList) throws {
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
    show(String(decoding: document.encoded(indentedBy: 2), as: UTF8.self))
    if failure != nil { throw ExitCode(1) }
  }
}
