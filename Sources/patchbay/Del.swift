import ArgumentParser
import CNIRuntime

struct Del: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Detach a network namespace from a network.",
    discussion: """
      Runs DEL of the plugins in reverse order, with the configuration and the result that were \
      kept. The namespace may be gone; nothing need be kept. To repeat it does no harm.

      Examples:
        patchbay del ovs-1 ns1
        patchbay del ovs-1 ns1 --ifname eth1
        patchbay del ovs-1 --container-id web
      """)

  @Argument(
    help: ArgumentHelp("Name of the network.", valueName: "network"), completion: .networks)
  var network: String

  @Argument(
    help: ArgumentHelp(
      "Network namespace: its name or path. Can be left out with --container-id.",
      valueName: "netns"), completion: .namespaces)
  var sandbox: String?

  @OptionGroup var attachment: AttachmentOptions
  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func run() throws {
    let (list, parameters) = try attachment.remembered(network, sandbox, by: options)
    do throws(RuntimeError) { try options.runtime.del(list, parameters) } catch {
      throw Failure(error)
    }
  }
}
