import Addresses
import JSON
import PluginConfigurations
import PortGuard
import Testing

@Suite("The configuration of a guard") struct ConfigurationTests {
  private let mac = certain(MACAddress("02:00:00:00:00:0a"))

  private func policy(_ members: String, _ addresses: [String] = []) throws -> GuardPolicy? {
    let json = JSONCursor(try JSONValue(parsing: Array("{\(members)}".utf8)))
    return try GuardConfiguration.decode(json).map {
      GuardPolicy($0, mac: mac, addresses: addresses.compactMap { IPAddress($0) })
    }
  }
  private static let ipam = #""ipam": {"type": "host-local"}"#

  @Test(
    "is none where nothing is policed",
    arguments: ["", #""guard": false"#, #""guard": null"#, #""macspoofchk": false"#])
  func none(_ members: String) throws { #expect(try policy(members) == nil) }

  @Test(
    "is of the Ethernet address alone",
    arguments: [
      #""guard": "mac""#, #""macspoofchk": true"#, #""guard": {"mode": "mac"}"#,
    ])
  func mac(_ members: String) throws {
    #expect(try policy(members, ["10.1.0.2"]) == GuardPolicy(.mac, [.init(mac, [])]))
  }

  @Test("has the attachment's addresses and its link-local one")
  func full() throws {
    for member in ["true", "{}", #"{"mode": "full"}"#] {
      let policy = try policy("\"guard\": \(member), \(Self.ipam)", ["10.1.0.2", "fd00::2"])
      let prefixes = ["10.1.0.2/32", "fd00::2/128", "fe80::ff:fe00:a/128"]
      #expect(
        policy == GuardPolicy(.full, [.init(mac, try Container.prefixes(prefixes))]))
      #expect(policy?.hasAddresses == true)
      #expect(policy?.allowsDHCP == false)
    }
    let none = try policy("\"guard\": true, \(Self.ipam)")
    #expect(none?.hasAddresses == false)
  }

  @Test("has what is allowed besides: another address, another Ethernet address, or both")
  func allowed() throws {
    let members = """
      "guard": {"allowed": [
        {"ips": ["10.1.0.100", "10.9.0.0/16"]}, {"mac": "00:00:5e:00:01:01"},
        {"mac": "02:00:00:00:00:0c", "ips": ["fd00:9::/64"]}
      ], "linkLocal": "any"}
      """
    let found = try #require(try policy("\(members), \(Self.ipam)", ["10.1.0.2"]))
    let virtual = try #require(MACAddress("00:00:5e:00:01:01"))
    let third = try #require(MACAddress("02:00:00:00:00:0c"))
    let wanted = GuardPolicy(
      .full,
      [
        .init(
          mac,
          try Container.prefixes(["10.1.0.2/32", "10.1.0.100/32", "10.9.0.0/16", "fe80::/64"])),
        .init(virtual, try Container.prefixes(["10.1.0.2/32", "fe80::/64"])),
        .init(third, try Container.prefixes(["fd00:9::/64", "fe80::/64"])),
      ])
    #expect(found == wanted)
    #expect(found.allows(virtual) && !found.allows(certain(MACAddress(Container.other))))
  }

  @Test("lets a DHCP client ask, and nothing else until it has its address")
  func dhcp() throws {
    let members = #""guard": true, "ipam": {"type": "dhcp"}"#
    #expect(try policy(members, ["10.1.0.2"])?.allowsDHCP == true)
    #expect(
      try policy(#""guard": {"dhcpClient": false}, "ipam": {"type": "dhcp"}"#)?.allowsDHCP == false)
    let json = JSONCursor(try JSONValue(parsing: Array("{\(members)}".utf8)))
    let configuration = try #require(try GuardConfiguration.decode(json))
    let before = GuardPolicy(untilLeased: configuration, mac: mac)
    for item in Case.table + Case.dhcp(true) {
      // Reports of group membership from no address say nothing that could be another's.
      let isRequest =
        item.description.hasPrefix("DHCP request")
        || item.description.contains("membership report from no address")
      #expect(Verdict(before, item.bytes).passes == (item.passes && isRequest), "\(item)")
    }
  }

  @Test(
    "is the same when read from the rows of an attachment",
    arguments: [
      #""guard": true"#, #""guard": "mac""#, #""guard": {"dhcpClient": true, "linkLocal": "any"}"#,
      #""guard": {"mode": "mac", "allowed": [{"mac": "02:00:00:00:00:0c"}]}"#,
      #""guard": {"allowed": [{"ips": ["10.9.0.0/16", "fd00::7"]}, {"mac": "02:00:00:00:00:0c"}]}"#,
    ])
  func rows(_ member: String) throws {
    let json = JSONCursor(try JSONValue(parsing: Array("{\(member), \(Self.ipam)}".utf8)))
    let configuration = try #require(try GuardConfiguration.decode(json))
    let (mode, details) = (configuration.mode.rawValue, configuration.details)
    #expect(GuardConfiguration(mode: mode, details: details) == configuration)
    #expect((details == nil) == !member.contains("{"))
  }

  @Test("is not made up where rows have something else", arguments: ["", "x", "7", "{", "[]"])
  func strangeRows(_ details: String) {
    #expect(GuardConfiguration(mode: "full", details: details) == nil)
    #expect(GuardConfiguration(mode: details, details: nil) == nil)
    let wrong = #"{"allowed": [{"ips": ["\#(details)"]}]}"#
    #expect(GuardConfiguration(mode: "full", details: wrong) == nil)
  }

  @Test("has so many addresses and no more")
  func limit() throws {
    func members(_ count: Int) -> String {
      let list = (0..<count).map { "\"10.9.\($0 / 200).\($0 % 200)\"" }.joined(separator: ",")
      return "\"guard\": {\"allowed\": [{\"ips\": [\(list)]}]}"
    }
    let policy = try #require(try policy(members(GuardConfiguration.mostAddresses)))
    #expect(policy.senders.first?.ipv4.count == GuardConfiguration.mostAddresses)
    #expect(throws: JSONDecodingError.self) {
      try self.policy(members(GuardConfiguration.mostAddresses + 1))
    }
  }
}
