import ArgumentParser
import CNIRuntime
import JSON

struct Add: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Attach a network namespace to a network.",
    discussion: """
      Runs ADD of the network's plugins in order and prints the result. When one fails, what \
      the others made is taken back.

      Examples:
        patchbay add ovs-1 ns1
        patchbay add vlan-10 ns1 --ifname eth1 --capability 'ips=["10.10.0.9/24"]'
        patchbay add ovs-1 /proc/4711/ns/net --container-id web
        patchbay add ovs-1 ns2 --args IP=192.168.0.9
      """)

  @Argument(
    help: ArgumentHelp("Name of the network.", valueName: "network"), completion: .networks)
  var network: String

  @Argument(
    help: ArgumentHelp(
      "Network namespace: its name, as ip-netns(8) has it, or a path.",
      valueName: "netns"), completion: .namespaces)
  var sandbox: String

  @OptionGroup var attachment: AttachmentOptions
  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func run() throws {
    let parameters = try attachment.parameters(SandboxPath(sandbox))
    let list = try options.network(network)
    try SandboxPath(parameters.sandboxPath).requireNamespace()
    let declared = list.plugins.flatMap(\.capabilities)
    let unused = parameters.capabilities.members.map(\.name).filter { !declared.contains($0) }
    if !unused.isEmpty {
      say(
        "nobody gets \(unused.joined(separator: ", ")): no plugin of network \"\(network)\" has "
          + "switched on a capability of that name in \"capabilities\"", .warning)
    }
    do throws(RuntimeError) {
      let result = try options.runtime.add(list, parameters)
      show(String(decoding: result.encoded(indentedBy: 4), as: UTF8.self))
    } catch { throw Failure(error) }
  }
}
