import Addresses
import PortGuard
import Testing

@Suite("The policy of a port") struct PolicyTests {
  @Test("gives each frame of the table the verdict that the table has")
  func table() throws {
    for (policy, cases) in [
      (try Container.policy(), Case.table + Case.dhcp(false)),
      (try Container.policy(allowsDHCP: true), Case.table + Case.dhcp(true)),
    ] {
      for item in cases {
        #expect(Verdict(policy, item.bytes).passes == item.passes, "\(item)")
      }
    }
  }

  @Test("of the Ethernet address alone looks at nothing else")
  func mac() throws {
    let policy = try Container.policy(.mac)
    for item in Case.table {
      let source = MACAddress(bytes: Array(item.bytes[6..<12]))
      #expect(Verdict(policy, item.bytes).passes == (source != MACAddress(Container.other)))
    }
  }

  @Test("merges senders with one Ethernet address, and forgets bits beyond a prefix")
  func merging() throws {
    let mac = try #require(MACAddress(Container.mac))
    let prefixes = try Container.prefixes(["10.1.0.2/24", "10.1.0.0/24", "fd00::2/128"])
    let policy = GuardPolicy(.full, [.init(mac, [prefixes[0]]), .init(mac, Array(prefixes[1...]))])
    #expect(policy.senders.count == 1)
    #expect(policy.senders.first?.ipv4.map { $0.description } == ["10.1.0.0/24"])
    #expect(policy.senders.first?.ipv6.map { $0.description } == ["fd00::2/128"])
  }

  @Test("knows the link-local address that an interface gives itself")
  func linkLocal() throws {
    let mac = try #require(MACAddress(Container.mac))
    #expect(IPPrefix.linkLocal(of: mac).description == "fe80::ff:fe00:a/128")
    #expect(IPPrefix.linkLocal.description == "fe80::/64")
    let second = try #require(MACAddress("52:54:00:12:34:56"))
    #expect(IPAddress.linkLocal(of: second).description == "fe80::5054:ff:fe12:3456")
  }
}
