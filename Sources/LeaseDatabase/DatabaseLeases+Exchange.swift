public import Addresses
public import IPAM
internal import Linux
internal import OVSDB

extension DatabaseLeases {
  /// Conflicts after which guessing is worse than reading the pool.
  private static var conflictLimit: Int { 6 }

  /// Takes and gives back, in one transaction.
  public mutating func exchange(_ exchange: LeaseExchange) throws(ClusterError) -> Bool {
    var transaction = DatabaseTransaction<LeaseSchema>()
    // Two machines of one name would take each other's leases for their own.
    let isHost = transaction.require(
      .host, where: [.equal(.uuid, .row(hostUUID))], .equal,
      [[Cell(.machine, host.machine)]], .columns(.machine))
    var isUnchanged: [DatabaseTransaction<LeaseSchema>.Required] = []
    var slots = own
    for (slot, address) in own where exchange.released.contains(address) {
      transaction.delete(from: .lease, where: [.equal(.uuid, .row(holder.uuid(slot)))])
    }
    for lease in exchange.taken {
      if lease.isHeld, let slot = own.first(where: { $0.value == lease.address })?.key {
        isUnchanged.append(
          transaction.require(
            .lease,
            where: [
              .equal(.uuid, .row(holder.uuid(slot))), .equal(.address, lease.address.description),
            ]))
        continue
      }
      if let row = stale[lease.address] { deleteStale(row, in: &transaction) }
      guard let slot = (0..<ClusterHolder.slotCount).first(where: { slots[$0] == nil }) else {
        throw .overtaken(attempts: 0)
      }
      slots[slot] = lease.address
      transaction.append(insert(lease.address, slot))
    }
    let memories = exchange.taken.compactMap { lease in
      lease.subject.map { (subject: $0, address: lease.address) }
    }
    let remembered = memories.map { memory in
      transaction.update(
        .memory, where: [.equal(.uuid, .row(memoryUUID(memory.subject)))],
        [Cell(.address, memory.address.description)])
    }
    switch try run(transaction) {
    case .success(let results):
      for (memory, matched) in zip(memories, remembered) where results[matched] == 0 {
        remember(memory.address, for: memory.subject)
      }
      return true
    case .failure(let error):
      if isHost.isUnmet(error) {
        try register()
      } else if isUnchanged.contains(where: { $0.isUnmet(error) }) {
        isInDoubt = true
      } else {
        try learn(from: error)
      }
      return false
    }
  }

  private func insert(_ address: IPAddress, _ slot: Int) -> DatabaseOperation<LeaseSchema> {
    .insert(
      into: .lease,
      [
        Cell(.pool, holder.network), Cell(.address, address.description),
        Cell(.holder, holder.text), Cell(.slot, "\(slot)"), Cell(.host, holder.host),
        Cell(.network, holder.network), Cell(.container, holder.containerID),
        Cell(.interface, holder.interfaceName), Cell(.boot, host.boot),
        Cell(.created, Clock.secondsSinceEpoch),
      ], uuid: holder.uuid(slot))
  }

  private func deleteStale(_ row: String, in transaction: inout DatabaseTransaction<LeaseSchema>) {
    transaction.delete(
      from: .lease,
      where: [
        .equal(.uuid, .row(row)), .equal(.host, host.name), .notEqual(.boot, host.boot),
      ])
  }

  // MARK: - What a refusal teaches

  /// Takes in why a transaction did not take effect, or may not have.
  private mutating func learn(from error: OVSDBError) throws(ClusterError) {
    guard case .transactionRefused(let refusal) = error, !error.isRefusal(.canceled) else {
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
    let rows = Self.uuids(in: refusal.refusal.details ?? "").map { uuid in
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
  private static func uuids(in text: String) -> [String] {
    func isOfUUID(_ byte: UInt8) -> Bool {
      (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) || byte == UInt8(ascii: "-")
    }
    return text.utf8.split { !isOfUUID($0) }.filter { word in
      word.count == 36 && word.count { $0 == UInt8(ascii: "-") } == 4
    }.map { String(Substring($0)) }
  }

  /// Takes in a row that is there.
  mutating func note(_ row: Row<LeaseSchema.LeaseTable>) {
    guard row[.pool] == holder.network, let address = IPAddress(row[.address]) else { return }
    if row[.holder] == holder.text {
      isInDoubt = true
    } else if reclaims, row[.host] == host.name, row[.boot] != host.boot, let uuid = row[.uuid].uuid
    {
      stale[address] = uuid
    } else {
      taken[address] =
        "container \(row[.container]), interface \(row[.interface]) on host \(row[.host])"
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

  /// Reads the holder's own rows.
  mutating func readOwn() throws(ClusterError) {
    var transaction = DatabaseTransaction<LeaseSchema>()
    let slots = (0..<ClusterHolder.slotCount).map { slot in
      transaction.select(
        from: .lease, where: [.equal(.uuid, .row(holder.uuid(slot)))],
        .columns(.address, .boot))
    }
    let results = try insist(transaction)
    own = [:]
    for (slot, rows) in slots.enumerated() {
      guard let row = results[rows].first, let address = IPAddress(row[.address]) else { continue }
      own[slot] = address
    }
    isInDoubt = false
  }

  // MARK: - Hosts and memories

  var hostUUID: String { RowKey.uuid(["host", host.name]) }

  /// Enters this host's name; throws where it is another machine's.
  private mutating func register() throws(ClusterError) {
    let insert: DatabaseOperation<LeaseSchema> = .insert(
      into: .host, [Cell(.name, host.name), Cell(.machine, host.machine)], uuid: hostUUID)
    switch try run(DatabaseTransaction([insert])) {
    case .success: return
    case .failure: try checkHost()
    }
  }

  /// Throws where this host's name is another machine's.
  mutating func checkHost() throws(ClusterError) {
    var transaction = DatabaseTransaction<LeaseSchema>()
    let rows = transaction.select(
      from: .host, where: [.equal(.uuid, .row(hostUUID))], .columns(.machine))
    if let row = try insist(transaction)[rows].first, row[.machine] != host.machine {
      throw .nameTaken(host: host.name, machine: row[.machine])
    }
  }

  private func memoryUUID(_ subject: String) -> String {
    RowKey.uuid(["memory", holder.network, subject])
  }

  /// The address that `subject` had last.
  public mutating func remembered(for subject: String) throws(ClusterError) -> IPAddress? {
    var transaction = DatabaseTransaction<LeaseSchema>()
    let rows = transaction.select(
      from: .memory, where: [.equal(.uuid, .row(memoryUUID(subject)))], .columns(.address))
    return try insist(transaction)[rows].first.flatMap { IPAddress($0[.address]) }
  }

  /// Enters a memory that is not there yet. It is not worth a failure.
  private mutating func remember(_ address: IPAddress, for subject: String) {
    let insert: DatabaseOperation<LeaseSchema> = .insert(
      into: .memory,
      [
        Cell(.pool, holder.network), Cell(.subject, subject), Cell(.address, address.description),
      ], uuid: memoryUUID(subject))
    _ = try? run(DatabaseTransaction([insert]))
  }
}
