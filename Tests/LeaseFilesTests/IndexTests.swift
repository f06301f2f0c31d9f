import Addresses
import Linux
import TestSupport
import Testing

@testable import LeaseFiles

@Suite("The index") struct IndexTests {
  @Test("finds what was put in, and nothing else, as a dictionary does")
  func table() throws {
    var random = SeededGenerator(7)
    var index = try emptyIndex()
    var model: [Digest: UInt64] = [:]
    for step in 0..<20_000 {
      let key = Digest(
        first: UInt64.random(in: 0..<6000, using: &random) &* 0x9e37_79b9_7f4a_7c15,
        second: 1)
      if step % 3 == 2 {
        try index.remove(key)
        model[key] = nil
      } else {
        try index.insert(key, (UInt64(step), 0, 0))
        model[key] = UInt64(step)
      }
      if step % 4000 == 0 {
        for (key, value) in model { #expect(try index.find(key)?.0 == value) }
      }
    }
    for number in 0..<6000 as Range<UInt64> {
      let key = Digest(first: number &* 0x9e37_79b9_7f4a_7c15, second: 1)
      #expect(try index.find(key)?.0 == model[key])
    }
  }

  @Test("gives up on keys that cannot be told apart by their first word")
  func collisions() throws {
    var index = try emptyIndex()
    #expect(throws: IndexFault.self) {
      for number in 0..<1000 as Range<UInt64> {
        try index.insert(Digest(first: 5, second: number), (0, 0, 0))
      }
    }
  }

  @Test("keeps the addresses of each holder in order")
  func holders() throws {
    var index = try emptyIndex()
    let one = ["10.0.0.9", "10.0.0.3", "fd00::1"].map(ip)
    for address in one { try index.add(address, of: holder("a")) }
    try index.add(ip("10.0.0.4"), of: holder("a", "eth1"))
    try index.add(ip("10.0.0.5"), of: holder("a", nil))
    #expect(try index.addresses(of: holder("a")) == one)
    try index.remove(one[0], of: holder("a"))
    #expect(try index.addresses(of: holder("a")) == Array(one[1...]))
    #expect(try index.addresses(of: holder("a", "eth1")) == [ip("10.0.0.4")])
    #expect(try index.addresses(of: holder("a", nil)) == [ip("10.0.0.5")])
    #expect(throws: IndexFault.self) { try index.add(one[1], of: holder("b")) }
    #expect(throws: IndexFault.self) { try index.remove(one[0], of: holder("a")) }
    try index.remove(one[2], of: holder("a"))
    try index.remove(one[1], of: holder("a"))
    #expect(try index.addresses(of: holder("a")).isEmpty)
    #expect(try index.addresses(of: holder("b")).isEmpty)
  }

  @Test(
    "finds the next free address as a search through all does",
    arguments: ["10.0.0.0", "255.255.192.0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:0"])
  func nextFree(base: String) throws {
    var random = SeededGenerator(UInt64(base.utf8.count))
    var index = try emptyIndex()
    let first = ip(base)
    let span: UInt128 = 40_000
    let last = min(
      first.value + span, first.isIPv6 ? UInt128.max : UInt128(UInt32.max))
    var taken: Set<UInt128> = []
    func model(_ from: UInt128, _ to: UInt128) -> UInt128? {
      var position = from
      while position <= to {
        if !taken.contains(position) { return position }
        if position == .max { return nil }
        position += 1
      }
      return nil
    }
    func set(_ value: UInt128, _ isTaken: Bool) throws {
      try index.mark(IPAddress(first.family, value: value)!, isTaken, in: .leased)
      if isTaken { taken.insert(value) } else { taken.remove(value) }
    }
    // Long runs, so that whole bitmaps are full, with holes made later.
    for value in first.value...min(last, first.value + 36_000) { try set(value, true) }
    for round in 0..<300 {
      let value = UInt128.random(in: first.value...last, using: &random)
      try set(value, round % 3 == 0)
      let from = UInt128.random(in: first.value...last, using: &random)
      let to = UInt128.random(in: from...last, using: &random)
      let found = try index.firstFree(
        in: IPRange(
          IPAddress(first.family, value: from)!, IPAddress(first.family, value: to)!), .leased)
      #expect(found?.value == model(from, to))
    }
  }

