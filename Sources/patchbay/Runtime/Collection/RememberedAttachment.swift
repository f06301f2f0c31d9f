import ArgumentParser
import CNIRuntime

/// What `check` and `del` take: an attachment that was made.
struct RememberedAttachment: ParsableArguments {
  @Argument(
    help: ArgumentHelp("Name of the network.", valueName: "network"), completion: .networks)
  var network: String

  @Argument(
    help: ArgumentHelp(
      "Network namespace: its name, path or a process ID. Not needed with --container-id.",
      valueName: "netns"), completion: .namespaces)
  var sandbox: String?

  @OptionGroup var attachment: AttachmentOptions
  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  /// Where its plugins are run.
  var runtime: Runtime { options.runtime }

  /// The list and the parameters that it was made with.
  func recall() throws -> (list: NetworkList, parameters: AttachmentParameters, isKept: Bool) {
    try attachment.remembered(network, sandbox, by: options)
  }
}
