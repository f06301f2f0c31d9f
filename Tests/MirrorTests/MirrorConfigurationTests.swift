import JSON
import Testing

@testable import PluginConfigurations

private func configuration(_ text: String, _ role: MirrorConfiguration.Role = .producer) throws
  -> MirrorConfiguration
{
  try MirrorConfiguration(JSONCursor(try JSONValue(parsing: Array(text.utf8))), for: role)
}

@Suite struct MirrorConfigurationTests {
  @Test("has the members of the reference plugins, and the VLANs")
  func members() throws {
    let found = try configuration(
      #"""
      {"bridge": "br1", "mirrors": [
        {"name": "a", "ingress": true},
        {"name": "b", "egress": true, "select_vlan": [20, 10, 20], "output_vlan": 300},
        {"name": "c", "ingress": true, "egress": true, "select_vlan": 7}]}
      """#)
    #expect(found.bridge == "br1")
    #expect(found.endpoint == .standard)
    #expect(found.mirrors.map(\.name) == ["a", "b", "c"])
    #expect(found.mirrors.map(\.ingress) == [true, false, true])
    #expect(found.mirrors.map(\.egress) == [false, true, true])
    #expect(found.mirrors.map(\.selectedVLANs) == [nil, [10, 20], [7]])
    #expect(found.mirrors.map(\.outputVLAN) == [nil, 300, nil])
  }

  @Test("what a runtime left out of a configuration for STATUS is not judged, what is there is")
  func stripped() throws {
    func status(_ text: String) throws -> MirrorConfiguration {
      try MirrorConfiguration(
        JSONCursor(try JSONValue(parsing: Array(text.utf8))), for: .producer, mayLackMembers: true)
    }
    #expect(try status(#"{"name": "n"}"#).mirrors.isEmpty)
    #expect(try status(#"{"bridge": "b"}"#).bridge == "b")
    for text in [
      #"{"bridge": 5}"#, #"{"bridge": ""}"#, #"{"mirrors": []}"#, #"{"mirrors": [{"name": 5}]}"#,
      #"{"socket_file": 5}"#,
    ] {
      #expect(throws: JSONDecodingError.self, "\(text)") { try status(text) }
    }
  }

  @Test("a consumer may have the list of its producers")
  func consumer() throws {
    let found = try configuration(
      #"{"bridge": "b", "socket_file": "tcp:[::1]:6640", "mirrors": [{"name": "a"}]}"#, .consumer)
    #expect(found.mirrors.map(\.name) == ["a"])
    #expect(found.endpoint.description == "tcp:[::1]:6640")
  }

  @Test(
    "what is not legal is told with its path",
    arguments: [
      (
        #"{"mirrors": [{"name": "a"}]}"#, .consumer,
        "bridge: missing; the name of an Open vSwitch bridge is required"
      ),
      (#"{"bridge": "b"}"#, .producer, "mirrors: missing; an array is required"),
      (
        #"{"bridge": "b", "mirrors": []}"#, .consumer,
        #"mirrors: empty; at least one {"name": …} is required"#
      ),
      (
        #"{"bridge": "b", "mirrors": [{"ingress": true}]}"#, .producer,
        "mirrors[0].name: missing; the name of a mirror is required"
      ),
      (
        #"{"bridge": "b", "mirrors": [{"name": "a"}]}"#, .producer,
        "mirrors[0]: a mirror producer must have either a ingress or an egress or both: set one to "
          + "true"
      ),
      (
        #"{"bridge": "b", "mirrors": [{"name": "a"}, {"name": "a"}]}"#, .consumer,
        #"mirrors[1].name: "a" is named twice; write one entry for it"#
      ),
      (
        #"{"bridge": "b", "mirrors": [{"name": "a", "ingress": true, "select_vlan": [4096]}]}"#,
        .producer, "mirrors[0].select_vlan[0]: 4096 is not in 0…4095"
      ),
      (
        #"{"bridge": "b", "mirrors": [{"name": "a", "ingress": true, "output_vlan": 0}]}"#,
        .producer, "mirrors[0].output_vlan: 0 is not in 1…4095"
      ),
      (
        #"{"bridge": "b", "mirrors": [{"name": "a", "output_vlan": 9}]}"#, .consumer,
        "mirrors[0].output_vlan: a mirror has a consumer or an output VLAN, not both; the producer "
          + "may name a VLAN"
      ),
    ] as [(String, MirrorConfiguration.Role, String)])
  func illegal(text: String, role: MirrorConfiguration.Role, message: String) throws {
    let error = try #require(throws: JSONDecodingError.self) { try configuration(text, role) }
    #expect(error.description == message)
  }
}
