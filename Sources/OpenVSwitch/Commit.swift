public import Linux
public import OVSDB

/// A transaction on its way, after which ovs-vswitchd is waited for.
///
/// How ovs-vswitchd takes a change over (seen with Open vSwitch 3.1.0, userspace datapath): it
/// reads the new configuration, makes the ports, and then writes `ofport` and `error` of the new
/// interfaces and `Open_vSwitch.cur_cfg` in one transaction of its own, so that they come in one
/// update. By then the datapath receives from the link. What it says of the link (`ifindex`,
/// `mac_in_use`, `mtu`, `admin_state`, `link_state`) is in the same update, or, where it has had an
/// interface of the name before, in a later one. An interface it cannot use has `ofport` -1 and an
/// `error`, as `could not open network device veth1 (No such device)`, and no `ifindex`.
public struct PendingCommit {
  let connection: Connection
  let pending: Connection.PendingTransaction
  let configuration: Transaction.Selected<OpenVSwitchTable>
  let interface: String?
  let monitor: Monitor
}

/// A transaction that took effect and that ovs-vswitchd took over.
public struct CommitOutcome: Hashable, Sendable {
  /// What the operations answered.
  public let results: TransactionResults
  /// The row of the interface that was watched: `.uuid`, `.name`, `.ofport`, `.error`. Nil where
  /// none was, or where the transaction left no such row behind.
  public let interface: Row<InterfaceTable>?
}

extension Connection {
  /// Sends `transaction`, and with it, in one write, what makes ovs-vswitchd tell when it has
  /// taken the change over: an increment of `Open_vSwitch.next_cfg`, which ovs-vswitchd copies to
  /// `cur_cfg` when it has done everything up to there, and a monitor of that.
  ///
  /// `interface`: the name of the interface that is also waited for.
  public func begin(_ transaction: Transaction, watching interface: String? = nil)
    -> PendingCommit
  {
    var transaction = transaction
    transaction.mutate(.openVSwitch, where: [], [.add(1, to: .nextConfiguration)])
    let configuration = transaction.select(from: .openVSwitch, .columns(.nextConfiguration))
    var monitored = [
      MonitoredRows<OpenVSwitchDatabase>.rows(of: .openVSwitch, .columns(.currentConfiguration))
    ]
    if let interface {
      monitored.append(
        .rows(
          of: .interface, where: [.equal(.name, interface)],
          .columns(.name, .ofport, .error)))
    }
    // ovsdb-server takes messages of its connections by turns: behind the monitor, the transaction
    // could come after what is asked later over another connection, as by a rollback or by DEL.
    let pending = send(transaction)
    let monitor = monitor(monitored)
    flush()
    return PendingCommit(
      connection: self, pending: pending, configuration: configuration, interface: interface,
      monitor: monitor)
  }

  /// Runs `transaction` and waits until ovs-vswitchd has taken the change over; see
  /// `PendingCommit.outcome`.
  public func commit(
    _ transaction: Transaction, watching interface: String? = nil, until deadline: Deadline
  ) throws(OVSDBError) -> CommitOutcome {
    try begin(transaction, watching: interface).outcome(until: deadline)
  }
}

extension PendingCommit {
  /// Waits until the transaction took effect. It is to be asked once.
  ///
  /// A transaction that was refused is `transactionRefused`, and a database that has no row in
  /// `Open_vSwitch` is `uninitialized`.
  public consuming func confirm(until deadline: Deadline) throws(OVSDBError) -> ConfirmedCommit {
    do throws(OVSDBError) {
      let results = try connection.results(of: pending, until: deadline)
      guard let row = results[configuration].first else {
        throw .uninitialized(connection.endpoint)
      }
      return ConfirmedCommit(
        results: results, wanted: row[.nextConfiguration], interface: interface, monitor: monitor)
    } catch {
      monitor.cancel()
      throw error
    }
  }

  /// `confirm`, then `ConfirmedCommit.outcome`.
  public consuming func outcome(until deadline: Deadline) throws(OVSDBError) -> CommitOutcome {
    try confirm(until: deadline).outcome(until: deadline)
  }
}

/// A transaction that took effect, and that ovs-vswitchd may still be taking over.
public struct ConfirmedCommit {
  /// What the operations answered.
  public let results: TransactionResults
  let wanted: Int64
  let interface: String?
  let monitor: Monitor

  /// How long an interface may still be unsettled when ovs-vswitchd says that it is done: what it
  /// tells comes in one update, or, where it cannot make the bridge, never.
  static let grace = Duration.milliseconds(200)

  /// Waits until ovsdb-server has told ovs-vswitchd of the transaction.
  ///
  /// It takes one message of a connection at a time, and tells its monitors what changed before it
  /// takes the next, which is the request for the monitor here.
  public func waitUntilTold(until deadline: Deadline) throws(OVSDBError) {
    try monitor.begin(until: deadline)
  }

  /// Waits until ovs-vswitchd has taken the change over. It is to be asked once.
  ///
  /// With an interface, that has an `ofport` or an `error` then, which is no error here; or
  /// neither, where ovs-vswitchd cannot make its bridge. Past the deadline it is `deadlinePassed`,
  /// whose effect is `certain`.
  ///
  /// - Parameter isLate: Whether the interface may get its link only now. Then an `error` does not
  ///   settle it: ovs-vswitchd looks again when it hears of the link.
  public consuming func outcome(until deadline: Deadline, isLate: Bool = false) throws(OVSDBError)
    -> CommitOutcome
  {
    defer { monitor.cancel() }
    let wanted = wanted
    try monitor.waitForConsequence(until: deadline, for: Self.purpose(wanted, monitor)) {
      Self.current($0) >= wanted
    }
    if interface != nil {
      do throws(OVSDBError) {
        try monitor.waitForConsequence(
          until: min(deadline, .after(Self.grace)), for: "an ofport"
        ) {
          // The monitor began after the transaction: a row that is not there is not waited for.
          guard let row = $0.rows(of: .interface).first else { return true }
          if isLate { return row[.ofport] ?? 0 > 0 }
          return row[.error] != nil || row[.ofport] != nil
        }
      } catch { guard case .deadlinePassed = error else { throw error } }
    }
    return CommitOutcome(results: results, interface: monitor.rows(of: .interface).first)
  }

  private static func current(_ monitor: Monitor) -> Int64 {
    monitor.rows(of: .openVSwitch).first?[.currentConfiguration] ?? 0
  }
  private static func purpose(_ wanted: Int64, _ monitor: Monitor) -> String {
    "configuration \(wanted) to be taken over (it has \(current(monitor)); "
      + "is ovs-vswitchd running?)"
  }
}

extension OVSDBError {
  /// The database has no row in `Open_vSwitch`, without which there are no bridges.
  public static func uninitialized(_ endpoint: Endpoint) -> OVSDBError {
    .missingRow(
      endpoint, table: "Open_vSwitch", advice: "\"ovs-vsctl --no-wait init\" makes it")
  }
}
