import ArgumentParser
import CNI
import CNIRuntime
import JSON
import Linux

/// `patchbay network new`
struct NetworkNew: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Write a network configuration list of ovs-bridge.",
    usage: "patchbay network new <name> [--subnet <prefix> ...] [<options>]",
    discussion: """
      The file is NAME.conflist in the configuration directory. A network of that name that is \
      there already is refused.

      Examples:
        patchbay network new lab
        patchbay network new lab --subnet 10.1.0.0/24 --gateway --masquerade
        patchbay network new lab --bridge br0 --vlan 10 --dry-run
      """)

  @Argument(help: "The network's name.")
  var name: String

  @Option(
    help: ArgumentHelp(
      "The bridge, which is made when it is missing; the network's name without it.",
      valueName: "bridge"), completion: .bridges)
  var bridge: String?

  @Option(help: ArgumentHelp("The VLAN of the ports.", valueName: "tag"))
  var vlan: Int?

  @Option(
    help: ArgumentHelp(
      "Addresses for the containers; one for each family. Layer 2 only without it.",
      valueName: "prefix"))
  var subnet: [String] = []

  @Option(help: ArgumentHelp("Bytes.", valueName: "mtu"))
  var mtu: Int?

  @Flag(help: "The host is the containers' default gateway.")
  var gateway = false

  @Flag(help: "What leaves the network has the host's address; with --gateway.")
  var masquerade = false

  @Flag(help: "The containers do not reach each other.")
  var isolated = false

  @Flag(
    name: .customLong("guard"),
    help: "The containers send from their own addresses only; with --subnet.")
  var isGuarded = false

  @Flag(help: "Containers may publish ports, by the plugin portmap.")
  var publish = false

  @Flag(name: [.customShort("n"), .customLong("dry-run")], help: "Print it, and write nothing.")
  var isDryRun = false

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func validate() throws {
    if masquerade, !gateway { throw ValidationError("--masquerade needs --gateway") }
    if gateway, subnet.isEmpty { throw ValidationError("--gateway needs --subnet") }
    if isGuarded, subnet.isEmpty { throw ValidationError("--guard needs --subnet") }
  }

  func run() throws {
    let file = "\(name).conflist"
    let json = list
    try NetworkFile.validate(json, as: file)
    let text = json.encoded(indentedBy: 2) + [UInt8(ascii: "\n")]
    guard !isDryRun else { return show(String(decoding: text.dropLast(), as: UTF8.self)) }
    let path = options.directory.path
    let others: [(file: String, list: Result<NetworkList, RuntimeError>)]
    do throws(RuntimeError) { others = try options.directory.contents() } catch {
      throw Failure(error)
    }
    for case (let other, .success(let list)) in others where list.name == name {
      throw Failure(
        "there is a network \"\(name)\" already, in \(other)",
        hint: "patchbay network edit \(name) changes it")
    }
    do {
      let directory = try Directory.create(path: path, mode: 0o755)
      let temporary = ".\(file).\(Process.identifier)"
      try directory.replace(temporary, with: text, mode: 0o644)
      defer { _ = try? directory.remove(temporary) }
      // Another file of that name stays as it is.
      try directory.link(temporary, as: file)
    } catch { throw Failure("cannot write \(path)/\(file): \(error)") }
    show("\(path)/\(file)")
  }

  private var list: JSONValue {
    let ranges = subnet.map { JSONValue.array([["subnet": .string($0)]]) }
    let plugin = JSONValue.object([
      ("type", "ovs-bridge"), ("bridge", .string(bridge ?? name)),
      ("vlan", vlan.map { .integer(Int64($0)) }), ("mtu", mtu.map { .integer(Int64($0)) }),
      ("isDefaultGateway", gateway ? true : nil), ("ipMasq", masquerade ? true : nil),
      ("portIsolation", isolated ? true : nil), ("guard", isGuarded ? true : nil),
      ("capabilities", ["mac": true, "ips": true]),
      ("ipam", ranges.isEmpty ? nil : ["type": "host-local", "ranges": .array(ranges)]),
    ])
    let versions = [SpecificationVersion.v1_0_0, .current].map { JSONValue.string($0.rawValue) }
    let portmap: JSONValue = ["type": "portmap", "capabilities": ["portMappings": true]]
    return .object([
      ("cniVersion", versions.first),
      // The portmap of many distributions speaks no later one.
      ("cniVersions", publish ? nil : .array(versions)), ("name", .string(name)),
      ("disableGC", true), ("plugins", .array([plugin] + (publish ? [portmap] : []))),
    ])
  }
}
