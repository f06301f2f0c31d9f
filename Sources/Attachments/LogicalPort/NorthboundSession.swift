internal import Linux
internal import OVNNorthbound
internal import OVSDB
internal import PluginCore

/// The conversation of one command with OVN's northbound database.
final class NorthboundSession {
  private var client: ClusterClient<NorthboundDatabase>

  convenience init(_ place: NorthboundPlace, _ context: Context) {
    self.init(place, until: context.deadline)
  }

  init(_ place: NorthboundPlace, until deadline: Deadline) {
    client = ClusterClient(place.remotes, until: deadline)
  }

  static let attempt = "cannot ask OVN's northbound database"

  /// Runs `transaction`, once.
  func run(_ transaction: NorthboundTransaction) throws(AttachmentError)
    -> Result<TransactionResults, OVSDBError>
  {
    do throws(OVSDBError) { return try client.run(transaction) } catch {
      throw Self.error(error)
    }
  }

  /// Runs `transaction`, which does the same however often it is run.
  func insist(_ transaction: NorthboundTransaction) throws(AttachmentError) -> TransactionResults {
    do throws(OVSDBError) { return try client.insist(transaction) } catch {
      throw Self.error(error)
    }
  }

  /// That it cannot be reached says nothing of what is there: the same may succeed later.
  private static func error(_ error: OVSDBError) -> AttachmentError {
    let isBusy = error.isTransient || error.mayHaveTakenEffect
    return AttachmentError(isBusy ? .busy : .failed, attempt, details: error.description)
  }

  /// Takes ports off their switches; the rows then go by themselves, out of port groups, too.
  func remove(_ ports: [Reference]) throws(AttachmentError) {
    guard !ports.isEmpty else { return }
    var transaction = NorthboundTransaction()
    for port in ports { transaction.removeLogicalPort(port) }
    _ = try insist(transaction)
  }

  /// The ports that have these pairs.
  func ports(_ pairs: [String: String]) throws(AttachmentError) -> [Row<LogicalSwitchPortTable>] {
    var question = NorthboundTransaction()
    let rows = question.select(
      from: .logicalSwitchPort, where: [.includes(.externalIDs, pairs)],
      .columns(.uuid, .name, .externalIDs))
    return try insist(question)[rows]
  }
}

extension NorthboundTransaction {
  /// Takes `port` off the switch that has it, whichever that is; no row matches where none has.
  mutating func removeLogicalPort(_ port: Reference) {
    mutate(.logicalSwitch, where: [.includes(.ports, [port])], [.delete([port], from: .ports)])
  }
}
