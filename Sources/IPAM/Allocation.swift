public import Addresses
public import PluginConfigurations

/// The addresses of one attachment: one of each range set, or none at all.
public enum Allocation {
  /// Chooses them and takes them from `store`.
  public static func make<Store: LeaseStore & ~Copyable>(
    _ configuration: HostLocalConfiguration, _ preferences: AddressPreferences,
    in store: inout Store
  ) throws(Store.Failure) -> Result<[AddressChoice], AllocationFailure> {
    for _ in 0..<store.attempts {
      let held = try store.held()
      // All are chosen before the first is leased, so that one that is refused changes nothing.
      var choices: [AddressChoice] = []
      for position in configuration.sets.indices {
        let allocator = Allocator(
          configuration: configuration, preferences: preferences, held: held, position: position)
        switch try allocator.choice(&store) {
        case .success(let choice): choices.append(choice)
        case .failure(let error): return .failure(error)
        }
      }
      let exchange = LeaseExchange(
        taken: choices.map { choice in
          LeaseExchange.Lease(
            address: choice.address, set: choice.set, isHeld: choice.isHeld,
            movesCursor: choice.movesCursor, subject: preferences.subject(of: choice.set))
        },
        // From an ADD before this that asked for something else.
        released: held.filter { address in
          configuration.place(of: address) != nil && !choices.contains { $0.address == address }
        })
      if try store.exchange(exchange) { return .success(choices) }
    }
    throw store.overtaken()
  }

  /// The range sets of which every address is leased.
  public static func exhaustedSets<Store: LeaseStore & ~Copyable>(
    of configuration: HostLocalConfiguration, in store: inout Store
  ) throws(Store.Failure) -> [RangeSet] {
    var exhausted: [RangeSet] = []
    for set in configuration.sets where try isExhausted(set, &store) { exhausted.append(set) }
    return exhausted
  }

  private static func isExhausted<Store: LeaseStore & ~Copyable>(
    _ set: RangeSet, _ store: inout Store
  ) throws(Store.Failure) -> Bool {
    for part in set.ranges.flatMap({ $0.open }) {
      if try store.firstFree(in: part, leavingRemembered: false) != nil { return false }
    }
    return true
  }

  /// What CHECK compares: the leased addresses of the configuration's ranges with those that a
  /// result has; nil where they are the same.
  public static func mismatch(
    leased: [IPAddress], reported: [IPAddress], _ configuration: HostLocalConfiguration
  ) -> String? {
    let ours = reported.map { $0.unmapped }.filter { configuration.place(of: $0) != nil }
    let unleased = ours.filter { !leased.contains($0) }
    let unreported = leased.filter { configuration.place(of: $0) != nil && !ours.contains($0) }
    guard !unleased.isEmpty || !unreported.isEmpty else { return nil }
    return "prevResult has: \(list(reported)); leased are: \(list(leased))"
  }

  /// Addresses for a message.
  public static func list(_ addresses: [IPAddress]) -> String {
    addresses.isEmpty ? "none" : addresses.map { $0.description }.joined(separator: ", ")
  }
}
