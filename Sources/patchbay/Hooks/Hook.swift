import ArgumentParser

/// `patchbay hook`
struct Hook: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hook",
    abstract: "Attach and detach containers of runtimes that know hooks, but not CNI.",
    discussion: """
      A hook is a program that the runtime starts at certain moments of a container's life. These \
      run the networks' plugins then, as a runtime that knows CNI does by itself.

      Each network is a word: its name, and after a colon what is requested for the container, \
      with commas between. Unless an interface is requested it is eth0 for the first network, \
      eth1 for the next.

        ovs-1
        ovs-1:ip=192.168.0.9
        ovs-1:ip=192.168.0.9,mac=02:00:00:00:00:09,interface_name=lan

      Examples, which a runtime starts and not a person:
        patchbay hook lxc ovs-1 vlan-10:interface_name=lan
        patchbay hook oci ovs-1
      """,
    subcommands: [HookLXC.self, HookOCI.self])
}
