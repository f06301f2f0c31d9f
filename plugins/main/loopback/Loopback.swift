import Addresses
import CNI
import JSON
import Linux
import Netlink
import PluginCore

/// The plugin `loopback`: sets the link `lo` of a sandbox up.
///
/// Whatever interface name the runtime asks for, it is `lo` that is meant. The host's own is never
/// touched, whatever `CNI_NETNS_OVERRIDE` says: it would be down after DEL.
@main
enum Loopback: Plugin {
  static let name = "loopback"
  static let readsArguments = false
  private static let link = LinkReference.named("lo")

  /// It has no members of its own.
  struct Configuration {}

  static func configuration(_ request: Request) throws(JSONDecodingError) -> Configuration {
    if !request.invocation.command.isReleasing { try request.network.checkUnusedMembers() }
    return Configuration()
  }

  static func add(_ request: Request, _ configuration: Configuration, _ context: Context)
    throws(CNIError) -> AttachmentResult
  {
    let sandbox = try Sandbox.open(request.invocation, heedsOverride: false)
    let (lo, addresses) = try setUp(in: sandbox, context)
    if let previous = request.network.previousResult { return previous }
    var result = AttachmentResult()
    result.interfaces = [.init(name: lo.name, mac: lo.mac?.description, sandbox: sandbox.path)]
    result.addresses = addresses.map { AttachmentResult.Address($0, interface: 0) }
    return result
  }

  static func del(_ request: Request, _ configuration: Configuration, _ context: Context)
    throws(CNIError)
  {
    guard let sandbox = Sandbox.openIfPresent(request.invocation, heedsOverride: false) else {
      return
    }
    do {
      let inside = try RouteSocket(in: sandbox)
      try inside.request(until: context.deadline) { $0.setLink(link, isUp: false) }
    } catch {
      throw CNIError(
        .internalFailure, "cannot set \"lo\" of the sandbox \"\(sandbox.path)\" down",
        details: error.description)
    }
  }

  static func check(_ request: Request, _ configuration: Configuration, _ context: Context)
    throws(CNIError)
  {
    let sandbox = try Sandbox.open(request.invocation, heedsOverride: false)
    let (lo, addresses) = try read(in: sandbox, context)
    guard lo.isUp else {
      throw CNIError(
        .internalFailure, "loopback interface is down",
        details: "\"lo\" of the sandbox \"\(sandbox.path)\" should be up")
    }
    let missing = expected(request, sandbox.path).filter { !addresses.contains($0) }
    guard missing.isEmpty else {
      func list(_ prefixes: [IPPrefix]) -> String {
        prefixes.isEmpty ? "none" : prefixes.map { $0.description }.joined(separator: ", ")
      }
      throw CNIError(
        .internalFailure,
        "\"lo\" of the sandbox \"\(sandbox.path)\" lacks the address \(list(missing))",
        details: "it has: \(list(addresses))")
    }
  }

  /// There is nothing that could be left over: `lo` ends with its sandbox.
  static func gc(_ request: Request, _ configuration: Configuration, _ context: Context)
    throws(CNIError)
  {}

  /// There is nothing that could be missing.
  static func status(_ request: Request, _ configuration: Configuration, _ context: Context)
    throws(CNIError)
  {}

  // MARK: - The link

  private static func setUp(in sandbox: borrowing NetworkNamespace, _ context: Context)
    throws(CNIError) -> (Link, [IPPrefix])
  {
    do {
      let inside = try RouteSocket(in: sandbox)
      try inside.request(until: context.deadline) { $0.setLink(link, isUp: true) }
      return try read(inside, context)
    } catch {
      throw CNIError(
        .internalFailure, "cannot set \"lo\" of the sandbox \"\(sandbox.path)\" up",
        details: error.description)
    }
  }

  private static func read(in sandbox: borrowing NetworkNamespace, _ context: Context)
    throws(CNIError) -> (Link, [IPPrefix])
  {
    do { return try read(RouteSocket(in: sandbox), context) } catch {
      throw CNIError(
        .internalFailure, "cannot read \"lo\" of the sandbox \"\(sandbox.path)\"",
        details: error.description)
    }
  }

  /// The link, and those of its addresses that mean this host only, as the kernel gives them.
  private static func read(_ inside: RouteSocket, _ context: Context)
    throws(RouteError) -> (Link, [IPPrefix])
  {
    let lo = try inside.link(link, until: context.deadline)
    let addresses = try inside.addresses(of: lo.index, until: context.deadline)
    return (lo, addresses.filter { $0.scope == .host }.map { $0.prefix })
  }

  /// The addresses that `prevResult` says `lo` has; none where it tells of another interface, as in
  /// a chain.
  private static func expected(_ request: Request, _ path: String) -> [IPPrefix] {
    guard let previous = request.network.previousResult else { return [] }
    return previous.addresses.filter { address in
      guard let index = address.interface, previous.interfaces.indices.contains(index) else {
        return false
      }
      let interface = previous.interfaces[index]
      return interface.name == "lo" && interface.sandbox == path
    }.map { $0.address }
  }
}
