import Addresses
import Testing

@Suite("IP addresses")
struct IPAddressTests {
  @Test(
    "texts of RFC 4291 and the form of RFC 5952 in which they are written",
    arguments: [
      // RFC 4291 §2.2
      ("ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", "abcd:ef01:2345:6789:abcd:ef01:2345:6789"),
      ("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"),
      ("FF01:0:0:0:0:0:0:101", "ff01::101"),
      ("0:0:0:0:0:0:0:1", "::1"), ("0:0:0:0:0:0:0:0", "::"), ("::", "::"), ("::1", "::1"),
      ("0:0:0:0:0:0:13.1.68.3", "::d01:4403"), ("::13.1.68.3", "::d01:4403"),
      ("0:0:0:0:0:FFFF:129.144.52.38", "::ffff:129.144.52.38"),
      ("::FFFF:129.144.52.38", "::ffff:129.144.52.38"),
      ("::ffff:8190:3426", "::ffff:129.144.52.38"),
      // RFC 5952 §2 and §4
      ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
      ("2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
      ("2001:db8::1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"),
      ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"),
      ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
      ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
      ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("0:0:1:0:0:0:1:0", "0:0:1::1:0"),
      ("2001:db8:aaaa:bbbb:cccc:dddd:eeee:AAAA", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa"),
      ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
      ("1::", "1::"), ("fe80::", "fe80::"), ("0:0::0:0", "::"),
      ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
      // dotted decimal
      ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("10.1.0.2", "10.1.0.2"),
    ])
  func texts(text: String, expected: String) throws {
    let address = try #require(IPAddress(text))
    #expect(address.description == expected)
    #expect(IPAddress(expected) == address)
    #expect(IPAddress(bytes: address.bytes) == address)
    #expect(address.isIPv6 == text.contains(":"))
  }

  @Test(
    "what is not an address",
    arguments: [
      "", " ", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.999", "01.2.3.4", "1.2.3.04", "1.2.3.4 ",
      " 1.2.3.4", "+1.2.3.4", "-1.2.3.4", "1..3.4", "1.2.3.", ".1.2.3", "0x1.2.3.4", "1.2.3.4/24",
      "1234",
      "1.2.3.1000", "１.2.3.4", "1.2.3.4\0", ":", ":::", "::::", "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1::2::3", "1:::2", ":1:2:3:4:5:6:7:8",
      "1:2:3:4:5:6:7:8:", ":1::", "::1:", "12345::", "g::", "::+1", "::-1", "::-0", "::0x1",
      "fe80::1%eth0", "[::1]", "::1.2.3", "::1.2.3.256", "::01.2.3.4", "1.2.3.4::", "::1.2.3.4:5",
      "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.4.5", "::ffff:1.2.3.4/96", ":: 1",
    ])
  func rejects(text: String) { #expect(IPAddress(text) == nil) }

  @Test("an IPv6 address that maps an IPv4 one stays IPv6")
  func mapped() throws {
    let mapped = try #require(IPAddress("::ffff:10.0.0.1"))
    #expect(mapped.family == .v6)
    #expect(mapped != IPAddress("10.0.0.1"))
  }

  @Test("octets in network byte order, four or sixteen")
  func bytes() {
    #expect(IPAddress("10.1.2.3")?.bytes == [10, 1, 2, 3])
    #expect(
      IPAddress("2001:db8::ff")?.bytes == [
        0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
      ])
    for count in [0, 1, 3, 5, 15, 17] {
      #expect(IPAddress(bytes: [UInt8](repeating: 1, count: count)) == nil)
    }
    #expect(IPAddress(.v4, value: 1 << 32) == nil)
    #expect(IPAddress(.v6, value: .max)?.description == "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
  }

  @Test(
    "the address after and the one before",
    arguments: [
      ("10.0.0.255", "10.0.1.0"), ("255.255.255.254", "255.255.255.255"),
      ("2001:db8::ffff", "2001:db8::1:0"), ("::ffff:255.255.255.255", "::1:0:0:0"),
      ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ])
  func neighbours(first: String, second: String) throws {
    #expect(try #require(IPAddress(first)).successor == IPAddress(second))
    #expect(try #require(IPAddress(second)).predecessor == IPAddress(first))
  }

  @Test("there is nothing after the last and before the first")
  func ends() {
    #expect(IPAddress("255.255.255.255")?.successor == nil)
    #expect(IPAddress(.v6, value: .max)?.successor == nil)
    #expect(IPAddress("0.0.0.0")?.predecessor == nil)
    #expect(IPAddress("::")?.predecessor == nil)
  }

  @Test("IPv4 comes before IPv6, then by number")
  func order() {
    let texts = ["0.0.0.0", "9.255.255.255", "10.0.0.0", "255.255.255.255", "::", "::1", "2001::"]
    let addresses = texts.compactMap { IPAddress($0) }
    #expect(addresses.count == texts.count)
    #expect(addresses.reversed().sorted() == addresses)
  }

  @Test("what is printed is parsed as the same address")
  func roundTrip() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<5000 {
      // Many groups are zero, so that runs of every length and place occur.
      let bytes = (0..<8).flatMap { _ -> [UInt8] in
        Bool.random(using: &generator)
          ? [0, 0] : [UInt8.random(in: 0...255), UInt8.random(in: 0...255)]
      }
      let address = IPAddress(bytes: bytes)
      #expect(address != nil && IPAddress(address?.description ?? "") == address)
    }
  }
}
