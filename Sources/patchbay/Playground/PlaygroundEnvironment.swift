import Linux

/// What the processes of a playground find in their environment.
struct PlaygroundEnvironment {
  let variables: [String]
  let shell: String
  private let pluginPath: String
  /// The directory of network configurations; nil for the playground's own.
  private let configurationPath: String?

  /// - Parameter executable: This program's file.
  init(executable: String, hasOVN: Bool) {
    let directory = executable.lastIndex(of: "/").map { String(executable[..<$0]) } ?? "."
    shell = Process.environment("SHELL") ?? "/bin/sh"
    // What is set already was meant, so that other plugins and networks can be tried.
    pluginPath = Process.environment("CNI_PATH") ?? Self.pluginDirectories(beside: directory)
    let path = Process.environment("NETCONFPATH") ?? PlaygroundNetwork.directory
    configurationPath = path == PlaygroundNetwork.directory ? nil : path
    // The prompt of Debian's and Ubuntu's bash shows debian_chroot.
    let own: [(name: String, value: String)] = [
      (
        "PATH",
        Executables.path(
          Process.environment("PATH") ?? "",
          with: [directory] + (hasOVN ? [PlaygroundOVN.commands] : []))
      ),
      ("CNI_PATH", pluginPath), ("NETCONFPATH", path),
      ("debian_chroot", "playground"),
    ]
    let others = PlaygroundPaths.withoutSwitch(Process.environment).filter { line in
      !own.contains { line.hasPrefix("\($0.name)=") }
    }
    variables = others + own.map { "\($0.name)=\($0.value)" } + PlaygroundPaths.variables
  }

  /// Where the plugins are: built beside this program, installed, of the distribution.
  private static func pluginDirectories(beside directory: String) -> String {
    let isBeside = (try? FileStatus(path: "\(directory)/ovs-bridge"))?.kind == .regular
    let usual = ["/opt/cni/bin", "/usr/lib/cni"].filter {
      (try? FileStatus(path: $0))?.kind == .directory
    }
    return ((isBeside ? [directory] : []) + usual).joined(separator: ":")
  }

  /// Says what is here and what can be done with it.
  func welcome(_ openvswitch: PlaygroundSwitch, _ ovn: PlaygroundOVN?) {
    let name = configurationPath == nil ? "ovs-1" : "NETWORK"
    let network =
      configurationPath.map { "those in \($0): patchbay list" }
      ?? "ovs-1, in \(PlaygroundNetwork.directory)/\(PlaygroundNetwork.file)"
    let text = """
      This is a playground: nothing outside sees what you do here, and exit ends all of it.
        switch    Open vSwitch \(openvswitch.version), in \(PlaygroundPaths.openvswitch)
        network   \(network)
        plugins   \(pluginPath)

      """
    let example = """
      Try:
        patchbay netns add ns1 ns2
        patchbay add \(name) ns1
        patchbay add \(name) ns2
        patchbay show
        patchbay netns exec ns1 ping -c 3 192.168.0.2

      """
    try? StandardStream.error.write(
      Array((text + (ovn.map { Self.welcome($0) } ?? example)).utf8))
  }

  private static func welcome(_ ovn: PlaygroundOVN) -> String {
    let networks = PlaygroundNetwork.logical.map { "\($0.name) (\($0.subnet))" }
      .joined(separator: ", ")
    let (first, second) = (PlaygroundOVN.hosts[0], PlaygroundOVN.hosts[1])
    return """
        central   OVN \(ovn.version): ovn-nbctl show, ovn-sbctl show
        hosts     \(first) and \(second): "\(first) COMMAND" runs a command there, \
      \(first) alone a shell
        on both   \(networks)
      Try:
        \(first) patchbay netns add web
        \(second) patchbay netns add web
        \(first) patchbay add net1 web
        \(second) patchbay add net1 web
        \(first) patchbay show
        patchbay leases net1
        \(first) patchbay netns exec web ping -c 3 ADDRESS

      """
  }
}
