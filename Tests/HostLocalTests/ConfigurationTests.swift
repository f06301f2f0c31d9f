import Addresses
import JSON
import PluginConfigurations
import TestSupport
import Testing

/// Expects that the configuration `text` has a fault at `path`, and of the plugin the words for it.
private func expectFault(_ text: String, at path: String) throws {
  let json = JSONCursor(try JSONValue(parsing: Array(text.utf8)))
  let error = #expect(throws: JSONDecodingError.self) { try HostLocalConfiguration(json) }
  #expect(error?.path.description == path)
  var configuration = try Document(parsing: text.utf8).with(["name": "n"])
  if configuration["cniVersion"].isAbsent {
    configuration = configuration.with(["cniVersion": "1.0.0"])
  }
  let refused = try Plugin("host-local").call(
    "ADD", configuration, containerID: "c", sandbox: "/nowhere", ifname: "eth0")
  #expect(refused.code == 7)
  try Messages.expect(refused.message, of: "host-local", on: text)
}

@Suite("A configuration of host-local") struct ConfigurationTests {
  /// The members of `ipam`, and where the fault is.
  static let faults: [(String, String)] = [
    (#""x": 1"#, "ipam.ranges"),
    (#""ranges": []"#, "ipam.ranges"),
    (#""ranges": {}"#, "ipam.ranges"),
    (#""ranges": [{}]"#, "ipam.ranges[0]"),
    (#""ranges": [[]]"#, "ipam.ranges[0]"),
    (#""ranges": [[{}]]"#, "ipam.ranges[0][0].subnet"),
    (#""ranges": [[{"subnet": "x"}]]"#, "ipam.ranges[0][0].subnet"),
    (
      #""ranges": [[{"subnet": "10.1.0.0/24"}, {"subnet": "10.1.1.0/33"}]]"#,
      "ipam.ranges[0][1].subnet"
    ),
    (#""ranges": [[{"subnet": "10.1.0.5/24"}]]"#, "ipam.ranges[0][0].subnet"),
    (#""ranges": [[{"subnet": "::ffff:10.1.0.0/112"}]]"#, "ipam.ranges[0][0].subnet"),
    (
      #""ranges": [[{"subnet": "10.1.0.0/24", "rangeStart": "10.2.0.1"}]]"#,
      "ipam.ranges[0][0].rangeStart"
    ),
    (
      #""ranges": [[{"subnet": "10.1.0.0/24", "rangeEnd": "fd00::1"}]]"#,
      "ipam.ranges[0][0].rangeEnd"
    ),
    (
      #""ranges": [[{"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.9", "rangeEnd": "10.1.0.3"}]]"#,
      "ipam.ranges[0][0].rangeStart"
    ),
    (
      #""subnet": "10.1.0.0/24", "gateway": "x""#, "ipam.gateway"
    ),
    (#""subnet": "10.1.0.0/24", "gateway": "fd00::1""#, "ipam.gateway"),
    (#""ranges": [[{"subnet": "10.1.0.0/24"}, {"subnet": "fd00::/64"}]]"#, "ipam.ranges[0]"),
    (#""ranges": [[{"subnet": "10.1.0.0/24"}, {"subnet": "10.1.0.0/25"}]]"#, "ipam.ranges[0]"),
    (#""subnet": "10.1.0.0/24", "ranges": [[{"subnet": "10.1.0.0/25"}]]"#, "ipam.ranges"),
    (#""subnet": "10.1.0.0/24", "exclude": ["10.1.0.300"]"#, "ipam.exclude[0]"),
    (#""subnet": "10.1.0.0/24", "exclude": ["10.1.0.9-10.1.0.3"]"#, "ipam.exclude[0]"),
    (#""subnet": "10.1.0.0/24", "exclude": ["10.1.0.9", "10.2.0.0/28"]"#, "ipam.exclude[1]"),
    (#""subnet": "10.1.0.0/24", "exclude": "10.1.0.9""#, "ipam.exclude"),
    (#""ranges": [[{"subnet": "10.1.0.0/24", "exclude": ["10.1.0.0/24"]}]]"#, "ipam.ranges[0]"),
    (
      #""ranges": [[{"subnet": "10.1.0.0/30", "rangeEnd": "10.1.0.1"}, "#
        + #"{"subnet": "10.2.0.0/30", "exclude": ["10.2.0.2"]}]]"#,
      "ipam.ranges[0]"
    ),
    (#""subnet": "10.1.0.0/24", "rangeEnd": "10.1.0.1""#, "ipam"),
    (#""subnet": "10.1.0.0/24", "reservations": [{"ip": "10.1.0.9"}]"#, "ipam.reservations[0]"),
    (
      #""subnet": "10.1.0.0/24", "reservations": [{"name": "a", "containerID": "b", "ip": "10.1.0.9"}]"#,
      "ipam.reservations[0]"
    ),
    (
      #""subnet": "10.1.0.0/24", "reservations": [{"mac": "nonsense", "ip": "10.1.0.9"}]"#,
      "ipam.reservations[0].mac"
    ),
    (#""subnet": "10.1.0.0/24", "reservations": [{"name": "a"}]"#, "ipam.reservations[0].ip"),
    (
      #""subnet": "10.1.0.0/24", "reservations": [{"name": "a", "ip": "10.2.0.9"}]"#,
      "ipam.reservations[0].ip"
    ),
    (
      #""subnet": "10.1.0.0/24", "reservations": [{"name": "a", "ip": "10.1.0.1"}]"#,
      "ipam.reservations[0].ip"
    ),
    (
      #""subnet": "10.1.0.0/24", "#
        + #""reservations": [{"name": "a", "ip": "10.1.0.9"}, {"name": "b", "ip": "10.1.0.9"}]"#,
      "ipam.reservations[1].ip"
    ),
    (#""subnet": "10.1.0.0/24", "sticky": "pod""#, "ipam.sticky"),
    (#""subnet": "10.1.0.0/24", "reclaimAfterReboot": "no""#, "ipam.reclaimAfterReboot"),
    (#""subnet": "10.1.0.0/24", "dataDir": 7"#, "ipam.dataDir"),
    (#""subnet": "10.1.0.0/24", "routes": [{"gw": "10.1.0.1"}]"#, "ipam.routes[0].dst"),
    (#""subnet": "10.1.0.0/24", "resolvConf": 1"#, "ipam.resolvConf"),
  ]

  @Test("that is not legal is refused with the path and what is legal", arguments: faults)
  func illegal(members: String, path: String) throws {
    try expectFault(#"{"ipam": {\#(members)}}"#, at: path)
  }

  @Test(
    "whose other parts are not legal is refused likewise",
    arguments: [
      (#"{"name": "n"}"#, "ipam"),
      (#"{"ipam": "host-local"}"#, "ipam"),
      (
        #"{"cniVersion": "0.2.0", "ipam": {"ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.2.0.0/24"}]]}}"#,
        "ipam.ranges"
      ),
      (
        #"{"ipam": {"subnet": "10.1.0.0/24"}, "runtimeConfig": {"ipRanges": [[{"subnet": "10.2.0.1/24"}]]}}"#,
        "runtimeConfig.ipRanges[0][0].subnet"
      ),
      (
        #"{"ipam": {"subnet": "10.1.0.0/24"}, "runtimeConfig": {"ips": ["10.1.0.9", "foo"]}}"#,
        "runtimeConfig.ips[1]"
      ),
      (
        #"{"ipam": {"subnet": "10.1.0.0/24"}, "args": {"cni": {"ips": ["10.1.0.9/33"]}}}"#,
        "args.cni.ips[0]"
      ),
    ])
  func otherwiseIllegal(text: String, path: String) throws {
    try expectFault(text, at: path)
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
