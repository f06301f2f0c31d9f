import Addresses
import Foundation
import Linux
import TestSupport
import Testing

@testable import Netlink

extension KernelNetlink {
  @Suite struct Neighbours {
    @Test("addresses are announced by ARP and by neighbour advertisement when that is asked for")
    func announce() throws {
      let mac = try #require(MACAddress("0a:58:0a:01:00:02"))
      let pair = try TestPair("nl-notify", mac: mac)
      let prefixes = try [IPPrefix("10.1.0.2/24"), IPPrefix("fd00::2/64")]
      try pair.namespace.writeSettings([Batch.announcementSetting(of: "eth0")])
      try pair.inside.request(until: .soon) {
        $0.enableAnnouncements(on: pair.container)
        $0.setLink(.index(pair.container), isUp: true)
        for prefix in prefixes {
          $0.addAddress(prefix, to: pair.container, detectsDuplicates: false)
        }
      }
      let deadline = Deadline.soon
      while try !pair.inside.link(.index(pair.container), until: .soon).hasCarrier,
        !deadline.hasPassed
      {}
      let ear = try FileDescriptor.socket(AF_PACKET, CInt(SOCK_RAW.rawValue), 0x0300)
      try pair.inside.request(until: .soon) {
        $0.announceAddresses(of: pair.container, mac: mac)
      }
      let all = [UInt8](repeating: 0xff, count: 6)
      let none = [UInt8](repeating: 0, count: 6)
      let ipv4: [UInt8] = [10, 1, 0, 2]
      let ipv6 = [0xfd] + [UInt8](repeating: 0, count: 14) + [2]
      let allNodes = [0xff, 0x02] + [UInt8](repeating: 0, count: 13) + [1]
      // RFC 5227 §2.3: sender and target of a request are the same.
      var request = all + mac.bytes + [0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1]
      request += mac.bytes + ipv4 + none + ipv4
      // RFC 4861 §4.4 and §7.2.6: to all nodes; type 136, checksum, Override; the link-layer
      // address.
      var advertisement = [0x33, 0x33, 0, 0, 0, 1] + mac.bytes + [0x86, 0xdd]
      advertisement += [0x60, 0, 0, 0, 0, 32, 58, 255] + ipv6 + allNodes
      advertisement += [136, 0, 0x48, 0x3f, 0x20, 0, 0, 0] + ipv6 + [2, 1] + mac.bytes
      var wanted = [request, advertisement]
      while !wanted.isEmpty, try wait(for: [.readable(ear.rawValue)], until: deadline) != nil {
        let frame = try ear.receive()
        wanted.removeAll { $0 == frame }
      }
      #expect(wanted == [])
    }

    @Test("other hosts learn the new place of an address")
    func learn() throws {
      let old = try #require(MACAddress("0a:58:00:00:00:01"))
      let pair = try TestPair("nl-learn", mac: old)
      let mac = try #require(MACAddress("0a:58:00:00:00:02"))
      try pair.inside.request(until: .soon) {
        $0.setLink(.index(pair.container), isUp: true, mac: mac)
      }
      try run("ip", ["address", "add", "10.77.0.1/24", "dev", "nl-learn"]).checked()
      try run("ip", ["address", "add", "fd77::1/64", "dev", "nl-learn", "nodad"]).checked()
      for address in ["10.77.0.2", "fd77::2"] {
        try run(
          "ip",
          [
            "neighbour", "replace", address, "lladdr", "0a:58:00:00:00:01", "dev", "nl-learn",
            "nud", "stale",
          ]
        ).checked()
      }
      let prefixes = try [IPPrefix("10.77.0.2/24"), IPPrefix("fd77::2/64")]
      try pair.namespace.writeSettings([Batch.announcementSetting(of: "eth0")])
      try pair.inside.request(until: .soon) {
        $0.enableAnnouncements(on: pair.container)
        for prefix in prefixes {
          $0.addAddress(prefix, to: pair.container, detectsDuplicates: false)
        }
      }
      let deadline = Deadline.soon
      var known: [String] = []
      // The link takes a moment to come up; frames before that are lost.
      while known != [mac.description, mac.description], !deadline.hasPassed {
        try pair.inside.request(until: .soon) {
          $0.announceAddresses(of: pair.container, mac: mac)
        }
        known = try prefixes.map {
          try ip("neighbour", "show", "\($0.address)")[0]["lladdr"].text ?? ""
        }
      }
      #expect(known == [mac.description, mac.description])
    }
  }

  @Suite struct Offload {
    @Test("TX checksum offload is switched off and on again, and read")
    func checksums() throws {
      let pair = try TestPair("nl-sum")
      func seen() throws -> String {
        let lines = try pair.sandbox.exec("ethtool", ["-k", "eth0"]).checked().stdout
        return lines.split(separator: "\n").first { $0.hasPrefix("tx-checksumming") }
          .map(String.init) ?? ""
      }
      #expect(try pair.inside.hasTransmitChecksumOffload("eth0"))
      #expect(try seen() == "tx-checksumming: on")
      try pair.inside.setTransmitChecksumOffload(false, of: "eth0")
      #expect(try seen() == "tx-checksumming: off")
      #expect(try !pair.inside.hasTransmitChecksumOffload("eth0"))
      try pair.inside.setTransmitChecksumOffload(true, of: "eth0")
      #expect(try seen() == "tx-checksumming: on")
      #expect {
        try pair.inside.setTransmitChecksumOffload(false, of: "nl-sum")
      } throws: {
        "\($0)"
          == "switch TX checksum offload of link \"nl-sum\" off: ENODEV (No such device); "
          + "there is no such link in the namespace"
      }
    }
  }

  @Suite struct Generic {
    @Test("the families of generic netlink are those that the kernel has")
    func families() throws {
      let families = try GenericSocket().families(until: .soon)
      #expect(families.contains("nlctrl"))
      #expect(!families.contains("no-such-family"))
    }
  }
}
