public import Linux
public import OVSDB

/// Why ovs-vswitchd does not serve the database.
public struct SwitchFault: Hashable, Sendable {
  /// In one clause: `ovs-vswitchd is not running`
  public let summary: String
  /// How it shows, and what to do.
  public let details: String
}

extension Connection {
  /// Whether an ovs-vswitchd is connected to the server: it holds the lock `ovs_vswitchd` for as
  /// long as it lives, stopped or not.
  public func isSwitchConnected(until deadline: Deadline) throws(OVSDBError) -> Bool {
    try isLockHeld("ovs_vswitchd", until: deadline)
  }

  /// What keeps ovs-vswitchd from taking the configuration over; nil if it does. Throws where
  /// ovsdb-server cannot be asked.
  public func switchFault(until deadline: Deadline) throws(OVSDBError) -> SwitchFault? {
    guard try isSwitchConnected(until: deadline) else {
      return SwitchFault(
        summary: "ovs-vswitchd is not running",
        details: "its lock in ovsdb-server at \(endpoint) is free; start it (ovs-ctl start)")
    }
    do throws(OVSDBError) { _ = try commit(Transaction(), until: deadline) } catch {
      return SwitchFault(
        summary: "ovs-vswitchd does not respond", details: error.description)
    }
    return nil
  }
}
