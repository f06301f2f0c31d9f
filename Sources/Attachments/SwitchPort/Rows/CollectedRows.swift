package import CNI
package import JSON
internal import Linux
internal import OVSDB
internal import OpenVSwitch
package import PluginConfigurations
package import PluginCore

/// The rows of a network, of which GC removes those of attachments that are not valid.
package final class CollectedRows {
  private let connection: Connection
  private let network: String
  private let owner: [String: String]
  private let began: Int64
  private var ports: [Row<PortTable>] = []
  private var limited: Set<AttachmentKey> = []
  /// What goes.
  private var rows: [Row<PortTable>] = []
  private var rates: Set<AttachmentKey> = []
  /// The attachments whose ports stay.
  package private(set) var kept: Set<Attachment> = []

  /// Nil where they cannot be read.
  package init?(_ detachment: Detachment, _ context: Context, _ failures: inout Failures) {
    network = detachment.key.network
    began = context.began
    owner = AttachmentRecord.mark(of: network)
    do throws(OVSDBError) {
      connection = try Connection(detachment.endpoint, until: context.deadline)
      (ports, limited) = try read(context)
    } catch {
      failures.add(AttachmentError(error, "cannot free ports"))
      return nil
    }
  }

  private func read(_ context: Context) throws(OVSDBError) -> (
    [Row<PortTable>], Set<AttachmentKey>
  ) {
    var (question, ports) = Detaching.find(owner)
    let rates = Rates.Rows(where: owner, in: &question)
    let results = try connection.transact(question, until: context.deadline)
    return (results[ports], rates.attachments(results))
  }

  /// All attachments that have rows.
  package var attachments: Set<Attachment> {
    Set(records(ports).map { $0.attachment }).union(limited.map { $0.attachment })
  }

  /// What rows have in `external_ids` at `key`, of a feature.
  package func values(of key: ExternalIDKey) -> Set<String> {
    Set(ports.compactMap { $0[.externalIDs][key.rawValue] })
  }

  private func records(_ rows: [Row<PortTable>]) -> [AttachmentRecord] {
    rows.compactMap { AttachmentRecord($0[.externalIDs]) }
  }

  /// Chooses what goes, of the attachments that are `taken`. Before they were, another command may
  /// have replaced them.
  package func select(_ taken: Set<Attachment>, _ context: Context, _ failures: inout Failures) {
    do throws(OVSDBError) {
      (ports, limited) = try read(context)
      rows = ports.filter { row in
        AttachmentRecord(row[.externalIDs]).map { taken.contains($0.attachment) && isStale($0) }
          ?? false
      }
    } catch { failures.add(AttachmentError(error, "cannot free ports")) }
    let going = Set(rows.map { $0[.uuid] })
    kept = Set(records(ports.filter { !going.contains($0[.uuid]) }).map { $0.attachment })
    rates = limited.filter {
      taken.contains($0.attachment) && !kept.contains($0.attachment)
    }
  }

  /// Whether an attachment was made by a CNI plugin, and did not begin after this GC. A time yet to
  /// come says that the clock was set back.
  private func isStale(_ record: AttachmentRecord) -> Bool {
    let isLater = record.began.map { $0 >= began && $0 <= Clock.nanosecondsSinceEpoch } ?? false
    return record.runtime == nil && !isLater
  }

  /// The attachments of the network that are not freed, as they are now.
  package func left(_ context: Context, _ failures: inout Failures) -> Set<Attachment> {
    let going = Set(rows.map { $0[.uuid] })
    do throws(OVSDBError) {
      let (ports, _) = try read(context)
      return Set(records(ports.filter { !going.contains($0[.uuid]) }).map { $0.attachment })
    } catch {
      failures.add(AttachmentError(error, "cannot free ports"))
      return []
    }
  }

  /// What the configuration says of IPAM, as nil, and what rows remember besides.
  package func remembered(_ json: JSONCursor) -> [RememberedIPAM?] {
    var all: [RememberedIPAM?] = [nil]
    for record in records(ports) {
      guard let ipam = record.ipam, !all.contains(ipam) else { continue }
      if ipam.merged(into: json)[PluginMember.ipam].value != json[PluginMember.ipam].value {
        all.append(ipam)
      }
    }
    return all
  }

  /// Removes what goes.
  package func remove(_ context: Context, _ failures: inout Failures) {
    guard !rows.isEmpty || !rates.isEmpty else { return }
    do throws(OVSDBError) {
      let removed = try connection.remove(
        rows, ratesOf: rates, "free ports of network \(network)", until: context.deadline)
      for failure in removed.failures { failures.add(failure) }
      for row in rows { context.log.write(.info, "freed port \"\(row[.name])\"") }
    } catch { failures.add(AttachmentError(error, "cannot free ports")) }
  }
}
