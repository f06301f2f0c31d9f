import Addresses
import TestSupport
import Testing

@testable import Netlink

@Suite struct AnnouncementTests {
  let mac: MACAddress

  init() throws { mac = try #require(MACAddress("0a:58:0a:01:00:02")) }

  @Test("an IPv4 address is announced by a request and by a reply")
  func arp() throws {
    let frames = Announcement.frames(try #require(IPAddress("10.1.0.2")), mac: mac)
    #expect(
      frames == [
        octets(
          """
          ffffffffffff 0a580a010002 0806  # to all, from us, ARP
          0001 0800 06 04 0001            # Ethernet, IPv4, lengths, request
          0a580a010002 0a010002           # sender
          000000000000 0a010002           # target
          """),
        octets(
          """
          ffffffffffff 0a580a010002 0806
          0001 0800 06 04 0002            # reply
          0a580a010002 0a010002
          0a580a010002 0a010002
          """),
      ])
  }

  @Test("an IPv6 address is announced by an unsolicited neighbour advertisement")
  func neighbourAdvertisement() throws {
    let frames = Announcement.frames(try #require(IPAddress("fd00:1::2")), mac: mac)
    #expect(
      frames == [
        octets(
          """
          333300000001 0a580a010002 86dd        # to all nodes, from us, IPv6
          60000000 0020 3a ff                   # 32 octets, ICMPv6, hop limit 255
          fd000001000000000000000000000002      # source
          ff020000000000000000000000000001      # destination
          88 00 483d 20000000               # advertisement, checksum, Override
          fd000001000000000000000000000002      # target
          02 01 0a580a010002                    # target link-layer address
          """)
      ])
  }

  @Test("a checksum over what includes it is zero", arguments: 0..<50)
  func checksum(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let address = try #require(
      IPAddress(.v6, value: UInt128.random(in: 0...UInt128.max, using: &random)))
    let frame = Announcement.neighbourAdvertisement(address, mac: mac)
    let message = Array(frame[54...])
    let pseudo = Array(frame[22..<54]) + [0, 0, 0, UInt8(message.count), 0, 0, 0, 58]
    #expect(Announcement.checksum(pseudo + message) == 0)
  }
}
