import Addresses
import CNI
import Leases
import PluginConfigurations

/// The address that an attachment gets from one range set.
struct Choice {
  let set: Int
  let address: IPAddress
  let range: AddressRange
  /// The attachment has it already, from an ADD whose answer was lost.
  let isHeld: Bool
  /// The next ADD goes on from here. One that comes back to its own address moves nobody's place.
  let movesCursor: Bool

  /// With the length of its subnet.
  var prefix: IPPrefix { IPPrefix(address, length: range.subnet.length) ?? range.subnet }
}

/// Chooses the address of one attachment from one range set. It changes nothing.
struct Allocator {
  let configuration: HostLocalConfiguration
  let wishes: Wishes
  /// What the attachment has already.
  let held: [IPAddress]
  /// The number of the range set.
  let position: Int

  /// The address, or why there is none. In this order: what the runtime asks for, what the
  /// attachment has, what is reserved for it, what it had last, and the next that is free.
  func choice(_ store: inout LeaseStore) throws(LeaseError) -> Result<Choice, CNIError> {
    if let wish = wishes.requests[position], let choice = make(wish.address) {
      return try requested(choice, wish, &store)
    }
    if let choice = held.lazy.compactMap({ make($0) }).first { return .success(choice) }
    if let answer = try reserved(&store) { return answer }
    if let choice = try remembered(&store) { return .success(choice) }
    if let choice = try nextFree(&store) { return .success(choice) }
    return .failure(exhausted)
  }

  /// The choice of `address`; nil where it is not of this range set.
  private func make(_ address: IPAddress, movesCursor: Bool = true) -> Choice? {
    guard let place = configuration.place(of: address), place.set == position else { return nil }
    return Choice(
      set: position, address: address, range: place.range, isHeld: held.contains(address),
      movesCursor: movesCursor)
  }

  // MARK: - The ways to an address

  private func requested(_ choice: Choice, _ wish: AddressRequest, _ store: inout LeaseStore)
    throws(LeaseError) -> Result<Choice, CNIError>
  {
    if choice.isHeld { return .success(choice) }
    guard choice.address != choice.range.gateway else {
      return .failure(
        failure(
          "requested ip \(choice.address) is subnet's gateway", "asked for by \(wish.source)"))
    }
    let reservation = configuration.reservations.first { $0.address == choice.address }
    let reason: String
    if let reservation, !wishes.matches(reservation) {
      reason = "\(reservation.path) keeps it for \(reservation.subject)"
    } else if reservation == nil,
      choice.range.exclusions.contains(where: { $0.contains(choice.address) })
    {
      reason = "\(choice.range.path).exclude has it"
    } else if try store.isFree(choice.address) {
      return .success(choice)
    } else {
      reason = leaseholder(of: choice.address, store)
    }
    return .failure(
      failure(
        "requested IP address \(choice.address) is not available in range set "
          + configuration.sets[position].text, "asked for by \(wish.source); \(reason)"))
  }

  /// The first address that is reserved for the attachment and free. Where all are leased it gets
  /// none: who reserves an address wants that and no other. Nil where none is reserved.
  private func reserved(_ store: inout LeaseStore) throws(LeaseError) -> Result<Choice, CNIError>? {
    var refusal: CNIError?
    for reservation in configuration.reservations where wishes.matches(reservation) {
      guard let choice = make(reservation.address, movesCursor: false) else { continue }
      if try store.isFree(choice.address) { return .success(choice) }
      refusal =
        refusal
        ?? failure(
          "\(choice.address) is reserved for \(reservation.subject), and is leased",
          "\(reservation.path); \(leaseholder(of: choice.address, store))")
    }
    return refusal.map { .failure($0) }
  }

  private func remembered(_ store: inout LeaseStore) throws(LeaseError) -> Choice? {
    guard let memory = wishes.memory(of: position),
      let address = try store.remembered(for: memory),
      let choice = make(address, movesCursor: false),
      choice.range.open.contains(where: { $0.contains(address) }), try store.isFree(address)
    else { return nil }
    return choice
  }

  /// The next free address after the one that was leased last; one that somebody may come back for
  /// only where there is no other.
  private func nextFree(_ store: inout LeaseStore) throws(LeaseError) -> Choice? {
    let parts = configuration.sets[position].parts(after: store.cursor(of: position))
    for leavingRemembered in [true, false] {
      for part in parts {
        if let address = try store.firstFree(in: part, leavingRemembered: leavingRemembered) {
          return make(address)
        }
      }
    }
    return nil
  }

  // MARK: - Refusals

  private func failure(_ message: String, _ details: String) -> CNIError {
    CNIError(
      .internalFailure, "failed to allocate for range \(position): \(message)", details: details)
  }

  private var exhausted: CNIError {
    failure(
      "no IP addresses available in range set: \(configuration.sets[position].text)",
      "\(configuration.sets[position].path): every address that may be given is leased")
  }

  private func leaseholder(of address: IPAddress, _ store: borrowing LeaseStore) -> String {
    store.holder(of: address).map { "it is leased to \($0)" }
      ?? "\(store.location.path)/\(address) is there and is no lease"
  }
}

extension RangeSet {
  /// What may be given, in the order of giving: from after `cursor` to the end of its range, the
  /// ranges after that, those before it, and its own range up to the cursor. Without a cursor in
  /// these ranges, from the start of the first.
  func parts(after cursor: IPAddress?) -> [IPRange] {
    guard let cursor, let current = ranges.firstIndex(where: { $0.range.contains(cursor) }) else {
      return ranges.flatMap { $0.open }
    }
    let range = ranges[current]
    let behind = cursor.successor.flatMap { IPRange($0, range.range.last) }
    let before = IPRange(range.range.first, cursor)
    return range.open(in: behind) + ranges[(current + 1)...].flatMap { $0.open }
      + ranges[..<current].flatMap { $0.open } + range.open(in: before)
  }
}

extension AddressRange {
  /// What may be given of `part`.
  fileprivate func open(in part: IPRange?) -> [IPRange] {
    guard let part else { return [] }
    return open.compactMap {
      IPRange(max($0.first, part.first), min($0.last, part.last))
    }
  }
}
