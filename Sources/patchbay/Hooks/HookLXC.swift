import ArgumentParser
import Linux

/// `patchbay hook lxc`
struct HookLXC: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lxc",
    abstract: "Attach an LXC container when it starts, detach it when it stops.",
    usage: "patchbay hook lxc [<network> ...] [<options>]",
    discussion: """
      For lxc.hook.start-host, lxc.hook.stop and lxc.hook.post-stop of a container that has \
      lxc.net.0.type = empty, with lxc.hook.version 0 or 1. The container ID is the container's \
      name, or made of it where it has other characters than letters, digits, "_", "." and "-". \
      When a network cannot be attached, those before it are detached again, the container does \
      not start, and LXC's log says why.

      Each network is a word: its name, and after a colon what is requested for it: \
      interface_name, ip (may be repeated), mac.

      Example, in the container's configuration:
        lxc.net.0.type = empty
        lxc.hook.start-host = /usr/local/bin/patchbay hook lxc ovs-1 vlan-10
        lxc.hook.stop = /usr/local/bin/patchbay hook lxc
        lxc.hook.post-stop = /usr/local/bin/patchbay hook lxc
      """)

  @Argument(
    help: ArgumentHelp("The networks. LXC may append words of its own.", valueName: "network"))
  var words: [String] = []

  @Option(
    name: .customLong("container-id"),
    help: ArgumentHelp("Container ID (default: the container's name).", valueName: "id"))
  var containerID: String?

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func run() throws {
    let call = try LXCCall(words) { Process.environment($0) }
    do { try run(call) } catch {
      HookLog(call).write("\(error)")
      throw error
    }
  }

  private func run(_ call: LXCCall) throws {
    let networks = try call.words.map { try NetworkRequest($0) }
    let container = try HookedContainer(call.container, containerID: containerID, options)
    switch call.moment {
    case .startHost:
      guard !networks.isEmpty else {
        throw Failure(
          "container \"\(call.container)\": no network is named",
          hint: "write it on the line: lxc.hook.start-host = … NETWORK")
      }
      try container.attach(networks, sandboxPath: try call.initSandboxPath)
    case .stop, .postStop:
      try container.detach(
        networks, sandboxPath: call.heldSandboxPath, madePath: try? call.initSandboxPath)
    }
  }
}
