import Addresses
import Testing

@Suite("Prefixes")
struct PrefixTests {
  @Test(
    "network, last address, mask and notation",
    arguments: [
      ("192.168.0.1/24", "192.168.0.0", "192.168.0.255", "255.255.255.0"),
      ("10.1.2.3/8", "10.0.0.0", "10.255.255.255", "255.0.0.0"),
      ("10.1.2.3/32", "10.1.2.3", "10.1.2.3", "255.255.255.255"),
      ("10.1.2.3/31", "10.1.2.2", "10.1.2.3", "255.255.255.254"),
      ("10.1.2.3/0", "0.0.0.0", "255.255.255.255", "0.0.0.0"),
      ("172.16.5.130/25", "172.16.5.128", "172.16.5.255", "255.255.255.128"),
      ("2001:db8::1/64", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff::"),
      ("::1/128", "::1", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
      ("fe80::1/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::"),
      (
        "2001:db8::8001/113", "2001:db8::8000", "2001:db8::ffff",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:8000"
      ),
    ])
  func parts(text: String, network: String, last: String, mask: String) throws {
    let prefix = try IPPrefix(text)
    #expect(prefix.description == text)
    #expect(prefix.network.description == network)
    #expect(prefix.last.description == last)
    #expect(prefix.mask.description == mask)
    #expect(prefix.masked.description == "\(network)/\(prefix.length)")
    #expect(prefix.contains(prefix.address) && prefix.contains(prefix.network))
    #expect(prefix.contains(prefix.last))
    #expect(prefix.last.successor.map(prefix.contains) != true)
    #expect(prefix.network.predecessor.map(prefix.contains) != true)
  }

  @Test(
    "what is not a prefix says what would be one",
    arguments: [
      ("", "no prefix length; write it as ADDRESS/LENGTH"),
      ("10.0.0.1", "no prefix length; write it as ADDRESS/LENGTH"),
      ("/24", "\"\" is not an IP address"),
      ("10.0.0/24", "\"10.0.0\" is not an IP address"),
      ("10.0.0.1/33", "prefix length \"33\" is not in 0…32"),
      ("10.0.0.1/", "prefix length \"\" is not in 0…32"),
      ("10.0.0.1/-1", "prefix length \"-1\" is not in 0…32"),
      ("10.0.0.1/+8", "prefix length \"+8\" is not in 0…32"),
      ("10.0.0.1/8/8", "prefix length \"8/8\" is not in 0…32"),
      ("10.0.0.1/255.0.0.0", "prefix length \"255.0.0.0\" is not in 0…32"),
      ("10.0.0.1/999999999999999999999", "prefix length \"999999999999999999999\" is not in 0…32"),
      ("::/129", "prefix length \"129\" is not in 0…128"),
      ("::/256", "prefix length \"256\" is not in 0…128"),
    ])
  func rejects(text: String, expected: String) {
    let error = #expect(throws: IPPrefix.ParseError.self) { try IPPrefix(text) }
    #expect(error?.description == expected)
  }

  @Test("a length may have zeros before it", arguments: [("10.0.0.1/08", 8), ("::1/0064", 64)])
  func zeros(text: String, length: UInt8) throws {
    #expect(try IPPrefix(text).length == length)
  }

  @Test("a length beyond the family's bits makes none")
  func lengths() throws {
    let address = try #require(IPAddress("10.0.0.1"))
    #expect(IPPrefix(address, length: 32) != nil && IPPrefix(address, length: 33) == nil)
    let other = try #require(IPAddress("::1"))
    #expect(IPPrefix(other, length: 128) != nil && IPPrefix(other, length: 129) == nil)
  }

  @Test(
    "prefixes that share an address",
    arguments: [
      ("10.0.0.0/8", "10.1.0.0/16", true), ("10.1.0.0/16", "10.0.0.0/8", true),
      ("10.0.0.7/24", "10.0.0.200/24", true), ("10.0.0.0/25", "10.0.0.128/25", false),
      ("0.0.0.0/0", "::/0", false), ("::/0", "fe80::/10", true),
    ])
  func overlaps(first: String, second: String, expected: Bool) throws {
    #expect(try IPPrefix(first).overlaps(IPPrefix(second)) == expected)
  }

  @Test("an address of the other family is in none")
  func families() throws {
    let address = try #require(IPAddress("::ffff:10.0.0.1"))
    #expect(try !IPPrefix("0.0.0.0/0").contains(address))
  }
}

@Suite("Ranges")
struct RangeTests {
  private func range(_ first: String, _ last: String) -> IPRange? {
    guard let first = IPAddress(first), let last = IPAddress(last) else { return nil }
    return IPRange(first, last)
  }

  @Test("from the first to the last, both included")
  func membership() throws {
    let range = try #require(self.range("10.0.0.2", "10.0.1.1"))
    #expect(range.count == 256)
    #expect(range.description == "10.0.0.2…10.0.1.1")
    for (text, expected) in [
      ("10.0.0.1", false), ("10.0.0.2", true), ("10.0.0.255", true), ("10.0.1.1", true),
      ("10.0.1.2", false), ("::a00:2", false),
    ] { #expect(range.contains(try #require(IPAddress(text))) == expected, "\(text)") }
  }

  @Test("there is none backwards, and none from one family to the other")
  func illegal() {
    #expect(range("10.0.0.2", "10.0.0.1") == nil)
    #expect(range("10.0.0.2", "::ffff:ffff") == nil)
    #expect(range("10.0.0.2", "10.0.0.2")?.count == 1)
  }

  @Test("the range of a prefix, and how many addresses it has")
  func prefixes() throws {
    #expect(IPRange(try IPPrefix("10.0.0.7/30")) == range("10.0.0.4", "10.0.0.7"))
    #expect(IPRange(try IPPrefix("::/64")).count == 1 << 64)
    #expect(IPRange(try IPPrefix("::/0")).count == .max)
  }

  @Test("ranges that share an address")
  func overlaps() throws {
    let range = try #require(self.range("10.0.0.10", "10.0.0.20"))
    for (first, last, expected) in [
      ("10.0.0.1", "10.0.0.9", false), ("10.0.0.1", "10.0.0.10", true),
      ("10.0.0.20", "10.0.0.30", true), ("10.0.0.21", "10.0.0.30", false),
      ("10.0.0.12", "10.0.0.13", true), ("0.0.0.0", "255.255.255.255", true),
      ("::", "::ffff:ffff", false),
    ] {
      let other = try #require(self.range(first, last))
      #expect(range.overlaps(other) == expected && other.overlaps(range) == expected)
    }
  }
}

@Suite("MAC addresses")
struct MACAddressTests {
  @Test(
    "six groups of two digits, with colons or hyphens",
    arguments: [
      ("0a:58:0a:01:00:02", "0a:58:0a:01:00:02"), ("0A-58-0A-01-00-02", "0a:58:0a:01:00:02"),
      ("ff:ff:ff:ff:ff:ff", "ff:ff:ff:ff:ff:ff"), ("00:00:00:00:00:00", "00:00:00:00:00:00"),
    ])
  func texts(text: String, expected: String) { #expect(MACAddress(text)?.description == expected) }

  @Test(
    "what is not one",
    arguments: [
      "", "0a:58:0a:01:00", "0a:58:0a:01:00:02:03", "0a:58:0a:01:00:2", "0a58.0a01.0002",
      "0a580a010002", "0a:58:0a:01:00:0g", "0a:58-0a:01:00:02", "+a:58:0a:01:00:02",
      "-0:00:00:00:00:00", "00:-0:00:00:00:00", "00:00:00:00:00:+1", " a:58:0a:01:00:02",
      "0a:58:0a:01:00:02 ", "0a58:0a:01:00:02:", "::::::::::::::::: ",
    ])
  func rejects(text: String) { #expect(MACAddress(text) == nil) }

  @Test("six octets, no more and no less")
  func bytes() {
    #expect(MACAddress(bytes: [1, 2, 3, 4, 5, 6])?.bytes == [1, 2, 3, 4, 5, 6])
    #expect(MACAddress(bytes: [1, 2, 3, 4, 5]) == nil)
    #expect(MACAddress(bytes: [1, 2, 3, 4, 5, 6, 7]) == nil)
  }

  @Test("for one receiver, and not all zeros")
  func unicast() {
    #expect(MACAddress("0a:58:0a:01:00:02")?.isUnicast == true)
    #expect(MACAddress("01:00:5e:00:00:01")?.isUnicast == false)
    #expect(MACAddress("00:00:00:00:00:00")?.isUnicast == false)
    #expect(!MACAddress.broadcast.isUnicast)
  }

  @Test(
    "one that is administered locally has one receiver, and 46 bits of the number",
    arguments: [
      (0, "02:00:00:00:00:00"), (0x0102_0304_0506, "02:02:03:04:05:06"),
      (0xffff_ffff_ffff, "fe:ff:ff:ff:ff:ff"), (0xffff_0000_0000_0000, "02:00:00:00:00:00"),
      (0x0a58_0a01_0002, "0a:58:0a:01:00:02"), (.max, "fe:ff:ff:ff:ff:ff"),
    ] as [(UInt64, String)])
  func local(_ number: UInt64, _ text: String) {
    let address = MACAddress(administeredLocally: number)
    #expect(address.description == text)
    #expect(address.isUnicast)
  }
}
