import ArgumentParser

/// `patchbay cluster init`
struct ClusterInit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Make the database of addresses on this host.",
    discussion: """
      With --local it is the first member of a cluster, which others join; without, a database \
      alone. Where it is there already nothing is done. What serves it is said in the end.

      Examples:
        patchbay cluster init
        patchbay cluster init --local tcp:192.0.2.1:6651
      """)

  @Option(
    help: ArgumentHelp(
      "Where this member listens for the others: tcp:IP:PORT or ssl:IP:PORT.",
      valueName: "address"),
    transform: MemberAddress.init)
  var local: MemberAddress?

  @OptionGroup var file: ClusterFile

  func run() throws {
    let isMade = try file.make(local) { new, schema in
      local.map { ["create-cluster", new, schema, $0.text] } ?? ["create", new, schema]
    }
    ClusterInit.report(isMade, file.path)
  }

  /// Says what was done, and what comes next.
  static func report(_ isMade: Bool, _ path: String) {
    show(isMade ? "made \(path)" : "\(path) is there already; nothing was done")
    show(
      """
      conf/cluster/patchbay-ipam.service serves it; by hand:
        mkdir -p -m 700 /run/patchbay
        ovsdb-server --remote=ptcp:6650 --remote=punix:/run/patchbay/ipam.sock \(path)
      """)
  }
}
