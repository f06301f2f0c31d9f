import Addresses
import JSON
import PluginConfigurations
import TestSupport
import Testing

/// What is wrong with a configuration, in the plugin's words; empty where nothing is.
private func fault(_ text: String) throws -> String {
  let json = JSONCursor(try JSONValue(parsing: Array(text.utf8)))
  do {
    _ = try HostLocalConfiguration(json)
    return ""
  } catch { return error.description }
}

@Suite("A configuration of host-local") struct ConfigurationTests {
  /// The members of `ipam`, and the message.
  static let faults: [(String, String)] = [
    (
      #""x": 1"#,
      #"ipam.ranges: no IP ranges specified; write them as [[{"subnet": "10.1.0.0/16"}]]"#
    ),
    (
      #""ranges": []"#,
      #"ipam.ranges: no IP ranges specified; write them as [[{"subnet": "10.1.0.0/16"}]]"#
    ),
    (#""ranges": {}"#, "ipam.ranges: an object is not an array"),
    (#""ranges": [{}]"#, "ipam.ranges[0]: an object is not an array"),
    (#""ranges": [[]]"#, "ipam.ranges[0]: empty range set; it has one range at least"),
    (#""ranges": [[{}]]"#, "ipam.ranges[0][0].subnet: missing; ADDRESS/LENGTH is required"),
    (
      #""ranges": [[{"subnet": "x"}]]"#,
      #"ipam.ranges[0][0].subnet: "x" is no CIDR: no prefix length; write it as ADDRESS/LENGTH"#
    ),
    (
      #""ranges": [[{"subnet": "10.1.0.0/24"}, {"subnet": "10.1.1.0/33"}]]"#,
      #"ipam.ranges[0][1].subnet: "10.1.1.0/33" is no CIDR: prefix length "33" is not in 0…32"#
    ),
    (
      #""ranges": [[{"subnet": "10.1.0.5/24"}]]"#,
      "ipam.ranges[0][0].subnet: Network has host bits set. For a subnet mask of length 24 "
        + "the network address is 10.1.0.0"
    ),
    (
      #""ranges": [[{"subnet": "::ffff:10.1.0.0/112"}]]"#,
      "ipam.ranges[0][0].subnet: ::ffff:10.1.0.0/112 maps IPv4; write it as an IPv4 subnet"
    ),
    (
      #""ranges": [[{"subnet": "10.1.0.0/24", "rangeStart": "10.2.0.1"}]]"#,
      "ipam.ranges[0][0].rangeStart: RangeStart 10.2.0.1 not in network 10.1.0.0/24"
    ),
    (
      #""ranges": [[{"subnet": "10.1.0.0/24", "rangeEnd": "fd00::1"}]]"#,
      "ipam.ranges[0][0].rangeEnd: RangeEnd fd00::1 not in network 10.1.0.0/24"
    ),
    (
      #""ranges": [[{"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.9", "rangeEnd": "10.1.0.3"}]]"#,
      "ipam.ranges[0][0].rangeStart: rangeStart 10.1.0.9 is above rangeEnd 10.1.0.3"
    ),
    (
      #""subnet": "10.1.0.0/24", "gateway": "x""#, #"ipam.gateway: "x" is not an IP address"#
    ),
    (
      #""subnet": "10.1.0.0/24", "gateway": "fd00::1""#,
      "ipam.gateway: fd00::1 is not of the family of 10.1.0.0/24"
    ),
    (
      #""ranges": [[{"subnet": "10.1.0.0/24"}, {"subnet": "fd00::/64"}]]"#,
      "ipam.ranges[0]: mixed address families; a range set is of IPv4 or of IPv6"
    ),
    (
      #""ranges": [[{"subnet": "10.1.0.0/24"}, {"subnet": "10.1.0.0/25"}]]"#,
      "ipam.ranges[0]: subnets 10.1.0.1-10.1.0.254 and 10.1.0.1-10.1.0.126 overlap"
    ),
    (
      #""subnet": "10.1.0.0/24", "ranges": [[{"subnet": "10.1.0.0/25"}]]"#,
      "ipam.ranges[0]: range set 0 overlaps with 1: 10.1.0.1-10.1.0.254 and "
        + "10.1.0.1-10.1.0.126; an address belongs to one range set"
    ),
    (
      #""subnet": "10.1.0.0/24", "exclude": ["10.1.0.300"]"#,
      #"ipam.exclude[0]: "10.1.0.300" is none of ADDRESS, ADDRESS/LENGTH and FIRST-LAST "#
        + "with FIRST not above LAST"
    ),
    (
      #""subnet": "10.1.0.0/24", "exclude": ["10.1.0.9-10.1.0.3"]"#,
      #"ipam.exclude[0]: "10.1.0.9-10.1.0.3" is none of ADDRESS, ADDRESS/LENGTH and FIRST-LAST "#
        + "with FIRST not above LAST"
    ),
    (
      #""subnet": "10.1.0.0/24", "exclude": ["10.1.0.9", "10.2.0.0/28"]"#,
      "ipam.exclude[1]: 10.2.0.0…10.2.0.15 is not in 10.1.0.0/24"
    ),
    (
      #""subnet": "10.1.0.0/24", "exclude": "10.1.0.9""#,
      #"ipam.exclude: "10.1.0.9" is not an array"#
    ),
    (
      #""ranges": [[{"subnet": "10.1.0.0/24", "exclude": ["10.1.0.0/24"]}]]"#,
      "ipam.ranges[0]: no address is left of 10.1.0.1…10.1.0.254 without the gateway and "
        + "what is excluded"
    ),
    (
      #""ranges": [[{"subnet": "10.1.0.0/30", "rangeEnd": "10.1.0.1"}, "#
        + #"{"subnet": "10.2.0.0/30", "exclude": ["10.2.0.2"]}]]"#,
      "ipam.ranges[0]: no address is left of 10.1.0.1…10.1.0.1, 10.2.0.1…10.2.0.2 without the "
        + "gateway and what is excluded"
    ),
    (
      #""subnet": "10.1.0.0/24", "rangeEnd": "10.1.0.1""#,
      "ipam: no address is left of 10.1.0.1…10.1.0.1 without the gateway and what is excluded"
    ),
    (
      #""subnet": "10.1.0.0/24", "reservations": [{"ip": "10.1.0.9"}]"#,
      #"ipam.reservations[0]: it has exactly one of "name", "mac" and "containerID""#
    ),
    (
      #""subnet": "10.1.0.0/24", "reservations": [{"name": "a", "containerID": "b", "ip": "10.1.0.9"}]"#,
      #"ipam.reservations[0]: it has exactly one of "name", "mac" and "containerID""#
    ),
    (
      #""subnet": "10.1.0.0/24", "reservations": [{"mac": "nonsense", "ip": "10.1.0.9"}]"#,
      #"ipam.reservations[0].mac: "nonsense" is not a MAC address; write it as 02:00:00:00:00:01"#
    ),
    (
      #""subnet": "10.1.0.0/24", "reservations": [{"name": "a"}]"#,
      "ipam.reservations[0].ip: missing; a string is required"
    ),
    (
      #""subnet": "10.1.0.0/24", "reservations": [{"name": "a", "ip": "10.2.0.9"}]"#,
      "ipam.reservations[0].ip: 10.2.0.9 is in no subnet of the ranges: 10.1.0.0/24"
    ),
    (
      #""subnet": "10.1.0.0/24", "reservations": [{"name": "a", "ip": "10.1.0.1"}]"#,
      "ipam.reservations[0].ip: 10.1.0.1 is the gateway, the network or the broadcast address"
    ),
    (
      #""subnet": "10.1.0.0/24", "#
        + #""reservations": [{"name": "a", "ip": "10.1.0.9"}, {"name": "b", "ip": "10.1.0.9"}]"#,
      "ipam.reservations[1].ip: 10.1.0.9 is reserved by ipam.reservations[0] already"
    ),
    (
      #""subnet": "10.1.0.0/24", "sticky": "pod""#,
      #"ipam.sticky: "pod" is neither "name" nor "mac""#
    ),
    (
      #""subnet": "10.1.0.0/24", "reclaimAfterReboot": "no""#,
      #"ipam.reclaimAfterReboot: "no" is not true or false"#
    ),
    (#""subnet": "10.1.0.0/24", "dataDir": 7"#, "ipam.dataDir: 7 is not a string"),
    (
      #""subnet": "10.1.0.0/24", "routes": [{"gw": "10.1.0.1"}]"#,
      "ipam.routes[0].dst: missing; a string is required"
    ),
    (#""subnet": "10.1.0.0/24", "resolvConf": 1"#, "ipam.resolvConf: 1 is not a string"),
  ]

  @Test("that is not legal is refused with the path and what is legal", arguments: faults)
  func illegal(members: String, expected: String) throws {
    let text = #"{"cniVersion": "1.0.0", "name": "n", "ipam": {\#(members)}}"#
    #expect(try fault(text) == expected)
  }

  @Test(
    "whose other parts are not legal is refused likewise",
    arguments: [
      (
        #"{"name": "n"}"#,
        #"ipam: missing; an object with "ranges" is required"#
      ),
      (#"{"ipam": "host-local"}"#, #"ipam: "host-local" is not an object"#),
      (
        #"{"cniVersion": "0.2.0", "ipam": {"ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.2.0.0/24"}]]}}"#,
        "ipam.ranges: CNI version 0.2.0 does not support more than 1 address per family; "
          + "0.3.0 and later do"
      ),
      (
        #"{"ipam": {"subnet": "10.1.0.0/24"}, "runtimeConfig": {"ipRanges": [[{"subnet": "10.2.0.1/24"}]]}}"#,
        "runtimeConfig.ipRanges[0][0].subnet: Network has host bits set. "
          + "For a subnet mask of length 24 the network address is 10.2.0.0"
      ),
      (
        #"{"ipam": {"subnet": "10.1.0.0/24"}, "runtimeConfig": {"ips": ["10.1.0.9", "foo"]}}"#,
        #"runtimeConfig.ips[1]: cannot understand ip: "foo"; write it as ADDRESS or ADDRESS/LENGTH"#
      ),
      (
        #"{"ipam": {"subnet": "10.1.0.0/24"}, "args": {"cni": {"ips": ["10.1.0.9/33"]}}}"#,
        #"args.cni.ips[0]: cannot understand ip: "10.1.0.9/33"; "#
          + "write it as ADDRESS or ADDRESS/LENGTH"
      ),
    ])
  func otherwiseIllegal(text: String, expected: String) throws {
    #expect(try fault(text) == expected)
  }

  private func decoded(_ text: String) throws -> HostLocalConfiguration {
    try HostLocalConfiguration(JSONCursor(try JSONValue(parsing: Array(text.utf8))))
  }

  @Test("has its range sets in the order: the runtime's, the one without arrays, the others")
  func order() throws {
    let configuration = try decoded(
      #"""
      {"cniVersion": "1.0.0",
       "runtimeConfig": {"ipRanges": [[{"subnet": "10.3.0.0/24"}]]},
       "ipam": {"subnet": "10.2.0.0/24", "ranges": [[{"subnet": "10.1.0.0/24"}]]}}
      """#)
    #expect(
      configuration.sets.map(\.text) == [
        "10.3.0.1-10.3.0.254", "10.2.0.1-10.2.0.254", "10.1.0.1-10.1.0.254",
      ])
    #expect(
      configuration.sets.map(\.path.description) == [
        "runtimeConfig.ipRanges[0]", "ipam", "ipam.ranges[0]",
      ])
  }

  @Test("gets the reference plugin's defaults, and names in any case, as that reads them")
  func defaults() throws {
    let configuration = try decoded(
      #"{"ipam": {"Subnet": "10.1.0.0/24", "gateway": "", "DATADIR": "/x"}}"#)
    let range = try #require(configuration.sets.first?.ranges.first)
    #expect(range.gateway?.description == "10.1.0.1")
    #expect(range.range.description == "10.1.0.1…10.1.0.254")
    #expect(configuration.dataDirectory == "/x")
    #expect(configuration.reclaimsAfterReboot)
    let route = try #require(
      decoded(
        #"""
        {"ipam": {"subnet": "10.1.0.0/24",
          "routes": [{"DST": "0.0.0.0/0", "Gw": "10.1.0.9", "x": 1}]}}
        """#
      ).routes.first)
    #expect(route.gateway?.description == "10.1.0.9")
    #expect(route.others.members.map(\.name) == ["x"])
    let six = try decoded(#"{"ipam": {"ranges": [[{"subnet": "fd00::/64"}]]}}"#)
    #expect(six.sets[0].text == "fd00::1-fd00::ffff:ffff:ffff:ffff")
    #expect(six.dataDirectory == "/var/lib/cni/networks")
  }

  @Test("leaves open what is neither gateway nor excluded nor reserved")
  func open() throws {
    let configuration = try decoded(
      #"""
      {"ipam": {"ranges": [[{"subnet": "10.1.0.0/24", "rangeEnd": "10.1.0.30", "gateway": "10.1.0.20",
        "exclude": ["10.1.0.0/30", "10.1.0.7", "10.1.0.9-10.1.0.12"]}]],
        "reservations": [{"name": "a", "ip": "10.1.0.5"}, {"name": "b", "ip": "10.1.0.200"}]}}
      """#)
    #expect(
      configuration.sets[0].ranges[0].open.map(\.description) == [
        "10.1.0.4…10.1.0.4", "10.1.0.6…10.1.0.6", "10.1.0.8…10.1.0.8", "10.1.0.13…10.1.0.19",
        "10.1.0.21…10.1.0.30",
      ])
  }

  @Test("is decoded for releasing though its ranges are nonsense")
  func releasing() throws {
    let text = #"{"ipam": {"ranges": 7, "dataDir": "/x", "routes": "y", "sticky": 3}}"#
    let json = JSONCursor(try JSONValue(parsing: Array(text.utf8)))
    #expect(HostLocalConfiguration(forReleasing: json).dataDirectory == "/x")
    for text in [
      #"{"name": "n"}"#, #"{"ipam": "host-local"}"#,
      #"{"ipam": {"dataDir": 5, "reclaimAfterReboot": "no"}}"#,
    ] {
      let json = JSONCursor(try JSONValue(parsing: Array(text.utf8)))
      let configuration = HostLocalConfiguration(forReleasing: json)
      #expect(configuration.dataDirectory == "/var/lib/cni/networks")
      #expect(configuration.reclaimsAfterReboot)
    }
  }
}
