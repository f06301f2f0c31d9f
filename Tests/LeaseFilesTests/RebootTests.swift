import Addresses
import Foundation
import Linux
import TestSupport
import Testing

@testable import LeaseFiles

@Suite("After the machine was started again") struct RebootTests {
  private func leased(_ place: Place) throws {
    var store = try place.open()
    #expect(try store.lease(ip("10.0.0.2"), to: holder("a"), set: 0))
    #expect(try store.lease(ip("10.0.0.3"), to: holder("b"), set: 0))
    store.commit()
  }

  @Test("all leases that the index of the last boot knew are free, however new their files are")
  func own() throws {
    let place = try Place()
    try leased(place)
    try place.reboot()
    #expect(try LeaseList.entries(at: place.location).map(\.state) == [.stale, .stale])
    do {
      var store = try place.open()
      #expect(try store.addresses(of: holder("a")) == [])
      #expect(try store.isFree(ip("10.0.0.2")))
    }
    #expect(place.files == ["last_reserved_ip.0": "10.0.0.3"])
  }

  @Test("one who only reads sees them free, and leaves them where they are")
  func reading() throws {
    let place = try Place()
    try leased(place)
    try place.reboot()
    var store = try place.open(.reading)
    #expect(try store.addresses(of: holder("a")) == [])
    #expect(try store.isFree(ip("10.0.0.2")))
    #expect(place.files.count == 3)
  }

  @Test("leases that were made since are kept, and those older than the boot are not")
  func others() throws {
    let place = try Place()
    try leased(place)
    try place.reboot()
    try place.write("10.0.0.4", "c\r\neth0", age: 0)
    try place.write("10.0.0.5", "d\r\neth0", age: Clock.sinceBoot.seconds + 100)
    var store = try place.open()
    #expect(try store.addresses(of: holder("c")) == [ip("10.0.0.4")])
    #expect(try store.addresses(of: holder("d")) == [])
    #expect(place.files["10.0.0.5"] == nil)
  }

  @Test("all are kept where the configuration says so")
  func kept() throws {
    let place = try Place()
    try leased(place)
    try place.write("10.0.0.5", "d\r\neth0", age: Clock.sinceBoot.seconds + 100)
    try place.reboot()
    var store = try place.open(reclaims: false)
    for (id, address) in [("a", "10.0.0.2"), ("b", "10.0.0.3"), ("d", "10.0.0.5")] {
      #expect(try store.addresses(of: holder(id)) == [ip(address)])
    }
  }

  @Test("leases of this boot are kept though the clock was set forward since")
  func clock() throws {
    let place = try Place()
    try leased(place)
    // As it was before the clock was set: the boot seemed earlier, and so are the leases.
    let boot = Boot.identifier()
    let earlier = Boot.moment - 7_200_000_000_000
    let record =
      "\(String(boot.first, radix: 16)) \(String(boot.second, radix: 16)) \(earlier) end"
    try place.temporary.write(record, to: ".patchbay/net/boot")
    try place.write("10.0.0.6", "e\r\neth0", age: Clock.sinceBoot.seconds + 3600)
    try place.write("10.0.0.7", "f\r\neth0", age: Clock.sinceBoot.seconds + 9000)
    var store = try place.open()
    #expect(try store.addresses(of: holder("e")) == [ip("10.0.0.6")])
    #expect(try store.addresses(of: holder("f")) == [])
  }
}

extension RebootTests {
  @Test("its beginning is noted before anything else, so that a clock set later changes nothing")
  func noted() throws {
    let place = try Place()
    try leased(place)
    try place.reboot()
    let record = place.location.privatePath + "/boot"
    try FileManager.default.removeItem(atPath: record)
    do {
      var store = try place.open()
      #expect(try store.lease(ip("10.0.0.9"), to: holder("c"), set: 0))
      store.commit()
    }
    let bytes = try #require(FileManager.default.contents(atPath: record))
    let noted = try #require(BootRecord(Array(bytes)))
    #expect(noted.identifier == Boot.identifier())
    #expect(abs(noted.moment - Boot.moment) < 60_000_000_000)
  }

  @Test("leases that were found good in this boot are not judged by their age again")
  func judged() throws {
    let place = try Place()
    try leased(place)
    // As where the clock stood elsewhere when these were made.
    for name in ["10.0.0.2", "10.0.0.3"] {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -Clock.sinceBoot.seconds - 9000)],
        ofItemAtPath: "\(place.location.path)/\(name)")
    }
    do {
      var store = try place.open(.releasing)
      try store.releaseAll(but: [holder("a"), holder("b")])
    }
    #expect(place.files.count == 3)
    // The index is damaged behind its first page.
    let file = try FileDescriptor.open(place.location.privatePath + "/index", .readWrite)
    let size = try file.status().size
    try file.write([UInt8](repeating: 0xff, count: Int(size) - 4096), at: 4096)
    var store = try place.open()
    #expect(try store.addresses(of: holder("a")) == [ip("10.0.0.2")])
    #expect(try store.addresses(of: holder("b")) == [ip("10.0.0.3")])
  }
}

extension Duration {
  fileprivate var seconds: TimeInterval { TimeInterval(nanoseconds) / 1e9 }
}
