import Addresses
import CNI
import JSON
import Testing
import TestSupport

/// A result with everything in it that any version can express.
private func fullResult() throws -> AttachmentResult {
  var result = AttachmentResult()
  var host = AttachmentResult.Interface(
    name: "vethabc", mac: "02:00:00:00:00:01", mtu: 1400, sandbox: nil)
  host.others["socketPath"] = "/run/x.sock"
  result.interfaces = [
    host,
    .init(name: "eth0", mac: "0a:58:0a:01:00:02", mtu: 1400, sandbox: "/run/netns/blue"),
  ]
  result.addresses = [
    .init(try IPPrefix("10.1.0.2/24"), gateway: IPAddress("10.1.0.1"), interface: 1),
    .init(try IPPrefix("fd00::2/64"), interface: 1),
  ]
  var special = Route(to: try IPPrefix("fd01::/48"), gateway: IPAddress("fd00::1"))
  special.mtu = 1280
  special.advertisedMSS = 1220
  special.priority = 100
  special.table = 1000
  special.scope = 0
  result.routes = [Route(to: try IPPrefix("0.0.0.0/0")), special]
  result.dns.nameservers = ["10.1.0.53"]
  result.dns.search = ["example.org"]
  result.others["example.org/extra"] = ["kept": true]
  return result
}

@Suite("a result in each version of the specification") struct ResultTests {
  @Test("is written as that version has it", arguments: SpecificationVersion.allCases)
  func writing(version: SpecificationVersion) throws {
    let text = try fullResult().json(version).encoded(indentedBy: 4) + [0x0a]
    try expectGolden(text, "result-\(version.rawValue).json")
  }

  @Test("is read back to what it was written from", arguments: SpecificationVersion.allCases)
  func reading(version: SpecificationVersion) throws {
    let text = try golden("result-\(version.rawValue).json")
    let result = try AttachmentResult(
      JSONCursor(try JSONValue(parsing: text)), defaultVersion: .current)
    #expect(try result.json(version).encoded(indentedBy: 4) + [0x0a] == text)
    if version >= .v1_0_0 { #expect(result == (try fullResult())) }
  }

  @Test("of 0.3.1 becomes one of 1.1.0, and one of 1.1.0 one of 0.2.0")
  func converting() throws {
    let text = try golden("result-0.3.1.json")
    let result = try AttachmentResult(
      JSONCursor(try JSONValue(parsing: text)), defaultVersion: .current)
    #expect(result.addresses == (try fullResult()).addresses)
    let legacy = try fullResult().json(.v0_2_0)
    #expect(legacy["ip4"]?["ip"]?.text == "10.1.0.2/24")
    #expect(legacy["ip6"]?["routes"]?.array?.count == 1)
    #expect(legacy["interfaces"] == nil)
  }

  @Test("without version is of the version of the configuration")
  func defaultVersion() throws {
    let text = #"{"ip4":{"ip":"10.0.0.2/8","gateway":"10.0.0.1"}}"#
    let json = JSONCursor(try JSONValue(parsing: Array(text.utf8)))
    #expect(try AttachmentResult(json, defaultVersion: .v0_2_0).addresses.count == 1)
    #expect(try AttachmentResult(json, defaultVersion: .v1_0_0).addresses.isEmpty)
  }

  @Test(
    "of layer 2 only cannot be expressed before 0.3.0", arguments: SpecificationVersion.allCases)
  func layer2(version: SpecificationVersion) throws {
    var result = AttachmentResult()
    result.interfaces = [.init(name: "eth0", mac: nil, sandbox: "/run/netns/x")]
    if version < .v0_3_0 {
      let error = #expect(throws: InexpressibleResult.self) { try result.json(version) }
      #expect(
        error?.description
          == "cniVersion \(version.rawValue) cannot express an attachment without an address; "
          + "0.3.0 and later can")
    } else {
      #expect(try result.json(version)["interfaces"]?.array?.count == 1)
    }
  }

  @Test(
    "that is malformed is refused with the path",
    arguments: [
      (#"[]"#, "an array is not an object"),
      (
        #"{"cniVersion":"2.0.0"}"#,
        #"cniVersion: "2.0.0" is not one of ["0.1.0" "0.2.0" "0.3.0" "0.3.1" "0.4.0" "1.0.0" "1.1.0"]"#
      ),
      (
        #"{"ips":[{"address":"10.0.0.1"}]}"#,
        #"ips[0].address: "10.0.0.1" is not a CIDR: no prefix length; write it as ADDRESS/LENGTH"#
      ),
      (
        #"{"ips":[{"address":"10.0.0.1/8","interface":1}],"interfaces":[{"name":"x"}]}"#,
        "ips: ips[0].interface is 1, and there are 1 interfaces"
      ),
      (
        #"{"routes":[{"dst":"10.0.0.0/8","gw":"fd00::1"}]}"#,
        "routes[0].gw: fd00::1 is not of the family of 10.0.0.0/8"
      ),
      (#"{"interfaces":[{}]}"#, "interfaces[0].name: missing; a string is required"),
    ])
  func malformed(text: String, message: String) throws {
    let json = JSONCursor(try JSONValue(parsing: Array(text.utf8)))
    let error = #expect(throws: JSONDecodingError.self) {
      try AttachmentResult(json, defaultVersion: .v1_1_0)
    }
    #expect(error?.description == message)
  }
}
