import Addresses
import Foundation
import Linux
import TestSupport
import Testing

@testable import Netlink

extension KernelNetlink {
  @Suite struct Neighbours {
    @Test("addresses are announced to the other end by ARP and by neighbour advertisement")
    func announce() throws {
      let mac = try #require(MACAddress("0a:58:0a:01:00:02"))
      let pair = try TestPair("nl-garp", mac: mac)
      // ETH_P_ALL in network byte order: all frames of our namespace.
      let ear = try FileDescriptor.socket(AF_PACKET, CInt(SOCK_RAW.rawValue), 0x0300)
      try pair.inside.request(until: .soon) { $0.setLink(.index(pair.container), isUp: true) }
      let addresses = try ["10.1.0.2", "fd00::2"].map { try #require(IPAddress($0)) }
      try Announcement.send(addresses, mac: mac, on: pair.container, in: pair.namespace)

      var frames: [[UInt8]] = []
      let deadline = Deadline.soon
      while frames.count < 3,
        try wait(for: [.readable(ear.rawValue)], until: deadline) != nil
      {
        let frame = try ear.receive()
        let isARP = frame.dropFirst(12).starts(with: [0x08, 0x06])
        if isARP || frame.dropFirst(54).first == 136 { frames.append(frame) }
      }
      try #require(frames.count == 3)
      #expect(frames[0].count == 42)
      #expect(frames[0][20...21].elementsEqual([0, 1]))
      #expect(frames[1][20...21].elementsEqual([0, 2]))
      #expect(frames[0][28..<32].elementsEqual([10, 1, 0, 2]))
      #expect(frames[2].count == 86)
    }

    @Test("the kernel announces the same when it is asked to, octet for octet")
    func announceByKernel() throws {
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
      var wanted = prefixes.flatMap { Announcement.frames($0.address, mac: mac) }
      // The kernel sends the request alone.
      wanted.remove(at: 1)
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
      let addresses = try ["10.77.0.2", "fd77::2"].map { try #require(IPAddress($0)) }
      let deadline = Deadline.soon
      var known: [String] = []
      // The link takes a moment to come up; frames before that are lost.
      while known != [mac.description, mac.description], !deadline.hasPassed {
        try Announcement.send(addresses, mac: mac, on: pair.container, in: pair.namespace)
        known = try addresses.map {
          try ip("neighbour", "show", "\($0)")[0]["lladdr"].text ?? ""
        }
      }
      #expect(known == [mac.description, mac.description])
    }

    @Test("nothing is announced on a link that is down")
    func announceDown() throws {
      let pair = try TestPair("nl-down")
      let address = try #require(IPAddress("10.1.0.2"))
      #expect {
        try Announcement.send(
          [address], mac: .broadcast, on: pair.container, in: pair.namespace)
      } throws: {
        "\($0)"
          == "announce 10.1.0.2 on link index \(pair.container): ENETDOWN (Network is down); "
          + "the link is down"
      }
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
    @Test("a family of generic netlink is there or not")
    func families() throws {
      let socket = try GenericSocket()
      #expect(try socket.hasFamily("nlctrl", until: .soon))
      #expect(try !socket.hasFamily("no-such-family", until: .soon))
    }
  }
}
