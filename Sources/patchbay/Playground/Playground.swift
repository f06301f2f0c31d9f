import ArgumentParser
import Linux

/// `patchbay playground`
struct Playground: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "playground",
    abstract: "Try things out where nothing can go wrong, with an Open vSwitch of its own.",
    discussion: """
      Starts a shell, or the command given, in a mount, network and process namespace of its own: \
      with its own ovsdb-server and ovs-vswitchd, an empty /run and /var/lib/cni, and an example \
      network. Nothing outside is touched, and everything is gone when the shell or command ends, \
      or this program is killed.

      With --ovn the playground is also the central of an OVN, and has two hosts, h1 and h2, with \
      an Open vSwitch each: "h1 COMMAND" runs a command there. The networks net1 and net2 are on \
      both, with addresses from one database.

      It takes no root where ordinary users may make user namespaces. The exit status is the \
      command's.

      Examples:
        patchbay playground
        patchbay playground sh -c 'patchbay netns add ns1 && patchbay add ovs-1 ns1'
        patchbay playground --ovn
      """)

  @Flag(name: .customLong("ovn"), help: "With two hosts that OVN joins, and networks on both.")
  var hasOVN = false

  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("The command and its arguments; a shell without one.", valueName: "command"))
  var command: [String] = []

  func run() throws {
    // What follows the command is its own; what stands in its place is ours.
    if command.first == "--help" || command.first == "-h" { throw CleanExit.helpRequest(self) }
    let command = command.first == "--" ? Array(command.dropFirst()) : command
    let openvswitch = try PlaygroundSwitch()
    let ovn = hasOVN ? try PlaygroundOVN(openvswitch) : nil
    let host = try PlaygroundHost()
    let keepsTerminal = Terminal.isOurs
    Terminal.ignoreSignals()
    let ending = try Process.ending()
    if let pid = try Process.fork() {
      let status = try Process.waitForEnd(of: pid)
      // An interactive shell that has ended still holds it.
      if keepsTerminal { try? Terminal.take() }
      throw status.exitCode
    }

    // From here on this is process 1 of the playground: all others end with it.
    try Process.endWithParent(ending)
    try host.furnish()
    try openvswitch.start()
    try PlaygroundNetwork.write(withOVN: ovn != nil)
    try ovn?.start(host)
    let environment = PlaygroundEnvironment(executable: host.executable, hasOVN: ovn != nil)
    guard let shell = try Process.fork() else {
      if command.isEmpty { environment.welcome(openvswitch, ovn) }
      try Executables.become(
        command.isEmpty ? [environment.shell] : command, environment: environment.variables)
    }
    while true {
      let (pid, status) = try Process.waitForAny()
      if pid == shell { throw status.exitCode }
    }
  }
}

extension ChildProcess.Status {
  /// The exit status that a shell gives this: 128 and the number for a signal.
  var exitCode: ExitCode {
    switch self {
    case .exited(let status): ExitCode(status)
    case .signaled(let number): ExitCode(128 + number)
    }
  }
}
