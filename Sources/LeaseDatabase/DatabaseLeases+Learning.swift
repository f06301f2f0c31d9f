internal import Addresses
internal import OVSDB

extension DatabaseLeases {
  /// Conflicts after which guessing is worse than reading the pool.
  private static var conflictLimit: Int { 6 }

  /// Takes in why a transaction did not take effect, or may not have.
  mutating func learn(from error: OVSDBError) throws(ClusterError) {
    guard case .transactionRefused = error, !error.isRefusal(.canceled) else {
      isInDoubt = true
      return
    }
    if error.isRefusal(.duplicateUUID) {
      isInDoubt = true
      return
    }
    guard error.isRefusal(.constraintViolation) else { throw .database(error) }
    conflicts += 1
    var transaction = DatabaseTransaction<LeaseSchema>()
    let rows = Self.uuids(in: error).map { uuid in
      transaction.select(
        from: .lease, where: [.equal(.uuid, .row(uuid))], Self.columns)
    }
    guard !rows.isEmpty else { throw .database(error) }
    let results = try insist(transaction)
    for row in rows.flatMap({ results[$0] }) { note(row) }
    if conflicts >= Self.conflictLimit, !isComplete { try readPool() }
  }

  private static var columns: ColumnList<LeaseSchema.LeaseTable> {
    .columns(.uuid, .pool, .address, .holder, .host, .container, .interface, .boot)
  }

  /// The UUIDs that the server's words have in them: it names the rows that exclude each other.
  static func uuids(in error: OVSDBError) -> [String] {
    guard case .transactionRefused(let refusal) = error else { return [] }
    let text = refusal.refusal.details ?? ""
    func isOfUUID(_ byte: UInt8) -> Bool {
      (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) || byte == UInt8(ascii: "-")
    }
    return text.utf8.split { !isOfUUID($0) }.filter { word in
      word.count == 36 && word.count { $0 == UInt8(ascii: "-") } == 4
    }.map { String(Substring($0)) }
  }

  /// Takes in a row that is there.
  mutating func note(_ row: Row<LeaseSchema.LeaseTable>) {
    if row[.holder] == holder.text {
      isInDoubt = true
      if let uuid = row[.uuid].uuid, !holder.owns(uuid) { hasStrays = true }
      return
    }
    guard row[.pool] == holder.network, let address = IPAddress(row[.address]) else { return }
    if reclaims, row[.host] == host.name, row[.boot] != host.boot, let uuid = row[.uuid].uuid {
      stale[address] = uuid
    } else {
      taken[address] =
        ClusterHolder(
          host: row[.host], network: holder.network, containerID: row[.container],
          interfaceName: row[.interface]
        ).description
    }
  }

  /// Reads all rows of the pool.
  mutating func readPool() throws(ClusterError) {
    var transaction = DatabaseTransaction<LeaseSchema>()
    let rows = transaction.select(
      from: .lease, where: [.equal(.pool, holder.network)], Self.columns)
    let results = try insist(transaction)
    taken = [:]
    stale = [:]
    for row in results[rows] { note(row) }
    isComplete = true
  }

  /// Reads the holder's own rows: by their UUIDs, which costs the same however many leases there
  /// are, and where that of the first slot is not there by what they say.
  mutating func readOwn() throws(ClusterError) {
    own = [:]
    if !hasStrays {
      var transaction = DatabaseTransaction<LeaseSchema>()
      let slots = (0..<ClusterHolder.slotCount).map { slot in
        transaction.select(
          from: .lease, where: [.equal(.uuid, .row(holder.uuid(slot)))], Self.ownColumns)
      }
      let results = try insist(transaction)
      for row in slots.flatMap({ results[$0] }) { adopt(row) }
    }
    if own[0] == nil {
      var search = DatabaseTransaction<LeaseSchema>()
      let rows = [holder, holder.container].map { holder in
        search.select(from: .lease, where: [.equal(.holder, holder.text)], Self.ownColumns)
      }
      let results = try insist(search)
      own = [:]
      for row in rows.lazy.map({ results[$0] }).first(where: { !$0.isEmpty }) ?? [] { adopt(row) }
    }
    isInDoubt = false
  }

  private static var ownColumns: ColumnList<LeaseSchema.LeaseTable> {
    .columns(.uuid, .address, .slot, .boot)
  }

  private mutating func adopt(_ row: Row<LeaseSchema.LeaseTable>) {
    guard let uuid = row[.uuid].uuid else { return }
    // Another program may have written what is no slot of ours; that is past all of them.
    let slots = 0..<ClusterHolder.slotCount
    let slot = Int(row[.slot]).flatMap { slots.contains($0) ? $0 : nil }
    own[slot ?? max(slots.upperBound, (own.keys.max() ?? 0) + 1)] = OwnLease(
      uuid: uuid, text: row[.address], boot: row[.boot])
  }
}
