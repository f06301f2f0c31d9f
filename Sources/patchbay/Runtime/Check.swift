import ArgumentParser
import CNI
import CNIRuntime
import JSON

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check that an attachment is as it was made.",
    discussion: """
      Runs CHECK of the plugins that made it, with the result that was kept. Silent when all is \
      well.

      Example:
        patchbay check ovs-1 ns1
      """)

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var made: RememberedAttachment

  func run() throws {
    let (list, parameters, _) = try made.recall()
    if !parameters.sandboxPath.isEmpty {
      try SandboxPath(parameters.sandboxPath).requireNamespace()
    }
    do throws(RuntimeError) {
      try made.runtime.check(attached: list, parameters)
      if json { showJSON(list, parameters, nil) }
    } catch {
      guard json else { throw Failure(error) }
      showJSON(list, parameters, error)
      throw ExitCode(1)
    }
    if list.isCheckDisabled { say("nothing was checked: the list has \"disableCheck\"", .warning) }
  }

  private func showJSON(
    _ list: NetworkList, _ parameters: AttachmentParameters, _ failure: RuntimeError?
  ) {
    let document = JSONValue.object([
      ("network", .string(list.name)),
      ("containerID", .string(parameters.attachment.containerID)),
      ("interface", .string(parameters.attachment.interfaceName)),
      (
        "sandbox", parameters.sandboxPath.isEmpty ? nil : .string(parameters.sandboxPath)
      ),
      ("ok", .bool(failure == nil)), ("error", failure.map { .string($0.description) }),
    ])
    show(String(decoding: document.encoded(indentedBy: 2), as: UTF8.self))
  }
}
