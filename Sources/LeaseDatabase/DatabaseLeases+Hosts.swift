public import Addresses
internal import IPAM
internal import Linux
internal import OVSDB

/// A lease of the database, of whichever host.
public struct ClusterLease: Hashable, Sendable {
  /// The address.
  public let address: IPAddress
  /// Who holds it.
  public let holder: ClusterHolder
  /// The ID of the host's boot in which it was made.
  public let boot: String
  /// Seconds since 1970-01-01T00:00:00Z, by the host's clock.
  public let created: Int64
}

// What people do with the leases of a network, by the tool. Of the holder, the network alone counts
// where all hosts are meant.
extension DatabaseLeases {
  /// All leases of the network, in the order of the addresses.
  public mutating func leases() throws(ClusterError) -> [ClusterLease] {
    try leases(where: [.equal(.network, holder.network)])
  }

  /// All leases of all networks, in the order of the addresses.
  public mutating func allLeases() throws(ClusterError) -> [ClusterLease] { try leases(where: []) }

  private mutating func leases(where conditions: [Condition<LeaseSchema.LeaseTable>])
    throws(ClusterError) -> [ClusterLease]
  {
    var question = DatabaseTransaction<LeaseSchema>()
    let rows = question.select(
      from: .lease, where: conditions,
      .columns(.address, .host, .network, .container, .interface, .boot, .created))
    let leases = try insist(question)[rows].compactMap { row -> ClusterLease? in
      guard let address = IPAddress(row[.address]) else { return nil }
      return ClusterLease(
        address: address,
        holder: ClusterHolder(
          host: row[.host], network: row[.network], containerID: row[.container],
          interfaceName: row[.interface]),
        boot: row[.boot], created: row[.created])
    }
    return leases.sorted { $0.address < $1.address }
  }

  /// What the host `name` has on the network.
  public mutating func leases(ofHost name: String) throws(ClusterError) -> [ClusterLease] {
    try leases(where: [.equal(.network, holder.network), .equal(.host, name)])
  }

  /// Gives back all that the host `name` has on the network, and forgets which machine it was where
  /// it has nothing on any other. Returns what that was.
  ///
  /// It is for a host that is gone: one that lives loses addresses that are in use.
  public mutating func free(ofHost name: String) throws(ClusterError) -> [ClusterLease] {
    let freed = try leases(ofHost: name)
    var deletion = DatabaseTransaction<LeaseSchema>()
    deletion.delete(
      from: .lease, where: [.equal(.network, holder.network), .equal(.host, name)])
    _ = try insist(deletion)
    var end = DatabaseTransaction<LeaseSchema>()
    let isUnused = end.requireAbsent(.lease, where: [.equal(.host, name)])
    end.delete(from: .host, where: [.equal(.name, name)])
    while true {
      switch try run(end) {
      case .success: return freed
      case .failure(let error):
        if isUnused.isUnmet(error) { return freed }
        if error.isVerdict { throw .database(error) }
      }
    }
  }

  /// Takes `addresses` for the holder, besides those that it has. Returns which of them others
  /// have, and who: these it does not get.
  public mutating func take(_ addresses: [IPAddress]) throws(ClusterError) -> [IPAddress: String] {
    for _ in 0..<attempts {
      let has = try held()
      let missing = addresses.filter { !has.contains($0) && taken[$0] == nil }
      guard !missing.isEmpty else {
        var others: [IPAddress: String] = [:]
        for address in addresses where !has.contains(address) { others[address] = taken[address] }
        return others
      }
      let exchange = LeaseExchange(
        taken: missing.map { LeaseExchange.Lease($0) }, released: [])
      if try self.exchange(exchange) { isInDoubt = true }
    }
    throw overtaken()
  }
}
