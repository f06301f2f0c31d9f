import ArgumentParser
import CNI
import CNIRuntime
import Linux

struct GC: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc",
    abstract: "Free what attachments that are gone have left.",
    discussion: """
      Without --valid it removes, by DEL, the attachments that are known and whose network \
      namespace is gone, as after a reboot or a crash. The plugins free nothing on their own then.

      With --valid it removes every other attachment of the network, and tells the plugins to free \
      whatever belongs to none of the valid ones, also of other runtimes. --none-valid frees all.

      Examples:
        patchbay gc ovs-1
        patchbay gc ovs-1 --dry-run
        patchbay gc ovs-1 --valid web/eth0 db/eth0
      """)

  @Argument(
    help: ArgumentHelp("Name of the network.", valueName: "network"), completion: .networks)
  var network: String

  // cnitool wants one, and does nothing with it.
  @Argument(help: .hidden)
  var sandbox: String?

  @Option(
    name: .customLong("valid"), parsing: .upToNextOption,
    help: ArgumentHelp(
      "The attachments that are valid: container ID and interface name.", valueName: "id/ifname"))
  var validTexts: [String] = []

  @Flag(help: "No attachment of the network is valid: free everything.")
  var noneValid = false

  @Flag(name: [.customShort("n"), .customLong("dry-run")], help: "Only say what would be removed.")
  var isDryRun = false

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func validate() throws {
    _ = try valid
    if noneValid, !validTexts.isEmpty {
      throw ValidationError("--valid and --none-valid exclude each other")
    }
  }

  /// The attachments that are said to be valid; nil where nothing is said.
  private var valid: [Attachment]? {
    get throws {
      guard noneValid || !validTexts.isEmpty else { return nil }
      return try validTexts.map { text in
        guard let slash = text.lastIndex(of: "/"), slash != text.startIndex,
          text.index(after: slash) != text.endIndex
        else {
          throw ValidationError(
            "--valid \(text): write it as ID/IFNAME, for example web/eth0; the network's name "
              + "comes before --valid")
        }
        return Attachment(
          containerID: String(text[..<slash]),
          interfaceName: String(text[text.index(after: slash)...]))
      }
    }
  }

  func run() throws {
    let valid = try valid
    let runtime = options.runtime
    do throws(RuntimeError) {
      let list = try list(runtime)
      if list.isGCDisabled {
        say("nothing was done: the list has \"disableGC\"", .warning)
        return
      }
      guard !isDryRun else {
        for entry in try runtime.stale(network, valid: valid) { tell("would remove", entry) }
        return
      }
      let (removed, failures) = try runtime.gc(list, valid: valid)
      for entry in removed { tell("removed", entry) }
      if valid != nil, !list.has(.gc) {
        say(
          "the plugins were not told: GC needs cniVersion 1.1.0, the list has "
            + "\"\(list.version)\"", .warning)
      }
      if !failures.isEmpty { throw .several(failures) }
    } catch { throw Failure(error) }
  }

  /// The list of the directory; where it is not there any more, what an attachment was made with.
  private func list(_ runtime: Runtime) throws(RuntimeError) -> NetworkList {
    let cause: RuntimeError
    do { return try options.directory.network(network) } catch { cause = error }
    let entries = (try? runtime.cache.entries()) ?? []
    guard let entry = entries.first(where: { $0.network == network }) else { throw cause }
    return try runtime.list(of: network, attachedAs: entry.attachment, in: options.directory).list
  }

  private func tell(_ what: String, _ entry: CachedAttachment) {
    let reason = entry.sandboxIsGone ? "  \(entry.knownSandboxPath) is gone" : ""
    show(
      "\(what) \(entry.attachment.containerID)/\(entry.attachment.interfaceName)\(reason)")
  }
}
