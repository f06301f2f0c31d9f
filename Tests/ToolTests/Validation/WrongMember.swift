import Testing

/// A wrong value of a member, and how the plugin that refuses it says so.
struct WrongMember: CustomTestStringConvertible, Sendable {
  let plugin: String
  /// What the plugin's configuration has besides its type, or besides `ipam.type`.
  let members: String
  let message: String
  var testDescription: String { "\(plugin): \(message)" }

  init(_ plugin: String, _ members: String, _ message: String) {
    (self.plugin, self.members, self.message) = (plugin, members, message)
  }

  var isIPAM: Bool { ["host-local", "cluster", "static"].contains(plugin) }
  var isChained: Bool { plugin.hasPrefix("ovs-mirror") || plugin == "portmap" }
  /// The plugin's configuration, as it stands in a list.
  var configuration: String {
    isIPAM
      ? #"{"type": "ovs-bridge", "bridge": "b", "ipam": {"type": "\#(plugin)", \#(members)}}"#
      : #"{"type": "\#(plugin)", \#(members)}"#
  }
  /// `ovs-bridge trunk.minID`: whose member it is, without the numbers of elements.
  var member: String {
    let path = message.prefix { $0 != ":" }.split(separator: ".").map { step in
      step.prefix { $0 != "[" }
    }
    return "\(plugin) \(path.joined(separator: "."))"
  }
}

extension WrongMember {
  /// One for each member.
  static let all = common + ovsBridge + ovn + hostLocal + cluster + fixed + mirrors + portmap

