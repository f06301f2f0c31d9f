import Linux

/// How Open vSwitch's daemons are started on this machine.
enum SwitchService {
  /// Whether systemd runs this machine (sd_booted(3)).
  private static var hasSystemd: Bool { (try? FileStatus(path: "/run/systemd/system")) != nil }

  private static func command(_ verb: String) -> String {
    hasSystemd
      ? "systemctl \(verb) openvswitch-switch" : "/usr/share/openvswitch/scripts/ovs-ctl \(verb)"
  }

  /// What to do where its database is not there.
  static var cure: String {
    let isInstalled = ["/usr/sbin/ovsdb-server", "/usr/share/openvswitch/scripts/ovs-ctl"]
      .contains { (try? FileStatus(path: $0)) != nil }
    return isInstalled ? start : "apt-get install openvswitch-switch"
  }

  /// Starts both daemons.
  static var start: String { command("start") }
  /// Ends and starts both daemons.
  static var restart: String { command("restart") }
  /// Shows what ovs-vswitchd has written to its log.
  static var log: String {
    hasSystemd ? "journalctl -u ovs-vswitchd" : "tail /var/log/openvswitch/ovs-vswitchd.log"
  }
}
