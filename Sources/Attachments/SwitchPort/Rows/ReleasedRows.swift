internal import CNI
internal import Linux
internal import OVSDB
internal import OpenVSwitch
package import PluginConfigurations
package import PluginCore

/// The removal of an attachment's rows: they are asked for while something else is done, and go at
/// the end.
package final class ReleasedRows {
  private let connection: Connection
  private let pending: Connection.PendingTransaction
  private let ports: Transaction.Selected<PortTable>
  private let rates: Rates.Rows
  private var rows: [Row<PortTable>] = []
  private var limited: Set<AttachmentKey> = []
  private var isAnswered = false
  private var records: [AttachmentRecord]?
  private let attempt: String

  /// How long ovs-vswitchd may take to let go of a gateway's link. It need not run for DEL to
  /// succeed, but an ADD that follows at once uses the same name for another link.
  private static let patience = Duration.seconds(1)

  /// Sends the question. Nil where ovsdb-server cannot be reached.
  package init?(_ detachment: Detachment, _ context: Context, _ failures: inout Failures) {
    attempt = "cannot remove port \"\(detachment.hostLink.name)\""
    do throws(OVSDBError) {
      connection = try Connection(detachment.endpoint, until: context.deadline)
    } catch {
      failures.add(AttachmentError(error, attempt))
      return nil
    }
    let pairs = detachment.key.externalIDs
    var (question, ports) = Detaching.find(pairs)
    rates = Rates.Rows(where: pairs, in: &question)
    self.ports = ports
    pending = connection.send(question)
    connection.flush()
  }

  /// What the rows tell; nil where they cannot be read.
  package func records(_ context: Context, _ failures: inout Failures) -> [AttachmentRecord]? {
    if !isAnswered {
      isAnswered = true
      do throws(OVSDBError) {
        let results = try connection.results(of: pending, until: context.deadline)
        rows = results[ports]
        limited = rates.attachments(results)
        records = rows.compactMap { AttachmentRecord($0[.externalIDs]) }
      } catch { failures.add(AttachmentError(error, attempt)) }
    }
    return records
  }

  /// Whether there are rows, and none remembers anything for an IPAM plugin.
  package func haveNoLease(_ context: Context, _ failures: inout Failures) -> Bool {
    guard let records = records(context, &failures), !records.isEmpty else { return false }
    return records.allSatisfy { $0.ipam == nil }
  }

  /// Whether the rows have `key` in `external_ids`, of a feature.
  package func have(_ key: ExternalIDKey) -> Bool { value(of: key) != nil }

  /// What the rows have in `external_ids` at `key`, of a feature; nil where none has.
  package func value(of key: ExternalIDKey) -> String? {
    rows.lazy.compactMap { $0[.externalIDs][key.rawValue] }.first
  }

  /// Removes the rows.
  package func remove(_ detachment: Detachment, _ context: Context, _ failures: inout Failures) {
    guard !rows.isEmpty || !limited.isEmpty else { return }
    let removed: RemovedPorts
    do throws(OVSDBError) {
      removed = try connection.remove(
        rows, ratesOf: limited, "detach \(detachment.key)", until: context.deadline)
    } catch {
      failures.add(AttachmentError(error, attempt))
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
