import Foundation
import Linux
import Netlink
import TestSupport
import Testing

extension KernelNetlink {
  @Suite struct LinkGroups {
    @Test("a link that is too small for IPv6 is silenced without it")
    func smallSilence() throws {
      let pair = try TestPair("nl-small")
      try pair.outside.request(until: .soon) {
        $0.setLink(.named("nl-small"), mtu: 1000)
      }
      try pair.outside.silence(.index(pair.host.index), alias: "small", until: .soon)
      #expect(try pair.outside.link(.named("nl-small"), until: .soon).alias == "small")
      let namespace = try NetworkNamespace.current()
      #expect(try namespace.readSetting("ipv4/conf/nl-small/arp_ignore") == "8")
    }

    @Test("a group of links is deleted at once, and one without links is as good")
    func group() throws {
      let pairs = try ["nl-g1", "nl-g2", "nl-g3"].map { try TestPair($0) }
      let socket = pairs[0].outside
      let gone = Int32.max
      try socket.request(until: .soon) {
        for pair in pairs.prefix(2) { $0.moveLink(pair.host.index, toGroup: 0x7abc_def0) }
        $0.moveLink(gone, toGroup: 0x7abc_def0)
      }
      #expect(
        try socket.links(until: .soon).filter { $0.group == 0x7abc_def0 }.map { $0.name }
          == ["nl-g1", "nl-g2"])
      try socket.request(until: .soon) { $0.deleteLinks(inGroup: 0x7abc_def0) }
      try socket.request(until: .soon) { $0.deleteLinks(inGroup: 0x7abc_def0) }
      let left = try socket.links(until: .soon).map { $0.name }.filter { $0.hasPrefix("nl-g") }
      #expect(left == ["nl-g3"])
    }
  }
}
