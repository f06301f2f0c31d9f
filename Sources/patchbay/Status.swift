import ArgumentParser
import CNI
import CNIRuntime

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Ask a network's plugins whether they could attach something now.",
    discussion: """
      Example:
        patchbay status ovs-1
      """)

  @Argument(
    help: ArgumentHelp("Name of the network.", valueName: "network"), completion: .networks)
  var network: String

  // cnitool wants one, and does nothing with it.
  @Argument(help: .hidden)
  var sandbox: String?

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func run() throws {
    let list = try options.network(network)
    guard list.has(.status) else {
      say(
        "nobody was asked: STATUS needs cniVersion 1.1.0, network \"\(network)\" has "
          + "\"\(list.version)\"", .warning)
      return
    }
    do throws(RuntimeError) { try options.runtime.status(list) } catch { throw Failure(error) }
    let types = list.plugins.map { $0.type }.joined(separator: ", ")
    show("network \"\(network)\" is ready: \(types)")
  }
}
