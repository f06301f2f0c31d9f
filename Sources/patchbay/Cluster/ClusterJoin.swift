import ArgumentParser
import LeaseDatabase

/// `patchbay cluster join`
struct ClusterJoin: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "join",
    abstract: "Make this host a member of a cluster that is there.",
    discussion: """
      The member asks the others when ovsdb-server first serves the file. Three members survive \
      the loss of one, five that of two. Where the file is there already nothing is done.

      Example:
        patchbay cluster join --local tcp:192.0.2.2:6651 tcp:192.0.2.1:6651
      """)

  @Option(
    help: ArgumentHelp(
      "Where this member listens for the others: tcp:IP:PORT or ssl:IP:PORT.",
      valueName: "address"),
    transform: MemberAddress.init)
  var local: MemberAddress

  @Argument(
    help: ArgumentHelp(
      "Where members listen for others, as their --local has it: tcp:IP:PORT or ssl:IP:PORT.",
      valueName: "member"),
    transform: MemberAddress.init)
  var members: [MemberAddress]

  @OptionGroup var file: ClusterFile

  func validate() throws {
    if members.contains(local) {
      throw ValidationError("\(local.text) is this member itself; name one that is there already")
    }
  }

  func run() throws {
    let isMade = try file.make(local) { new, _ in
      ["join-cluster", new, LeaseSchema.name, local.text] + members.map(\.text)
    }
    ClusterInit.report(isMade, file.path)
  }
}