  private static let common = [
    "loopback", "ovs-bridge", "ovn", "ovs-mirror-producer", "ovs-mirror-consumer", "portmap",
  ]
  .flatMap { plugin in
    let rest =
      switch plugin {
      case "loopback", "ovn", "portmap": ""
      case "ovs-bridge": #", "bridge": "b""#
      default: #", "bridge": "b", "mirrors": [{"name": "m", "ingress": true}]"#
      }
    return [
      WrongMember(plugin, #""timeout": 0\#(rest)"#, "timeout: 0 is not in 1…3600"),
      WrongMember(
        plugin, #""logLevel": "loud"\#(rest)"#,
        #"logLevel: "loud" is not one of error, warning, info, debug"#),
      WrongMember(
        plugin, #""logFile": "x"\#(rest)"#, #"logFile: "x" is not an absolute path"#),
    ]
  }

  private static let portmap = [
    (#""snat": 1"#, "snat: 1 is not true or false"),
    (#""masqAll": true, "snat": false"#, #"masqAll: true excludes "snat": false"#),
    (
      #""sourceRanges": ["10.1.0.1/24"]"#,
      "sourceRanges[0]: 10.1.0.1/24 has bits beyond its length; the range is 10.1.0.0/24"
    ),
    (#""checkListener": "no""#, #"checkListener: "no" is not true or false"#),
    (#""backend": "ipfw""#, #"backend: "ipfw" is not "nftables""#),
    (
      #""markMasqBit": 13"#,
      "markMasqBit: 13 is not supported; what is to be masqueraded is found without marks; leave it "
        + "out"
    ),
    (
      #""externalSetMarkChain": "KUBE-MARK-MASQ""#,
      #"externalSetMarkChain: "KUBE-MARK-MASQ" is not supported; what is to be masqueraded is found "#
        + "without marks; leave it out"
    ),
    (
      #""conditionsV4": ["-s", "10.1.0.0/16"]"#,
      #"conditionsV4: ["-s", "10.1.0.0/16"] is not supported; these are words of iptables; "#
        + "sourceRanges limits who reaches the ports"
    ),
    (
      #""conditionsV6": ["x"]"#,
      #"conditionsV6: ["x"] is not supported; these are words of iptables; sourceRanges limits who "#
        + "reaches the ports"
    ),
  ].map { WrongMember("portmap", $0, $1) }

  private static let ranges = #""ranges": [[{"subnet": "10.1.0.0/24"}]]"#

  static let hostLocal =
    [
      (
        #""subnet": "x""#,
        #"ipam.subnet: "x" is no CIDR: no prefix length; write it as ADDRESS/LENGTH"#
      ),
      (
        #""subnet": "10.1.0.0/24", "rangeStart": "10.2.0.1""#,
        "ipam.rangeStart: RangeStart 10.2.0.1 not in network 10.1.0.0/24"
      ),
      (
        #""subnet": "10.1.0.0/24", "rangeEnd": "10.2.0.1""#,
        "ipam.rangeEnd: RangeEnd 10.2.0.1 not in network 10.1.0.0/24"
      ),
      (#""subnet": "10.1.0.0/24", "gateway": "x""#, #"ipam.gateway: "x" is not an IP address"#),
      (#""subnet": "10.1.0.0/24", "exclude": "x""#, #"ipam.exclude: "x" is not an array"#),
      (#""ranges": 5"#, "ipam.ranges: 5 is not an array"),
      (
        #""ranges": [[{"subnet": "10.1.0.0/33"}]]"#,
        #"ipam.ranges[0][0].subnet: "10.1.0.0/33" is no CIDR: prefix length "33" is not in 0…32"#
      ),
      (
        #""ranges": [[{"subnet": "10.1.0.0/24", "rangeStart": "x"}]]"#,
        #"ipam.ranges[0][0].rangeStart: "x" is not an IP address"#
      ),
      (
        #""ranges": [[{"subnet": "10.1.0.0/24", "rangeEnd": 5}]]"#,
        "ipam.ranges[0][0].rangeEnd: 5 is not a string"
      ),
      (
        #""ranges": [[{"subnet": "10.1.0.0/24", "gateway": "fd00::1"}]]"#,
        "ipam.ranges[0][0].gateway: fd00::1 is not of the family of 10.1.0.0/24"
      ),
      (
        #""ranges": [[{"subnet": "10.1.0.0/24", "exclude": ["10.2.0.0/28"]}]]"#,
        "ipam.ranges[0][0].exclude[0]: 10.2.0.0…10.2.0.15 is not in 10.1.0.0/24"
      ),
      (
        #"\#(ranges), "routes": [{"dst": "x"}]"#,
        #"ipam.routes[0].dst: "x" is no CIDR: no prefix length; write it as ADDRESS/LENGTH"#
      ),
      (
        #"\#(ranges), "routes": [{"dst": "0.0.0.0/0", "gw": "fd00::1"}]"#,
        "ipam.routes[0].gw: fd00::1 is not of the family of 0.0.0.0/0"
      ),
      (
        #"\#(ranges), "routes": [{"dst": "0.0.0.0/0", "mtu": -1}]"#,
        "ipam.routes[0].mtu: -1 is not in 0…65535"
      ),
      (
        #"\#(ranges), "routes": [{"dst": "0.0.0.0/0", "advmss": "x"}]"#,
        #"ipam.routes[0].advmss: "x" is not an integer in 0…65535"#
      ),
      (
        #"\#(ranges), "routes": [{"dst": "0.0.0.0/0", "priority": -1}]"#,
        "ipam.routes[0].priority: -1 is not in 0…4294967295"
      ),
      (
        #"\#(ranges), "routes": [{"dst": "0.0.0.0/0", "table": -1}]"#,
        "ipam.routes[0].table: -1 is not in 0…4294967295"
      ),
      (
        #"\#(ranges), "routes": [{"dst": "0.0.0.0/0", "scope": 256}]"#,
        "ipam.routes[0].scope: 256 is not in 0…255"
      ),
      (#"\#(ranges), "routes": {}"#, "ipam.routes: an object is not an array"),
      (#"\#(ranges), "dataDir": 5"#, "ipam.dataDir: 5 is not a string"),
      (#"\#(ranges), "resolvConf": 5"#, "ipam.resolvConf: 5 is not a string"),
      (
        #"\#(ranges), "reclaimAfterReboot": "no""#,
        #"ipam.reclaimAfterReboot: "no" is not true or false"#
      ),
      (#"\#(ranges), "sticky": "never""#, #"ipam.sticky: "never" is neither "name" nor "mac""#),
      (#"\#(ranges), "reservations": {}"#, "ipam.reservations: an object is not an array"),
      (
        #"\#(ranges), "reservations": [{"name": 5, "ip": "10.1.0.9"}]"#,
        "ipam.reservations[0].name: 5 is not a string"
      ),
      (
        #"\#(ranges), "reservations": [{"mac": "x", "ip": "10.1.0.9"}]"#,
        #"ipam.reservations[0].mac: "x" is not a MAC address; write it as 02:00:00:00:00:01"#
      ),
      (
        #"\#(ranges), "reservations": [{"containerID": 5, "ip": "10.1.0.9"}]"#,
        "ipam.reservations[0].containerID: 5 is not a string"
      ),
      (
        #"\#(ranges), "reservations": [{"name": "a", "ip": "10.2.0.9"}]"#,
        "ipam.reservations[0].ip: 10.2.0.9 is in no subnet of the ranges: 10.1.0.0/24"
      ),
    ].map { WrongMember("host-local", $0, $1) }

  private static let address = #""addresses": [{"address": "10.1.0.5/24"}]"#

  private static let fixed =
    [
      (#""addresses": {}"#, "ipam.addresses: an object is not an array"),
      (
        #""addresses": [{"address": "10.1.0.5"}]"#,
        #"ipam.addresses[0].address: "10.1.0.5": no prefix length; write it as ADDRESS/LENGTH"#
      ),
      (
        #""addresses": [{"address": "10.1.0.5/24", "gateway": "x"}]"#,
        #"ipam.addresses[0].gateway: "x" is not an IP address"#
      ),
      (#"\#(address), "routes": [{"dst": 5}]"#, "ipam.routes[0].dst: 5 is not a string"),
      (#"\#(address), "routes": 5"#, "ipam.routes: 5 is not an array"),
      (#"\#(address), "dns": 5"#, "ipam.dns: 5 is not an object"),
      (#"\#(address), "dns": {"search": "x"}"#, #"ipam.dns.search: "x" is not an array"#),
    ].map { WrongMember("static", $0, $1) }

  private static let mirrors = ["producer", "consumer"].flatMap { role in
    [
      (#""bridge": """#, "bridge: missing; the name of an Open vSwitch bridge is required"),
      (#""mirrors": []"#, #"mirrors: empty; at least one {"name": …} is required"#),
      (
        #""mirrors": [{"ingress": true}]"#,
        "mirrors[0].name: missing; the name of a mirror is required"
      ),
      (
        #""mirrors": [{"name": "m", "ingress": true}], "socket_file": "x""#,
        #"socket_file: "x" is not an OVSDB endpoint: unix:/PATH, tcp:IP:PORT or "#
          + "tcp:[IPv6]:PORT is legal"
      ),
      (
        #""mirrors": [{"name": "m", "ingress": true}], "configuration_path": 5"#,
        "configuration_path: 5 is not a string"
      ),
      (
        #""mirrors": [{"name": "m", "ingress": true, "output_vlan": 4096}]"#,
        "mirrors[0].output_vlan: 4096 is not in 1…4095"
      ),
      (
        #""mirrors": [{"name": "m", "ingress": "x"}]"#,
        #"mirrors[0].ingress: "x" is not true or false"#
      ),
      (
        #""mirrors": [{"name": "m", "ingress": true, "egress": 1}]"#,
        "mirrors[0].egress: 1 is not true or false"
      ),
      (
        #""mirrors": [{"name": "m", "ingress": true, "select_vlan": 4096}]"#,
        "mirrors[0].select_vlan: 4096 is not in 0…4095"
      ),
    ].map { members, message in
      WrongMember(
        "ovs-mirror-\(role)",
        members.hasPrefix(#""bridge""#)
          ? #"\#(members), "mirrors": [{"name": "m", "ingress": true}]"#
          : #""bridge": "b", \#(members)"#, message)
    }
  }
}
