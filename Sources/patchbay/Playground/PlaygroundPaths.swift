/// Where programs of Open vSwitch look for sockets and files in a playground.
enum PlaygroundPaths {
  static let openvswitch = "/run/openvswitch"

  /// What leads every program of Open vSwitch there, however it was built.
  static let variables = ["OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR"].map { "\($0)=\(openvswitch)" }

  /// `environment` without what leads programs of Open vSwitch to one outside.
  static func withoutSwitch(_ environment: [String]) -> [String] {
    environment.filter { line in
      ![
        "OVS_RUNDIR=", "OVS_LOGDIR=", "OVS_DBDIR=", "OVS_SYSCONFDIR=", "OVN_RUNDIR=", "OVN_LOGDIR=",
        "OVN_DBDIR=", "OVN_NB_DB=", "OVN_SB_DB=",
      ].contains { line.hasPrefix($0) }
    }
  }
}
