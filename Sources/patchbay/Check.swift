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

  @OptionGroup var made: RememberedAttachment

  func run() throws {
    let (list, parameters) = try made.recall()
    if !parameters.sandboxPath.isEmpty {
      try SandboxPath(parameters.sandboxPath).requireNamespace()
    }
    do throws(RuntimeError) {
      try made.runtime.check(attached: list, parameters)
    } catch { throw Failure(error) }
    if list.isCheckDisabled { say("nothing was checked: the list has \"disableCheck\"", .warning) }
  }
}
