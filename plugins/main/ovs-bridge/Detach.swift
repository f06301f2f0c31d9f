import CNI
import Linux
import Netlink
import OVSDB
import OpenVSwitch
import PluginCore

extension OVSBridge {
  /// DEL: the veth pair gone, the addresses free, the port off its bridge.
  ///
  /// It works from network, container ID and interface name alone, tries every step, and reports all
  /// that failed. What is not there is done. While the addresses are not free the rows stay: they tell
  /// what the IPAM plugin needs.
  static func del(_ request: Request, _ plan: Plan, _ context: Context) throws(CNIError) {
    try del(request, plan, Exclusion(forReleasing: request, context), context)
  }

  private static func del(
    _ request: Request, _ plan: Plan, _ exclusion: borrowing Exclusion, _ context: Context
  ) throws(CNIError) {
    var failures = Failures()
    let removal = Removal(plan, context, &failures)
    removeLink(plan, context, &failures)
    context.log.write(.debug, "deleted the veth pair")
    let records = removal?.records(context, &failures) ?? []
    var ipam: Delegate?
    var isFree = true
    do {
      ipam = try Delegate.ipam(
        for: request, .del, remembered: records.lazy.compactMap { $0.ipam }.first,
        until: context.deadline)
    } catch {
      failures.add(error)
      isFree = false
    }
    removeMasquerade(plan, isRecorded: removal?.isMasqueraded ?? false, context, &failures)
    if !finish(ipam, context, &failures) { isFree = false }
    context.log.write(.debug, "freed the addresses")
    if isFree { removal?.finish(plan, context, &failures) }
    try failures.throwIfAny("cannot detach \(plan.attachment.interfaceName)")
  }

  /// Whether the addresses are free.
  private static func finish(
    _ ipam: consuming Delegate?, _ context: Context, _ failures: inout Failures
  ) -> Bool {
    guard let ipam else { return true }
    do {
      try ipam.finish(.del, until: context.deadline)
      return true
    } catch {
      failures.add(error)
      return false
    }
  }

  /// Deletes the host end, and with it the container end, wherever that is.
  private static func removeLink(_ plan: Plan, _ context: Context, _ failures: inout Failures) {
    do throws(RouteError) {
      try Ends.release(plan, RouteSocket(), until: context.deadline)
    } catch { failures.add(CNIError(error, "cannot delete link \"\(plan.hostLink.name)\"")) }
  }
}

/// What a command that goes on past errors has met.
struct Failures {
  private(set) var all: [CNIError] = []

  mutating func add(_ error: CNIError) { all.append(error) }

  /// One error for all: the first one's code, and what all of them say.
  func throwIfAny(_ attempt: String) throws(CNIError) {
    guard let first = all.first else { return }
    if all.count == 1 { throw first }
    throw CNIError(
      first.code, "\(attempt): \(all.count) steps failed",
      details: all.map { $0.description }.joined(separator: "; "))
  }
}

/// The removal of an attachment's rows: they are asked for while something else is done, and go at the
/// end.
private final class Removal {
  private let connection: Connection
  private let pending: Connection.PendingTransaction
  private let ports: Transaction.Selected<PortTable>
  private let rates: Rates.Rows
  private var rows: [Row<PortTable>] = []
  private var limited: Set<AttachmentKey> = []
  private let attempt: String

  /// How long ovs-vswitchd may take to let go of a gateway's link. It need not run for DEL to succeed,
  /// but an ADD that follows at once uses the same name for another link.
  private static let patience = Duration.seconds(1)

  /// Sends the question. Nil where ovsdb-server cannot be reached.
  init?(_ plan: Plan, _ context: Context, _ failures: inout Failures) {
    attempt = "cannot remove port \"\(plan.hostLink.name)\""
    do throws(OVSDBError) {
      connection = try Connection(plan.endpoint, until: context.deadline)
    } catch {
      failures.add(CNIError(error, attempt))
      return nil
    }
    let pairs = plan.key.externalIDs
    var (question, ports) = Detaching.find(pairs)
    rates = Rates.Rows(where: pairs, in: &question)
    self.ports = ports
    pending = connection.send(question)
    connection.flush()
  }

  /// What the rows tell; empty where there are none, or where they cannot be read.
  func records(_ context: Context, _ failures: inout Failures) -> [AttachmentRecord] {
    do throws(OVSDBError) {
      let results = try connection.results(of: pending, until: context.deadline)
      rows = results[ports]
      limited = rates.attachments(results)
    } catch { failures.add(CNIError(error, attempt)) }
    return rows.compactMap { AttachmentRecord($0[.externalIDs]) }
  }

  /// Whether the rows say that what the attachment sends is masqueraded.
  var isMasqueraded: Bool { rows.contains { $0[.externalIDs][MasqueradeRecord.key] != nil } }

  /// Removes the rows.
  func finish(_ plan: Plan, _ context: Context, _ failures: inout Failures) {
    guard !rows.isEmpty || !limited.isEmpty else { return }
    let removed: RemovedPorts
    do throws(OVSDBError) {
      removed = try connection.remove(
        rows, ratesOf: limited, "detach \(plan.key)", until: context.deadline)
    } catch {
      failures.add(CNIError(error, attempt))
      return
    }
    context.log.write(.debug, "took the port off its bridge")
    for failure in removed.failures { failures.add(failure) }
    guard removed.hasRemovedGateway else { return }
    do throws(OVSDBError) {
      let patience = min(context.deadline, .after(Self.patience))
      for commit in removed.commits { _ = try commit.outcome(until: patience) }
    } catch {
      // The port is removed, whatever ovs-vswitchd is at.
      context.log.write(.warning, "\(error)")
    }
  }
}
