internal import Addresses
public import IPAM
internal import Linux
internal import OVSDB

extension DatabaseLeases {
  /// Takes and gives back, in one transaction.
  public mutating func exchange(_ exchange: LeaseExchange) throws(ClusterError) -> Bool {
    var transaction = DatabaseTransaction<LeaseSchema>()
    // Two machines of one name would take each other's leases for their own.
    let isHost = transaction.require(
      .host, where: [.equal(.uuid, .row(hostUUID))], .equal,
      [[Cell(.machine, host.machine)]], .columns(.machine))
    var plan = SlotPlan(exchange, own)
    var isUnchanged: [DatabaseTransaction<LeaseSchema>.Required] = []
    for (lease, address) in plan.kept {
      let isSame: [Condition<LeaseSchema.LeaseTable>] = [
        .equal(.uuid, .row(lease.uuid)), .equal(.address, lease.text),
      ]
      isUnchanged.append(transaction.require(.lease, where: isSame))
      if address != lease.address || lease.boot != host.boot {
        transaction.update(
          .lease, where: isSame,
          [
            Cell(.address, address.description), Cell(.boot, host.boot),
            Cell(.created, Clock.secondsSinceEpoch),
          ])
      }
    }
    for row in plan.ended {
      transaction.delete(from: .lease, where: [.equal(.uuid, .row(row))])
    }
    for lease in exchange.taken {
      if let row = stale[lease.address] { deleteStale(row, in: &transaction) }
    }
    for (slot, address) in try plan.fill() { transaction.append(insert(address, slot)) }
    let memories = exchange.taken.compactMap { lease in
      lease.subject.map { (subject: $0, address: lease.address.description) }
    }
    let remembered = memories.map { memory in
      transaction.update(
        .memory, where: [.equal(.uuid, .row(memoryUUID(memory.subject)))],
        [Cell(.address, memory.address)])
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
}

/// Which rows of the holder have which addresses afterwards.
///
/// Who has any row has that of the first slot: it is where the next ADD meets it, and DEL looks.
private struct SlotPlan {
  /// Rows that stay, with the address that each then has.
  private(set) var kept: [(OwnLease, IPAddress)] = []
  /// The UUIDs of rows that go.
  private(set) var ended: [String] = []
  /// Addresses that need rows of their own.
  private var added: [IPAddress]
  private var used: Set<Int>

  init(_ exchange: LeaseExchange, _ own: [Int: OwnLease]) {
    added = exchange.taken.map { $0.address }.filter { address in
      !own.values.contains { $0.address == address }
    }
    used = Set(own.keys)
    var staying: [Int: IPAddress] = [:]
    for (slot, lease) in own {
      guard let address = lease.address, !exchange.released.contains(address) else { continue }
      staying[slot] = address
    }
    for (slot, lease) in own.sorted(by: { $0.key < $1.key }) {
      if let address = staying[slot] {
        kept.append((lease, address))
      } else if !added.isEmpty {
        kept.append((lease, added.removeFirst()))
      } else if slot == 0, let last = staying.keys.max(), let address = staying[last] {
        staying[last] = nil
        kept.append((lease, address))
      } else {
        ended.append(lease.uuid)
        used.remove(slot)
      }
    }
  }

  /// The slots of the addresses that need rows.
  mutating func fill() throws(ClusterError) -> [(Int, IPAddress)] {
    var rows: [(Int, IPAddress)] = []
    for address in added {
      guard let slot = (0..<ClusterHolder.slotCount).first(where: { !used.contains($0) }) else {
        throw .tooManyAddresses
      }
      used.insert(slot)
      rows.append((slot, address))
    }
    return rows
  }
}
