public import Addresses
internal import OVSDB

// The rows of the other tables: which machine a host is, and which address a subject had last.
extension DatabaseLeases {
  var hostUUID: String { RowKey.uuid(["host", host.name]) }

  /// Enters this host's name; throws where it is another machine's.
  mutating func register() throws(ClusterError) {
    switch try run(DatabaseTransaction([hostInsert])) {
    case .success: return
    case .failure:
      guard let stray = try checkHost(), stray != hostUUID else { return }
      var transaction = DatabaseTransaction<LeaseSchema>()
      let isSame: [Condition<LeaseSchema.HostTable>] = [
        .equal(.uuid, .row(stray)), .equal(.machine, host.machine),
      ]
      transaction.require(.host, where: isSame)
      transaction.delete(from: .host, where: isSame)
      transaction.append(hostInsert)
      // If it did not take effect the next attempt comes here again.
      _ = try run(transaction)
    }
  }

  private var hostInsert: DatabaseOperation<LeaseSchema> {
    .insert(
      into: .host, [Cell(.name, host.name), Cell(.machine, host.machine)], uuid: hostUUID)
  }

  /// Throws where this host's name is another machine's. Returns the UUID of its row; nil where
  /// there is none.
  @discardableResult
  mutating func checkHost() throws(ClusterError) -> String? {
    var transaction = DatabaseTransaction<LeaseSchema>()
    let rows = transaction.select(
      from: .host, where: [.equal(.name, host.name)], .columns(.uuid, .machine))
    guard let row = try insist(transaction)[rows].first else { return nil }
    guard row[.machine] == host.machine else {
      throw .nameTaken(host: host.name, machine: row[.machine])
    }
    return row[.uuid].uuid
  }

  // MARK: - Memories

  /// The row of `subject` in the table of memories.
  func memoryUUID(_ subject: String) -> String {
    strayMemories[subject] ?? RowKey.uuid(["memory", holder.network, subject])
  }

  /// The address that `subject` had last.
  public mutating func remembered(for subject: String) throws(ClusterError) -> IPAddress? {
    var transaction = DatabaseTransaction<LeaseSchema>()
    let rows = transaction.select(
      from: .memory, where: [.equal(.uuid, .row(memoryUUID(subject)))], .columns(.address))
    if let row = try insist(transaction)[rows].first { return IPAddress(row[.address]) }
    // An insert finds what a search would, and costs the same however many there are.
    return remember("", for: subject)
  }

  /// Enters a memory that seems not to be there yet. It is not worth a failure. Returns the address
  /// of one that is there by another UUID, which is known from now on.
  @discardableResult
  mutating func remember(_ address: String, for subject: String) -> IPAddress? {
    let insert: DatabaseOperation<LeaseSchema> = .insert(
      into: .memory,
      [Cell(.pool, holder.network), Cell(.subject, subject), Cell(.address, address)],
      uuid: memoryUUID(subject))
    guard case .failure(let error)? = try? run(DatabaseTransaction([insert])) else { return nil }
    var transaction = DatabaseTransaction<LeaseSchema>()
    let rows = Self.uuids(in: error).map { uuid in
      transaction.select(
        from: .memory,
        where: [
          .equal(.uuid, .row(uuid)), .equal(.pool, holder.network), .equal(.subject, subject),
        ], .columns(.uuid, .address))
    }
    guard !rows.isEmpty, let results = try? insist(transaction) else { return nil }
    guard let row = rows.flatMap({ results[$0] }).first else { return nil }
    strayMemories[subject] = row[.uuid].uuid
    if !address.isEmpty {
      _ = try? run(
        DatabaseTransaction([
          .update(
            .memory, where: [.equal(.uuid, .row(memoryUUID(subject)))], [Cell(.address, address)])
        ]))
    }
    return IPAddress(row[.address])
  }
}
