public import Addresses
public import PluginConfigurations

/// The address that an attachment gets from one range set.
public struct AddressChoice: Hashable, Sendable {
  /// The number of the range set.
  public let set: Int
  /// The address.
  public let address: IPAddress
  /// The range that it is given from.
  public let range: AddressRange
  /// The attachment has it already, from an ADD whose answer was lost.
  public let isHeld: Bool
  /// The next ADD goes on from here. One that comes back to its own address moves no one's place.
  let movesCursor: Bool

  /// With the length of its subnet.
  public var prefix: IPPrefix { IPPrefix(address, length: range.subnet.length) ?? range.subnet }
}

/// Chooses the address of one attachment from one range set. It changes nothing.
struct Allocator {
  let configuration: HostLocalConfiguration
  let preferences: AddressPreferences
  /// What the attachment has already.
  let held: [IPAddress]
  /// The number of the range set.
  let position: Int

  /// The address, or why there is none. In this order: what the runtime asks for, what the
  /// attachment has, what is reserved for it, what it had last, and the next that is free.
  func choice<Store: LeaseStore & ~Copyable>(_ store: inout Store) throws(Store.Failure) -> Result<
    AddressChoice, AllocationFailure
  > {
    if let request = preferences.requests[position], let choice = make(request.address) {
      return try requested(choice, request, &store)
    }
    if let choice = held.lazy.compactMap({ make($0) }).first { return .success(choice) }
    if let answer = try reserved(&store) { return answer }
    if let choice = try remembered(&store) { return .success(choice) }
    if let choice = try nextFree(&store) { return .success(choice) }
    return .failure(exhausted)
  }

  /// The choice of `address`; nil where it is not of this range set.
  private func make(_ address: IPAddress, movesCursor: Bool = true) -> AddressChoice? {
    guard let place = configuration.place(of: address), place.set == position else { return nil }
    return AddressChoice(
      set: position, address: address, range: place.range, isHeld: held.contains(address),
      movesCursor: movesCursor)
  }

  // MARK: - The ways to an address

  private func requested<Store: LeaseStore & ~Copyable>(
    _ choice: AddressChoice, _ request: AddressRequest, _ store: inout Store
  )
    throws(Store.Failure) -> Result<AddressChoice, AllocationFailure>
  {
    if choice.isHeld { return .success(choice) }
    guard choice.address != choice.range.gateway else {
      return .failure(
        failure(
          "requested ip \(choice.address) is subnet's gateway", "asked for by \(request.source)"))
    }
    let reservation = configuration.reservations.first { $0.address == choice.address }
    let reason: String
    if let reservation, !preferences.matches(reservation) {
      reason = "\(reservation.path) keeps it for \(reservation.subject)"
    } else if reservation == nil,
      choice.range.exclusions.contains(where: { $0.contains(choice.address) })
    {
      reason = "\(choice.range.path).exclude has it"
    } else if try store.isFree(choice.address) {
      return .success(choice)
    } else {
      reason = try store.holder(of: choice.address)
    }
    return .failure(
      failure(
        "requested IP address \(choice.address) is not available in range set "
          + configuration.sets[position].text, "asked for by \(request.source); \(reason)"))
  }

  /// The first address that is reserved for the attachment and free. Where all are leased it gets
  /// none: who reserves an address wants that and no other. Nil where none is reserved.
  private func reserved<Store: LeaseStore & ~Copyable>(_ store: inout Store) throws(Store.Failure)
    -> Result<AddressChoice, AllocationFailure>?
  {
    var refusal: AllocationFailure?
    for reservation in configuration.reservations where preferences.matches(reservation) {
      guard let choice = make(reservation.address, movesCursor: false) else { continue }
      if try store.isFree(choice.address) { return .success(choice) }
      guard refusal == nil else { continue }
      let holder = try store.holder(of: choice.address)
      refusal = failure(
        "\(choice.address) is reserved for \(reservation.subject), and is leased",
        "\(reservation.path); \(holder)")
    }
    return refusal.map { .failure($0) }
  }

  private func remembered<Store: LeaseStore & ~Copyable>(_ store: inout Store) throws(Store.Failure)
    -> AddressChoice?
  {
    guard let subject = preferences.subject(of: position),
      let address = try store.remembered(for: subject),
      let choice = make(address, movesCursor: false),
      choice.range.open.contains(where: { $0.contains(address) }), try store.isFree(address)
    else { return nil }
    return choice
  }

  /// The next free address after the one that was leased last; one that another attachment
  /// may come back for only where there is no other.
  private func nextFree<Store: LeaseStore & ~Copyable>(_ store: inout Store) throws(Store.Failure)
    -> AddressChoice?
  {
    let parts = configuration.sets[position].parts(after: try store.cursor(of: position))
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

  private func failure(_ message: String, _ details: String) -> AllocationFailure {
    AllocationFailure("failed to allocate for range \(position): \(message)", details: details)
  }

  private var exhausted: AllocationFailure {
    failure(
      "no IP addresses available in range set: \(configuration.sets[position].text)",
      "\(configuration.sets[position].path): every address that may be given is leased")
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
