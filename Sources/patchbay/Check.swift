import ArgumentParser
import CNIRuntime

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check that an attachment is as it was made.",
    discussion: """
      Runs CHECK of the plugins that made it, with the result that was kept. Silent when all is \
      well.

      Example:
        patchbay check ovs-1 ns1
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
    if !parameters.sandboxPath.isEmpty {
      try SandboxPath(parameters.sandboxPath).requireNamespace()
    }
    do throws(RuntimeError) {
      try options.runtime.check(attached: list, parameters)
    } catch { throw Failure(error) }
    if list.isCheckDisabled { say("nothing was checked: the list has \"disableCheck\"", .warning) }
  }
}
