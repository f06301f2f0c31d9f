import Addresses
import Foundation
import Linux
import TestSupport
import Testing

@testable import LeaseFiles

@Suite("The leases of a network") struct StoreTests {
  @Test("are files with the address as name, made whole, and gone when they are released")
  func files() throws {
    let place = try Place()
    do {
      var store = try place.open()
      #expect(try store.lease(ip("10.0.0.2"), to: holder("a"), set: 0))
      #expect(try store.lease(ip("fd00::2"), to: holder("a"), set: 1))
      store.commit()
      #expect(store.notes == [])
    }
    #expect(
      place.files == [
        "10.0.0.2": "a\r\neth0", "fd00::2": "a\r\neth0", "last_reserved_ip.0": "10.0.0.2",
        "last_reserved_ip.1": "fd00::2",
      ])
    for (name, mode) in [("10.0.0.2", 0o600), ("last_reserved_ip.0", 0o600), ("lock", 0o750)] {
      let status = try FileStatus(path: place.location.path + "/" + name)
      #expect(status.permissions == UInt32(mode), "\(name)")
    }
    #expect(try FileStatus(path: place.location.path).permissions == 0o755)
    #expect(try place.isIndexGood())
    do {
      var store = try place.open(.releasing)
      #expect(try store.releaseAll(of: holder("a")) == [ip("10.0.0.2"), ip("fd00::2")])
      store.commit()
    }
    #expect(place.files.keys.sorted() == ["last_reserved_ip.0", "last_reserved_ip.1"])
    #expect(try place.isIndexGood())
  }

  @Test("are not made, and no directory either, by one who only reads or releases")
  func nothing() throws {
    let place = try Place()
    for access in [LeaseDirectory.Access.reading, .releasing] {
      let store = try LeaseDirectory.open(
        place.location, for: access, reclaims: true, until: .after(.seconds(1)))
      let isNothing = store == nil
      #expect(isNothing)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.temporary.path) == [])
  }

  @Test("are found again when another program made or removed files meanwhile")
  func others() throws {
    let place = try Place()
    do {
      var store = try place.open()
      _ = try store.lease(ip("10.0.0.2"), to: holder("a"), set: 0)
      store.commit()
    }
    try place.write("10.0.0.3", "b\r\neth0")
    #expect(try !place.isIndexGood())
    do {
      var store = try place.open()
      #expect(try store.addresses(of: holder("b")) == [ip("10.0.0.3")])
      #expect(
        try store.firstFree(in: range("10.0.0.2", "10.0.0.9"), leavingRemembered: true)
          == ip("10.0.0.4"))
    }
    #expect(try place.isIndexGood())
    try FileManager.default.removeItem(atPath: place.location.path + "/10.0.0.2")
    var store = try place.open()
    #expect(try store.addresses(of: holder("a")) == [])
    #expect(try store.isFree(ip("10.0.0.2")))
  }

  @Test("are believed before the index: an address that is taken is not leased again")
  func wrongIndex() throws {
    let place = try Place()
    do {
      var store = try place.open()
      _ = try store.lease(ip("10.0.0.2"), to: holder("a"), set: 0)
      store.commit()
    }
    // The worst case: a lease that the index lacks, and a directory that looks unchanged.
    let stamp = try FileStatus(path: place.location.path).modified
    try place.write("10.0.0.3", "b\r\neth0")
    try FileManager.default.removeItem(atPath: place.location.path + "/10.0.0.2")
    try Directory(path: place.location.path).setModified(stamp)
    #expect(try place.isIndexGood())
    var store = try place.open()
    #expect(try store.lease(ip("10.0.0.3"), to: holder("c"), set: 0) == false)
    #expect(try store.addresses(of: holder("b")) == [ip("10.0.0.3")])
    #expect(try store.addresses(of: holder("a")) == [])
    #expect(try store.releaseAll(of: holder("a")) == [])
  }

  @Test("of a container as a whole, as early plugins wrote them, are its interface's")
  func legacy() throws {
    let place = try Place()
    try place.write("10.0.0.2", "a")
    try place.write("10.0.0.3", "b")
    var store = try place.open()
    #expect(try store.addresses(of: holder("a")) == [ip("10.0.0.2")])
    #expect(try store.releaseAll(of: holder("a")) == [ip("10.0.0.2")])
    #expect(place.files.keys.sorted() == ["10.0.0.3"])
  }

  @Test("that are empty or torn do not count, unless another program may be writing them")
  func torn() throws {
    let place = try Place()
    try place.write("10.0.0.2", "")
    try place.write("10.0.0.3", "c1\0\0\0\0")
    try place.write("10.0.0.4", "", age: 0)
    do {
      var store = try place.open()
      #expect(
        try store.firstFree(in: range("10.0.0.2", "10.0.0.9"), leavingRemembered: true)
          == ip("10.0.0.2"))
      #expect(try store.isFree(ip("10.0.0.3")))
      #expect(try !store.isFree(ip("10.0.0.4")))
      store.commit()
    }
    #expect(place.files.keys.sorted() == ["10.0.0.4"])
    #expect(try !place.isIndexGood())
    try place.write("10.0.0.4", "", age: 5)
    var store = try place.open()
    #expect(try store.isFree(ip("10.0.0.4")))
  }

  @Test("leave alone, and never give, what is no regular file, too large, or says something else")
  func foreign() throws {
    let place = try Place()
    try FileManager.default.createDirectory(
      atPath: place.location.path + "/10.0.0.2", withIntermediateDirectories: true)
    try place.temporary.write("a\r\neth0", to: "elsewhere")
    try FileManager.default.createSymbolicLink(
      atPath: place.location.path + "/10.0.0.3",
      withDestinationPath: place.temporary.path + "/elsewhere")
    #expect(mkfifo(place.location.path + "/10.0.0.4", 0o600) == 0)
    try place.write("10.0.0.5", "kept for the printer\n")
    try place.write("10.0.0.6", String(repeating: "a", count: 5000))
    try place.write("README", "not a lease")
    try place.write("10.0.0.007", "not an address\r\neth0")
    do {
      var store = try place.open()
      #expect(
        try store.firstFree(in: range("10.0.0.2", "10.0.0.9"), leavingRemembered: true)
          == ip("10.0.0.7"))
      #expect(try store.addresses(of: holder("a")) == [])
      #expect(try store.lease(ip("10.0.0.3"), to: holder("b"), set: 0) == false)
      try store.releaseAll(but: [])
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: place.location.path).sorted()
    #expect(
      names == [
        "10.0.0.007", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "README", "lock",
      ])
    #expect(place.temporary.read("elsewhere") == "a\r\neth0")
  }

  @Test("of attachments that are not valid are released, those of whole containers with care")
  func collected() throws {
    let place = try Place()
    for (name, content) in [
      ("10.0.0.2", "a\r\neth0"), ("10.0.0.3", "a\r\neth1"), ("10.0.0.4", "b\r\neth0"),
      ("10.0.0.5", "a"), ("10.0.0.6", "c"), ("last_reserved_ip.0", "10.0.0.6"),
    ] {
      try place.write(name, content)
    }
    var store = try place.open(.releasing)
    try store.releaseAll(but: [holder("a")])
    #expect(place.files.keys.sorted() == ["10.0.0.2", "10.0.0.5", "last_reserved_ip.0"])
    #expect(try place.isIndexGood())
    try store.releaseAll(but: [])
    #expect(place.files.keys.sorted() == ["last_reserved_ip.0"])
  }

  @Test("of one holder may be thousands, as a script may have made them")
  func same() throws {
    let place = try Place()
    for number in 1...3000 {
      try place.temporary.write("dummy", to: "net/10.0.\(number >> 8).\(number & 255)")
    }
    do {
      var store = try place.open()
      #expect(try store.addresses(of: holder("dummy")).count == 3000)
      let all = range("10.0.0.1", "10.0.255.254")
      #expect(try store.firstFree(in: all, leavingRemembered: true) == ip("10.0.11.185"))
      #expect(try store.lease(ip("10.0.11.185"), to: holder("a"), set: nil))
      store.commit()
    }
    #expect(try place.isIndexGood())
    do {
      var store = try place.open()
      let few = (1...3).map { ip("10.0.7.\($0)") }
      #expect(Set(try store.release(few, of: holder("dummy"))) == Set(few))
      #expect(try store.releaseAll(of: holder("dummy")).count == 2997)
      store.commit()
    }
    #expect(try place.isIndexGood())
    #expect(place.files == ["10.0.11.185": "a\r\neth0"])
  }

  @Test("work without an index where none can be kept")
  func noIndex() throws {
    let place = try Place()
    // A file where the directory would be.
    try place.temporary.write("", to: ".patchbay")
    do {
      var store = try place.open()
      #expect(try store.lease(ip("10.0.0.2"), to: holder("a"), set: 0))
      store.commit()
      #expect(store.notes.count == 1)
    }
    var store = try place.open()
    #expect(try store.addresses(of: holder("a")) == [ip("10.0.0.2")])
    #expect(place.files["10.0.0.2"] == "a\r\neth0")
  }

  @Test("survive whatever is in the index's file")
  func garbage() throws {
    let place = try Place()
    var random = SeededGenerator(11)
    for round in 0..<60 {
      do {
        var store = try place.open()
        let address = ip("10.0.0.\(round + 1)")
        #expect(try store.lease(address, to: holder("c\(round)"), set: 0))
        store.commit()
      }
      let file = try FileDescriptor.open(place.location.privatePath + "/index", .readWrite)
      let size = try file.status().size
      switch round % 3 {
      case 0: try file.truncate(to: Int64.random(in: 0..<size, using: &random))
      case 1:
        let octets = (0..<64).map { _ in UInt8.random(in: 0...255, using: &random) }
        try file.write(octets, at: Int64.random(in: 0..<size, using: &random))
      default: try file.write([UInt8](repeating: 0, count: Int(size)), at: 0)
      }
    }
    var store = try place.open()
    for round in 0..<60 {
      #expect(try store.addresses(of: holder("c\(round)")) == [ip("10.0.0.\(round + 1)")])
    }
  }

  @Test("are listed with holder, age and state, also without a lock and an index")
  func listed() throws {
    let place = try Place()
    #expect(try LeaseList.entries(at: place.location) == [])
    try place.write("10.0.0.10", "a\r\neth0", age: 60)
    try place.write("10.0.0.9", "b\r\neth0", age: 1e9)
    try place.write("10.0.0.8", "")
    try place.write("last_reserved_ip.0", "10.0.0.9")
    let entries = try LeaseList.entries(at: place.location)
    #expect(entries.map(\.address) == ["10.0.0.8", "10.0.0.9", "10.0.0.10"].map(ip))
    #expect(entries.map(\.state) == [.torn, .stale, .held])
    #expect(entries.map(\.holder) == [nil, holder("b"), holder("a")])
    let since = try #require(entries.last?.since)
    #expect(abs(Double(since) / 1e9 - Date().timeIntervalSince1970 + 60) < 5)
    #expect(try LeaseList.networks(in: place.temporary.path) == ["net"])
    #expect(try LeaseList.networks(in: place.temporary.path + "/none") == [])
  }
}
