import ArgumentParser

/// `patchbay cluster`
struct ClusterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cluster",
    abstract: "Make, join and look at the database of addresses for all hosts.",
    discussion: """
      The IPAM plugin cluster keeps its leases in the database CNI_IPAM of an ovsdb-server, alone \
      or as members that keep it together (Raft). These commands make its file, and move leases \
      into it; ovsdb-server serves it, by the units of conf/cluster or by hand.

      Examples:
        patchbay cluster init --local tcp:192.0.2.1:6651
        patchbay cluster join --local tcp:192.0.2.2:6651 tcp:192.0.2.1:6651
        patchbay cluster status --database tcp:192.0.2.1:6650,tcp:192.0.2.2:6650
        patchbay cluster import lab
      """,
    subcommands: [
      ClusterInit.self, ClusterJoin.self, ClusterStatus.self, ClusterImport.self,
    ])
}
