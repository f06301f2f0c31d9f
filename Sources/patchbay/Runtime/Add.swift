import ArgumentParser
import CNI
import CNIRuntime
import JSON

struct Add: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Attach a network namespace to a network.",
    discussion: """
      Runs ADD of the network's plugins in order and prints the result. When one fails, what \
      the others made is taken back.

      Examples:
        patchbay add ovs-1 ns1
        patchbay add ovs-1 ns2 --ip 192.168.0.9 --mac 02:00:00:00:00:09
        patchbay add vlan-10:ip=10.10.0.9,interface_name=eth1 ns1
        patchbay add ovs-1 4711 --container-id web
      """)

  @Argument(
    help: ArgumentHelp(
      "Name of the network; after a colon may follow ip=, mac= and interface_name=.",
      valueName: "network"), completion: .networks)
  var network: String

  @Argument(
    help: ArgumentHelp(
      "Network namespace: its name, as ip-netns(8) has it, a path, or a process ID.",
      valueName: "netns"), completion: .namespaces)
  var sandbox: String

  @Option(
    name: .customLong("ip"),
    help: ArgumentHelp(
      "Requested address. Can be given several times, where the network has the capability ips.",
      valueName: "address"))
  var addresses: [String] = []

  @Option(help: ArgumentHelp("Requested MAC address.", valueName: "address"))
  var mac: String?

  @OptionGroup var attachment: AttachmentOptions
  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func run() throws {
    var request = try NetworkRequest(network)
    try request.add(addresses: addresses, mac: mac)
    let list = try options.network(request.name)
    var parameters = try attachment.parameters(SandboxPath(sandbox), request.interfaceName)
    try request.apply(to: &parameters, list)
    try SandboxPath(parameters.sandboxPath).requireNamespace()
    let declared = list.plugins.flatMap(\.capabilities)
    let unused = parameters.capabilities.members.map(\.name).filter { !declared.contains($0) }
    if !unused.isEmpty {
      say(
        "no plugin gets \(unused.joined(separator: ", ")): none of network \"\(list.name)\" has "
          + "switched on a capability of that name in \"capabilities\"", .warning)
    }
    let runtime = options.runtime
    do {
      let result = try runtime.add(list, parameters)
      do { try request.verify(result, parameters.attachment.interfaceName) } catch {
        try runtime.del(list, parameters)
        throw error
      }
      show(String(decoding: result.encoded(indentedBy: 4), as: UTF8.self))
    } catch let error as RuntimeError { throw Failure(error) }
  }
}
