import Addresses
import CNI
import IPAM
import JSON
import LeaseFiles
import PluginConfigurations

/// The leases of a directory, as the allocator sees them.
struct FileLeases: LeaseStore, ~Copyable {
  var directory: LeaseDirectory
  let attachment: LeaseHolder
  /// Again only where the files say otherwise than the index did, which was then rebuilt.
  let attempts = 3

  init(_ directory: consuming LeaseDirectory, of attachment: LeaseHolder) {
    self.directory = directory
    self.attachment = attachment
  }

  mutating func held() throws(LeaseError) -> [IPAddress] {
    try directory.addresses(of: attachment)
  }
  mutating func isFree(_ address: IPAddress) throws(LeaseError) -> Bool {
    try directory.isFree(address)
  }
  mutating func firstFree(in range: IPRange, leavingRemembered: Bool) throws(LeaseError)
    -> IPAddress?
  {
    try directory.firstFree(in: range, leavingRemembered: leavingRemembered)
  }
  mutating func cursor(of set: Int) throws(LeaseError) -> IPAddress? { directory.cursor(of: set) }
  mutating func remembered(for subject: String) throws(LeaseError) -> IPAddress? {
    try directory.remembered(for: subject)
  }
  mutating func holder(of address: IPAddress) throws(LeaseError) -> String {
    directory.holder(of: address).map { "it is leased to \($0)" }
      ?? "\(directory.location.path)/\(address) is there and is no lease"
  }
  func overtaken() -> LeaseError { .unstable(path: directory.location.path) }

  mutating func exchange(_ exchange: LeaseExchange) throws(LeaseError) -> Bool {
    guard try take(exchange.taken.filter { !$0.isHeld }) else { return false }
    for lease in exchange.taken where !lease.isHeld || lease.subject != nil {
      try directory.remember(lease.address, for: lease.subject)
    }
    if !exchange.released.isEmpty { try directory.release(exchange.released, of: attachment) }
    return true
  }

  /// Leases all; false, with none leased, where another attachment has one of them after all.
  private mutating func take(_ leases: [LeaseExchange.Lease]) throws(LeaseError) -> Bool {
    var taken: [IPAddress] = []
    do throws(LeaseError) {
      for lease in leases {
        let set = lease.movesCursor ? lease.set : nil
        guard try directory.lease(lease.address, to: attachment, set: set) else {
          try directory.release(taken, of: attachment)
          return false
        }
        taken.append(lease.address)
      }
      return true
    } catch {
      _ = try? directory.release(taken, of: attachment)
      directory.commit()
      throw error
    }
  }
}
