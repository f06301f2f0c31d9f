import ArgumentParser
import CNI
import CNIRuntime
import JSON
import Linux

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check that an attachment is as it was made.",
    usage: "patchbay check [<network> [<netns>]] [--json] [<options>]",
    discussion: """
      Runs CHECK of the plugins that made it, with the result that was kept. Silent when all is \
      well. Without a namespace all attachments of the network are checked, and without a network \
      all that results are kept of.

      Examples:
        patchbay check ovs-1 ns1
        patchbay check ovs-1
        patchbay check
      """)

  @Flag(help: "Print JSON.")
  var json = false

  @Argument(
    help: ArgumentHelp("Name of the network; all without one.", valueName: "network"),
    completion: .networks)
  var network: String?

  @Argument(
    help: ArgumentHelp(
      "Network namespace: its name, path or a process ID; all attachments without one.",
      valueName: "netns"), completion: .namespaces)
  var sandbox: String?

  @OptionGroup var attachment: AttachmentOptions
  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func run() throws {
    guard let network, sandbox != nil || attachment.containerID != nil else {
      return try checkAll()
    }
    let (list, parameters, _) = try attachment.remembered(network, sandbox, by: options)
    let failure = try check(list, parameters)
    if json { show(document(list.name, parameters, failure?.description)) }
    if let failure { throw json ? ExitCode(1) : Failure(failure) }
  }

  /// Why the attachment is not as it was made; nil if it is.
  private func check(_ list: NetworkList, _ parameters: AttachmentParameters) throws
    -> RuntimeError?
  {
    if !parameters.sandboxPath.isEmpty {
      try SandboxPath(parameters.sandboxPath).requireNamespace()
    }
    do throws(RuntimeError) { try options.runtime.check(attached: list, parameters) } catch {
      return error
    }
    if list.isCheckDisabled { say("nothing was checked: the list has \"disableCheck\"", .warning) }
    return nil
  }

  private func checkAll() throws {
    let runtime = options.runtime
    let entries: [CachedAttachment]
    do throws(SystemError) { entries = try runtime.cache.entries() } catch {
      throw Failure(.unreadableCache(error))
    }
    let name = try network.map { try NetworkRequest($0).name }
    // A name that is none is said, rather than that all is well.
    if let name, !entries.contains(where: { $0.network == name }) { _ = try options.network(name) }
    var documents: [JSONValue] = []
    var hasFailed = false
    for entry in entries where name == nil || entry.network == name {
      let (parameters, place) = (AttachmentParameters(entry), "\(entry.network) \(entry.place)")
      var failure: String?
      do {
        failure = try check(list(entry, runtime), parameters)?.description
      } catch let error as Failure { failure = error.description }
      documents.append(document(entry.network, parameters, failure))
      guard let failure else { continue }
      hasFailed = true
      if !json { say("\(place): \(failure)", .error) }
    }
    if json { show(["attachments": .array(documents)]) }
    if hasFailed { throw ExitCode(1) }
  }

  private func list(_ entry: CachedAttachment, _ runtime: Runtime) throws -> NetworkList {
    do throws(RuntimeError) {
      return try runtime.list(
        of: entry.network, attachedAs: entry.attachment, in: options.directory
      ).list
    } catch { throw Failure(error) }
  }

  private func document(
    _ network: String, _ parameters: AttachmentParameters, _ failure: String?
  ) -> JSONValue {
    .object([
      ("network", .string(network)),
      ("containerID", .string(parameters.attachment.containerID)),
      ("interface", .string(parameters.attachment.interfaceName)),
      (
        "sandbox", parameters.sandboxPath.isEmpty ? nil : .string(parameters.sandboxPath)
      ),
      ("ok", .bool(failure == nil)), ("error", failure.map { .string($0) }),
    ])
  }
}

extension CachedAttachment {
  /// `web/eth0`
  fileprivate var place: String { "\(attachment.containerID)/\(attachment.interfaceName)" }
}
