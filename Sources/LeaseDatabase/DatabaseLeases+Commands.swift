public import Addresses
internal import IPAM
internal import Linux
internal import OVSDB
public import PluginConfigurations

/// What DEL, CHECK, GC and STATUS do.
extension DatabaseLeases {
  /// Gives back all that the holder has. It does the same however often it is repeated, so a lost
  /// answer is no loss.
  public mutating func releaseAll() throws(ClusterError) {
    var transaction = DatabaseTransaction<LeaseSchema>()
    let deletions = (0..<ClusterHolder.slotCount).map { slot in
      transaction.delete(from: .lease, where: [.equal(.uuid, .row(holder.uuid(slot)))])
    }
    let results = try insist(transaction)
    // Who has any row has that of the first slot. Without it others may be there by other UUIDs.
    guard let first = deletions.first, results[first] == 0 else { return }
    var search = DatabaseTransaction<LeaseSchema>()
    for holder in [holder, holder.container] {
      search.delete(from: .lease, where: [.equal(.holder, holder.text)])
    }
    _ = try insist(search)
  }

  /// The addresses that the holder has, as the database says now.
  public mutating func leased() throws(ClusterError) -> [IPAddress] {
    isInDoubt = true
    return try held()
  }

  /// Gives back what this host has on this network and is of no valid attachment; returns what that
  /// was. Other hosts' runtimes know of their own.
  ///
  /// - Parameters:
  ///   - valid: Container IDs and interface names.
  ///   - grace: What is younger, in seconds, may be of an ADD that goes on.
  public mutating func collect(
    keeping valid: Set<ClusterHolder>, grace: Int64
  ) throws(ClusterError) -> [IPAddress] {
    var transaction = DatabaseTransaction<LeaseSchema>()
    let rows = transaction.select(
      from: .lease, where: [.equal(.host, host.name), .equal(.network, holder.network)],
      .columns(.uuid, .address, .container, .interface, .boot, .created))
    let now = Clock.secondsSinceEpoch
    var deletion = DatabaseTransaction<LeaseSchema>()
    var freed: [IPAddress] = []
    let containers = Set(valid.map { $0.container })
    for row in try insist(transaction)[rows] {
      let attachment = ClusterHolder(
        host: host.name, network: holder.network, containerID: row[.container],
        interfaceName: row[.interface])
      let isYoung = row[.boot] == host.boot && row[.created] > now - grace && row[.created] <= now
      let isValid =
        valid.contains(attachment)
        || attachment.interfaceName.isEmpty && containers.contains(attachment)
      guard !isValid, !isYoung, let uuid = row[.uuid].uuid else { continue }
      // Not one that was made again meanwhile.
      deletion.delete(
        from: .lease, where: [.equal(.uuid, .row(uuid)), .equal(.created, row[.created])])
      if let address = IPAddress(row[.address]) { freed.append(address) }
    }
    if !deletion.operations.isEmpty { _ = try insist(deletion) }
    return freed
  }

  /// The range sets that have no address left; throws where an ADD could not even ask.
  public mutating func exhaustedSets(of configuration: HostLocalConfiguration)
    throws(ClusterError) -> [RangeSet]
  {
    try checkHost()
    if configuration.sets.isEmpty { return [] }
    try readPool()
    return try Allocation.exhaustedSets(of: configuration, in: &self)
  }
}
