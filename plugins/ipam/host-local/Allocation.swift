import Addresses
import CNI
import Leases
import PluginConfigurations
import PluginCore

extension HostLocal {
  /// Leases one address of each range set, or none at all.
  static func lease(
    _ request: Request, _ configuration: HostLocalConfiguration, _ wishes: Wishes,
    _ context: Context
  ) throws(CNIError) -> [Choice] {
    let holder = LeaseHolder(request.attachment)
    let outcome: Result<[Choice], CNIError>
    do throws(LeaseError) {
      guard var store = try open(request, configuration, for: .leasing, context) else { return [] }
      outcome = try lease(configuration, wishes, holder, &store)
      store.commit()
      log(store.notes, context)
    } catch { throw CNIError(error, "cannot lease an address") }
    return try outcome.get()
  }

  private static func lease(
    _ configuration: HostLocalConfiguration, _ wishes: Wishes, _ holder: LeaseHolder,
    _ store: inout LeaseStore
  ) throws(LeaseError) -> Result<[Choice], CNIError> {
    // Again only where the files say otherwise than the index did, which was then made anew.
    for _ in 0..<3 {
      let held = try store.addresses(of: holder)
      // All are chosen before the first is leased, so that one that is refused changes nothing.
      var choices: [Choice] = []
      for position in configuration.sets.indices {
        let allocator = Allocator(
          configuration: configuration, wishes: wishes, held: held, position: position)
        switch try allocator.choice(&store) {
        case .success(let choice): choices.append(choice)
        case .failure(let error): return .failure(error)
        }
      }
      guard try take(choices, holder, &store) else { continue }
      for choice in choices {
        let memory = wishes.memory(of: choice.set)
        if !choice.isHeld || memory != nil { try store.remember(choice.address, for: memory) }
      }
      // From an ADD before this that asked for something else.
      let surplus = held.filter { address in
        configuration.place(of: address) != nil && !choices.contains { $0.address == address }
      }
      if !surplus.isEmpty { try store.release(surplus, of: holder) }
      return .success(choices)
    }
    throw .unstable(path: store.location.path)
  }

  /// Leases what was chosen; false, with nothing leased, where somebody has one of them after all.
  private static func take(
    _ choices: [Choice], _ holder: LeaseHolder, _ store: inout LeaseStore
  ) throws(LeaseError) -> Bool {
    var taken: [IPAddress] = []
    do throws(LeaseError) {
      for choice in choices where !choice.isHeld {
        let set = choice.movesCursor ? choice.set : nil
        guard try store.lease(choice.address, to: holder, set: set) else {
          try store.release(taken, of: holder)
          return false
        }
        taken.append(choice.address)
      }
      return true
    } catch {
      _ = try? store.release(taken, of: holder)
      store.commit()
      throw error
    }
  }
}
