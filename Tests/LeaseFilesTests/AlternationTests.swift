import Addresses
import Foundation
import Glibc
import TestSupport
import Testing

@testable import LeaseFiles

/// What is leased, as a dictionary has it.
private struct Model {
  /// By address, in the order of addresses.
  static let all =
    (1...40).map { "10.0.0.\($0)" } + (1...24).map { "fd00::\(String($0, radix: 16))" }
  static let ids = (0..<24).map { "c\($0)" }
  var holders: [String: String] = [:]

  func addresses(of id: String) -> Set<String> { Set(holders.filter { $0.value == id }.keys) }
  func free(_ addresses: some Sequence<String>) -> [String] {
    addresses.filter { holders[$0] == nil }
  }
  static func range(_ isIPv6: Bool) -> [String] { all.filter { $0.contains(":") == isIPv6 } }
}

@Suite("The index, while others change the directory") struct AlternationTests {
  /// Makes a lease as the reference plugin does.
  private func make(_ address: String, _ id: String, _ place: Place) throws {
    let file = open("\(place.location.path)/\(address)", O_WRONLY | O_CREAT | O_EXCL, 0o600)
    try #require(file >= 0)
    let content = Array("\(id)\r\neth0".utf8)
    #expect(write(file, content, content.count) == content.count)
    close(file)
  }

  private func remove(_ address: String, _ place: Place) {
    #expect(unlink("\(place.location.path)/\(address)") == 0)
  }

  /// Damages what lies beside the directory, or takes it away.
  private func damage(_ place: Place, _ random: inout SeededGenerator) {
    let path = "\(place.location.privatePath)/index"
    switch Int.random(in: 0..<3, using: &random) {
    case 0: unlink(path)
    case 1: truncate(path, off_t(Int.random(in: 0..<4, using: &random) * 4096))
    default: try? FileManager.default.removeItem(atPath: place.temporary.path + "/.patchbay")
    }
  }

  /// One who opens the leases now, to change or only to read them, knows all of `model`.
  private func compare(
    _ place: Place, _ model: Model, _ access: LeaseDirectory.Access, _ what: String
  ) throws {
    var store = try place.open(access)
    for id in Model.ids {
      let held = try store.addresses(of: holder(id)).map(\.description)
      #expect(Set(held) == model.addresses(of: id) && Set(held).count == held.count, "\(what)")
    }
    for address in Model.all {
      let isFree = try store.isFree(ip(address))
      #expect(isFree == (model.holders[address] == nil), "\(what): \(address)")
    }
  }

  /// Leases the next free address to `id`, and is killed before the index is written where not
  /// `isWhole`.
  private func lease(
    _ id: String, isIPv6: Bool, isWhole: Bool, _ place: Place, _ model: inout Model, _ what: String
  ) throws {
    let all = Model.range(isIPv6)
    var store = try place.open()
    let next = try store.firstFree(
      in: range(all[0], all[all.count - 1]), leavingRemembered: true)
    #expect(next?.description == model.free(all).first, "\(what)")
    guard let next else { return }
    #expect(try store.lease(next, to: holder(id), set: isIPv6 ? 1 : 0), "\(what)")
    model.holders[next.description] = id
    if isWhole { store.commit() }
  }

  @Test("knows at once all that they did, in any order", arguments: [1, 2] as [UInt64])
  func steps(seed: UInt64) throws {
    let place = try Place()
    var random = SeededGenerator(seed)
    var model = Model()
    for step in 0..<(isSoak ? 20_000 : 1000) {
      let id = Model.ids.randomElement(using: &random) ?? "c0"
      let isWhole = Int.random(in: 0..<8, using: &random) > 0
      let taken = model.holders.keys.sorted().randomElement(using: &random)
      let free = model.free(Model.all).randomElement(using: &random)
      let action = Int.random(in: 0..<12, using: &random)
      let what = "seed \(seed), step \(step), action \(action)"
      switch action {
      case 0...3:
        try lease(
          id, isIPv6: Bool.random(using: &random), isWhole: isWhole, place, &model, what)
      case 4, 5:
        var store = try place.open()
        let released = try store.releaseAll(of: holder(id)).map(\.description)
        #expect(Set(released) == model.addresses(of: id), "\(what)")
        for address in released { model.holders[address] = nil }
        if isWhole { store.commit() }
      case 6, 7:
        guard step > 0, let free else { continue }
        _ = try place.open()
        try make(free, id, place)
        model.holders[free] = id
      case 8:
        guard let taken else { continue }
        remove(taken, place)
        model.holders[taken] = nil
      case 9:
        // As many leases as before, one of the same name among them.
        guard let taken, let free else { continue }
        remove(taken, place)
        try make(taken, id, place)
        try make(free, id, place)
        remove(free, place)
        model.holders[taken] = id
      case 10:
        // As many as before, of others, and of the same holder.
        guard let taken, let free, let moved = model.holders[taken] else { continue }
        remove(taken, place)
        try make(free, moved, place)
        model.holders[taken] = nil
        model.holders[free] = moved
      default: damage(place, &random)
      }
      let expected = model.holders.mapValues { "\($0)\r\neth0" }
      #expect(place.files.filter { !$0.key.hasPrefix("last_") } == expected, "\(what)")
      let access: [LeaseDirectory.Access] = [.reading, .releasing, .leasing]
      try compare(place, model, access[step % 3], what)
    }
    #expect(try place.isIndexGood())
  }
}
