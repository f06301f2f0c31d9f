import ArgumentParser
import CNI
import CNIRuntime
import Linux

struct GC: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc",
    abstract: "Free what attachments that are gone have left.",
    usage: "patchbay gc [<network>] [--dry-run] [<options>]",
    discussion: """
      Without --valid it removes, by DEL, the attachments whose network namespace is gone, as \
      after a reboot or a crash: its path is gone, and so is the host end of the veth pair. It \
      knows them by the results that are kept, by the ports of Open vSwitch, by this host's \
      logical ports of OVN and by leases, whichever runtime attached them, at every version of \
      the specification. A namespace that is still there, though nothing uses it any more, \
      counts only with --unused-namespaces. What podman attached by the drivers of netavark is \
      freed likewise.

      With --valid it removes every other attachment of the network, and tells the plugins to free \
      whatever belongs to none of the valid ones, also of other runtimes. --none-valid frees all. \
      Neither touches what podman attached by the drivers of netavark.

      With --host it frees what a host that is gone has left in what all hosts share: its logical \
      ports of OVN, and its addresses.

      Without a network it does so for each network of the directory, and for those that \
      attachments were made with.

      The exit status is 1 where something could not be freed.

      Examples:
        patchbay gc
        patchbay gc ovs-1
        patchbay gc ovs-1 --dry-run
        patchbay gc ovs-1 --unused-namespaces
        patchbay gc ovs-1 --valid web/eth0 db/eth0
        patchbay gc lab --host node3
      """)

  @Argument(
    help: ArgumentHelp("Name of the network; all without one.", valueName: "network"),
    completion: .networks)
  var network: String?

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

  @Flag(
    help: """
      Also free attachments in namespaces that no process is in or has open. They are listed \
      first; the namespaces themselves stay.
      """)
  var unusedNamespaces = false

  @Option(
    help: ArgumentHelp(
      "Free what this host has, which is gone, in databases that hosts share.", valueName: "name"))
  var host: String?

  @Flag(name: [.customShort("n"), .customLong("dry-run")], help: "Only say what would be removed.")
  var isDryRun = false

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func validate() throws {
    _ = try valid
    if noneValid, !validTexts.isEmpty {
      throw ValidationError("--valid and --none-valid exclude each other")
    }
    if unusedNamespaces, noneValid || !validTexts.isEmpty {
      throw ValidationError("--unused-namespaces and --valid or --none-valid exclude each other")
    }
    if network == nil, host != nil || noneValid || !validTexts.isEmpty {
      throw ValidationError("--valid, --none-valid and --host need the name of a network")
    }
    if host != nil, unusedNamespaces || noneValid || !validTexts.isEmpty {
      throw ValidationError("--host excludes --valid, --none-valid and --unused-namespaces")
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
    let podman = PodmanCollection(options)
    guard let network else { return try every().forEach { try free($0.name, podman, $0) } }
    if let host { return try LostHost(name: host, network: network, isDryRun).free(options) }
    try free(network, podman)
  }

  /// The networks of the directory, those that kept results are of, and those that have ports.
  private func every() throws -> EveryNetwork {
    let runtime = options.runtime
    var every = try EveryNetwork(options.directory)
    for entry in (try? runtime.cache.entries()) ?? [] {
      guard !every.lists.contains(where: { $0.name == entry.network }),
        let list = try? runtime.list(
          of: entry.network, attachedAs: entry.attachment, in: options.directory
        ).list
      else { continue }
      every.add(list)
    }
    for list in NetworkList.ofPorts() { every.add(list) }
    return every
  }

  /// - Parameter known: The list, where it was read already.
  private func free(_ network: String, _ podman: PodmanCollection, _ known: NetworkList? = nil)
    throws
  {
    let valid = try valid
    var errors: [RuntimeError] = []
    var found = known
    do throws(RuntimeError) {
      if found == nil { found = try list(network, options.runtime, or: podman) }
      if let found { try collect(found, valid) }
    } catch { errors.append(error) }
    if valid == nil {
      let (freed, failures) = podman.collect(network, besides: found, isDryRun: isDryRun)
      for stale in freed { tell(isDryRun ? "would remove" : "removed", stale, network) }
      errors += failures
    }
    if let first = errors.first { throw Failure(errors.count > 1 ? .several(errors) : first) }
  }

  private func collect(_ list: NetworkList, _ valid: [Attachment]?) throws(RuntimeError) {
    let runtime = options.runtime
    if list.isGCDisabled, valid != nil {
      say(
        "nothing was done: the list has \"disableGC\"; without --valid, gc frees what has no "
          + "sandbox", .warning)
      return
    }
    let leftovers = Leftovers(
      of: list, runtime.cache, valid: valid, includesUnusedNamespaces: unusedNamespaces)
    guard !isDryRun else {
      for stale in try leftovers.all() { tell("would remove", stale, list.name) }
      if !leftovers.failures.isEmpty { throw .several(leftovers.failures) }
      return
    }
    if unusedNamespaces {
      for stale in try leftovers.all() where !stale.parameters.sandboxPath.isEmpty {
        tell("unused", stale, list.name)
      }
    }
    let (removed, failures) = try runtime.gc(list, valid: valid, leftovers)
    for stale in removed { tell("removed", stale, list.name) }
    if valid != nil, !list.has(.gc) {
      say(
        "the plugins did not run: GC needs cniVersion 1.1.0, the list has "
          + "\"\(list.version)\"", .warning)
    }
    let all = leftovers.failures + failures
    if !all.isEmpty { throw .several(all) }
  }

  /// The list of the directory; where it is not there any more, what an attachment was made with.
  /// Nil where the network is podman's alone.
  private func list(_ network: String, _ runtime: Runtime, or podman: PodmanCollection)
    throws(RuntimeError) -> NetworkList?
  {
    let cause: RuntimeError
    do { return try options.directory.network(network) } catch { cause = error }
    let entries = (try? runtime.cache.entries()) ?? []
    guard let entry = entries.first(where: { $0.network == network }) else {
      if podman.knows(network) { return nil }
      if let list = NetworkList.ofPorts().first(where: { $0.name == network }) { return list }
      throw cause
    }
    return try runtime.list(of: network, attachedAs: entry.attachment, in: options.directory).list
  }

  private func tell(_ what: String, _ stale: StaleAttachment, _ name: String) {
    let reason = stale.reason.isEmpty ? "" : "  \(stale.reason)"
    let place = network == nil ? " on \(name)" : ""
    show("\(what) \((stale.description + place + reason).controlCharactersEscaped)")
  }
}