  @Test("knows at once that a range of 65,536 addresses is full")
  func full() throws {
    var index = try emptyIndex()
    for value in 0..<65_536 as Range<UInt128> {
      try index.mark(IPAddress(.v4, value: 0x0a00_0000 + value)!, true, in: .leased)
    }
    let all = range("10.0.0.0", "10.0.255.255")
    #expect(try index.firstFree(in: all, .leased) == nil)
    #expect(
      try index.firstFree(in: range("10.0.0.0", "10.1.0.0"), .leased) == ip("10.1.0.0"))
    try index.mark(ip("10.0.200.7"), false, in: .leased)
    #expect(try index.firstFree(in: all, .leased) == ip("10.0.200.7"))
    #expect(try index.firstFree(in: range("10.0.200.8", "10.0.255.255"), .leased) == nil)
  }

  @Test("is refused where any octet of a page was changed, and never traps")
  func damage() throws {
    let place = try Place()
    let path = place.temporary.path + "/index"
    func file() throws -> FileDescriptor { try .open(path, [.readWrite, .create]) }
    var index = LeaseIndex(PageFile(try file(), isWritable: true))
    try index.reset(key: Digest(first: 1, second: 2), boot: .none)
    for number in 1..<200 {
      try index.add(ip("10.0.\(number).1"), of: holder("c\(number)"))
    }
    try index.pages.write()
    var random = SeededGenerator(3)
    let size = try FileStatus(path: path).size
    for _ in 0..<600 {
      let offset = Int64.random(in: 0..<size, using: &random)
      let octet = try file().read(at: offset, count: 1)[0]
      try file().write([octet ^ UInt8.random(in: 1...255, using: &random)], at: offset)
      var damaged = LeaseIndex(PageFile(try file(), isWritable: false))
      if damaged.isReadable() {
        for number in 1..<200 {
          let found = try? damaged.addresses(of: holder("c\(number)"))
          #expect(found == nil || found == [ip("10.0.\(number).1")])
          _ = try? damaged.firstFree(in: range("10.0.0.0", "10.0.255.255"), .leased)
        }
      }
      try file().write([octet], at: offset)
    }
    for size in stride(from: 0, to: size, by: 1000) {
      try file().truncate(to: size)
      var cut = LeaseIndex(PageFile(try file(), isWritable: false))
      if cut.isReadable() { _ = try? cut.addresses(of: holder("c7")) }
    }
  }
}

@Suite("A lease's file") struct LeaseHolderTests {
  @Test(
    "names its holder",
    arguments: [
      ("c1\r\neth0", "c1", "eth0"), ("c1", "c1", nil), ("c1\r\neth0\r\n", "c1", "eth0"),
      ("  c1\r\neth0 \n", "c1", "eth0"), ("c1\neth0", "c1", "eth0"), ("c1\r\n", "c1", nil),
      ("c-1_x.y", "c-1_x.y", nil),
    ] as [(String, String, String?)])
  func legal(content: String, id: String, name: String?) {
    #expect(LeaseHolder(content: Array(content.utf8)) == holder(id, name))
  }

  @Test(
    "names no holder where it is empty, torn or something else",
    arguments: [
      "", "\r\n", "   ", "\0\0\0\0\0\0\0\0", "c1\0\0\0\0", "c1\r\neth0\r\nmore", "two words",
      "c1\r\n\u{1}", String(repeating: "x", count: 5000),
    ])
  func illegal(content: String) {
    #expect(LeaseHolder(content: Array(content.utf8)) == nil)
  }

  @Test("is written as the reference plugin writes it")
  func content() {
    #expect(String(decoding: holder("c1").content, as: UTF8.self) == "c1\r\neth0")
    #expect(LeaseHolder(content: holder("c1").content) == holder("c1"))
  }
}
