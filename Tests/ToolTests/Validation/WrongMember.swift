import Testing

/// A wrong value of a member. What the plugin that refuses it says is in Tests/Golden.
struct WrongMember: CustomTestStringConvertible, Sendable {
  let plugin: String
  /// What the plugin's configuration has besides its type, or besides `ipam.type`.
  let members: String
  /// Where the fault is: `trunk[0].minID`.
  let path: String
  var testDescription: String { "\(plugin): \(members)" }

  init(_ plugin: String, _ members: String, _ path: String) {
    (self.plugin, self.members, self.path) = (plugin, members, path)
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
    let names = path.split(separator: ".").map { step in step.prefix { $0 != "[" } }
    return "\(plugin) \(names.joined(separator: "."))"
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
      WrongMember(plugin, #""timeout": 0\#(rest)"#, "timeout"),
      WrongMember(plugin, #""logLevel": "loud"\#(rest)"#, "logLevel"),
      WrongMember(plugin, #""logFile": "x"\#(rest)"#, "logFile"),
      WrongMember(plugin, #""ignoreArgs": "yes"\#(rest)"#, "ignoreArgs"),
    ]
  }

  private static let portmap = [
    (#""snat": 1"#, "snat"),
    (#""masqAll": true, "snat": false"#, "masqAll"),
    (#""sourceRanges": ["10.1.0.1/24"]"#, "sourceRanges[0]"),
    (#""checkListener": "no""#, "checkListener"),
    (#""backend": "ipfw""#, "backend"),
    (#""markMasqBit": 13"#, "markMasqBit"),
    (#""externalSetMarkChain": "KUBE-MARK-MASQ""#, "externalSetMarkChain"),
    (#""conditionsV4": ["-s", "10.1.0.0/16"]"#, "conditionsV4"),
    (#""conditionsV6": ["x"]"#, "conditionsV6"),
  ].map { WrongMember("portmap", $0, $1) }

  static let ovsBridge =
    [
      (#""bridge": "sixteen-letters-""#, "bridge"),
      (#""datapath": "fast""#, "datapath"),
      (#""vlan": 4095"#, "vlan"),
      (#""trunk": [{"id": 4096}]"#, "trunk[0].id"),
      (#""trunk": "10,20-4096""#, "trunk"),
      (#""trunk": [{"minID": -1, "maxID": 3}]"#, "trunk[0].minID"),
      (#""trunk": [{"minID": 1, "maxID": 4096}]"#, "trunk[0].maxID"),
      (#""vlanTrunk": [{"id": "x"}]"#, "vlanTrunk[0].id"),
      (#""vlanTrunk": [{"minID": "x", "maxID": 9}]"#, "vlanTrunk[0].minID"),
      (#""vlanTrunk": [{"minID": 1, "maxID": "x"}]"#, "vlanTrunk[0].maxID"),
      (#""vlanMode": "both""#, "vlanMode"),
      (#""mtu": 67"#, "mtu"),
      (
        #""mac": "zz""#, "mac"
      ),
      (#""trunk": 5"#, "trunk"),
      (#""vlanTrunk": {}"#, "vlanTrunk"),
      (#""bandwidth": 5"#, "bandwidth"),
      (#""bandwidth": {"ingressRate": 10, "ingressBurst": 10}"#, "bandwidth.ingressRate"),
      (#""bandwidth": {"ingressRate": 1000}"#, "bandwidth.ingressBurst"),
      (#""bandwidth": {"egressBurst": 10}"#, "bandwidth.egressRate"),
      (#""bandwidth": {"egressRate": 1000, "egressBurst": -1}"#, "bandwidth.egressBurst"),
      (#""ofport_request": 65280"#, "ofport_request"),
      (#""interface_type": 5"#, "interface_type"),
      (#""interface_type": "internal""#, "interface_type"),
      (#""socket_file": "ssl:1.2.3.4:6640""#, "socket_file"),
      (#""configuration_path": 5"#, "configuration_path"),
      (#""link_state_check_retries": -1"#, "link_state_check_retries"),
      (#""link_state_check_interval": 1000001"#, "link_state_check_interval"),
      (#""external_ids": {"owner": "me"}"#, "external_ids.owner"),
      (#""external_ids": []"#, "external_ids"),
      (#""forward": "drop""#, "forward"),
      (
        #""isGateway": true, "ipam": {"type": "host-local", "subnet": "10.1.0.0/31"}"#,
        "ipam.subnet"
      ),
      (
        #""isGateway": true, "ipam": {"type": "cluster", "ranges": [[{"subnet": "fd00::/127"}]]}"#,
        "ipam.ranges[0][0].subnet"
      ),
      (#""hairpinMode": true"#, "hairpinMode"),
      (#""promiscMode": true"#, "promiscMode"),
      (#""guard": 5"#, "guard"),
      (#""guard": true"#, "guard"),
      (#""ipam": {"type": "static"}, "guard": {"mode": "ip"}"#, "guard.mode"),
      (#""ipam": {"type": "static"}, "guard": {"linkLocal": "x"}"#, "guard.linkLocal"),
      (#""ipam": {"type": "static"}, "guard": {"dhcpClient": 1}"#, "guard.dhcpClient"),
      (#""ipam": {"type": "static"}, "guard": {"allowed": [{}]}"#, "guard.allowed[0]"),
      (
        #""ipam": {"type": "static"}, "guard": {"allowed": [{"mac": "zz"}]}"#,
        "guard.allowed[0].mac"
      ),
      (#""guard": {"allowed": [{"ips": ["10.1.0.5/24"]}]}"#, "guard.allowed[0].ips[0]"),
      (#""guard": false, "macspoofchk": true"#, "guard"),
      (#""macspoofchk": "yes""#, "macspoofchk"),
      (#""guard": "mac", "interface_type": "afxdp""#, "interface_type"),
      (#""deviceID": "0000:01:00.0""#, "deviceID"),
      (#""ipMasqBackend": "iptables""#, "ipMasqBackend"),
      (#""dns": 5"#, "dns"),
      (#""dns": {"nameservers": "x"}"#, "dns.nameservers"),
      (#""args": {"cni": {"mac": 5}}"#, "args.cni.mac"),
      (#""args": {"cni": {"ovnPort": 5}}"#, "args.cni.ovnPort"),
    ].map { members, path in
      WrongMember(
        "ovs-bridge", members.hasPrefix(#""bridge""#) ? members : #""bridge": "b", \#(members)"#,
        path)
    }
    + [
      "createBridge", "isGateway", "isDefaultGateway", "forceAddress", "ipMasq", "portIsolation",
      "enableDAD", "promisc", "disableContainerInterface", "acceptRA", "stp",
    ].map { name in
      WrongMember(
        "ovs-bridge", #""bridge": "b", "\#(name)": "yes""#, name)
    }

  private static let ranges = #""ranges": [[{"subnet": "10.1.0.0/24"}]]"#

  static let hostLocal =
    [
      (#""subnet": "x""#, "ipam.subnet"),
      (#""subnet": "10.1.0.0/24", "rangeStart": "10.2.0.1""#, "ipam.rangeStart"),
      (#""subnet": "10.1.0.0/24", "rangeEnd": "10.2.0.1""#, "ipam.rangeEnd"),
      (#""subnet": "10.1.0.0/24", "gateway": "x""#, "ipam.gateway"),
      (#""subnet": "10.1.0.0/24", "exclude": "x""#, "ipam.exclude"),
      (#""ranges": 5"#, "ipam.ranges"),
      (#""ranges": [[{"subnet": "10.1.0.0/33"}]]"#, "ipam.ranges[0][0].subnet"),
      (
        #""ranges": [[{"subnet": "10.1.0.0/24", "rangeStart": "x"}]]"#,
        "ipam.ranges[0][0].rangeStart"
      ),
      (#""ranges": [[{"subnet": "10.1.0.0/24", "rangeEnd": 5}]]"#, "ipam.ranges[0][0].rangeEnd"),
      (
        #""ranges": [[{"subnet": "10.1.0.0/24", "gateway": "fd00::1"}]]"#,
        "ipam.ranges[0][0].gateway"
      ),
      (
        #""ranges": [[{"subnet": "10.1.0.0/24", "exclude": ["10.2.0.0/28"]}]]"#,
        "ipam.ranges[0][0].exclude[0]"
      ),
      (#"\#(ranges), "routes": [{"dst": "x"}]"#, "ipam.routes[0].dst"),
      (#"\#(ranges), "routes": [{"dst": "0.0.0.0/0", "gw": "fd00::1"}]"#, "ipam.routes[0].gw"),
      (#"\#(ranges), "routes": [{"dst": "0.0.0.0/0", "mtu": -1}]"#, "ipam.routes[0].mtu"),
      (#"\#(ranges), "routes": [{"dst": "0.0.0.0/0", "advmss": "x"}]"#, "ipam.routes[0].advmss"),
      (#"\#(ranges), "routes": [{"dst": "0.0.0.0/0", "priority": -1}]"#, "ipam.routes[0].priority"),
      (#"\#(ranges), "routes": [{"dst": "0.0.0.0/0", "table": -1}]"#, "ipam.routes[0].table"),
      (#"\#(ranges), "routes": [{"dst": "0.0.0.0/0", "scope": 256}]"#, "ipam.routes[0].scope"),
      (#"\#(ranges), "routes": {}"#, "ipam.routes"),
      (#"\#(ranges), "dataDir": 5"#, "ipam.dataDir"),
      (#"\#(ranges), "resolvConf": 5"#, "ipam.resolvConf"),
      (#"\#(ranges), "reclaimAfterReboot": "no""#, "ipam.reclaimAfterReboot"),
      (#"\#(ranges), "sticky": "never""#, "ipam.sticky"),
      (#"\#(ranges), "reservations": {}"#, "ipam.reservations"),
      (
        #"\#(ranges), "reservations": [{"name": 5, "ip": "10.1.0.9"}]"#,
        "ipam.reservations[0].name"
      ),
      (
        #"\#(ranges), "reservations": [{"mac": "x", "ip": "10.1.0.9"}]"#,
        "ipam.reservations[0].mac"
      ),
      (
        #"\#(ranges), "reservations": [{"containerID": 5, "ip": "10.1.0.9"}]"#,
        "ipam.reservations[0].containerID"
      ),
      (
        #"\#(ranges), "reservations": [{"name": "a", "ip": "10.2.0.9"}]"#,
        "ipam.reservations[0].ip"
      ),
    ].map { WrongMember("host-local", $0, $1) }

  private static let address = #""addresses": [{"address": "10.1.0.5/24"}]"#

  private static let fixed =
    [
      (#""addresses": {}"#, "ipam.addresses"),
      (#""addresses": [{"address": "10.1.0.5"}]"#, "ipam.addresses[0].address"),
      (#""addresses": [{"address": "10.1.0.5/24", "gateway": "x"}]"#, "ipam.addresses[0].gateway"),
      (#"\#(address), "routes": [{"dst": 5}]"#, "ipam.routes[0].dst"),
      (#"\#(address), "routes": 5"#, "ipam.routes"),
      (#"\#(address), "dns": 5"#, "ipam.dns"),
      (#"\#(address), "dns": {"search": "x"}"#, "ipam.dns.search"),
    ].map { WrongMember("static", $0, $1) }

  private static let mirrors = ["producer", "consumer"].flatMap { role in
    [
      (#""bridge": """#, "bridge"),
      (#""mirrors": []"#, "mirrors"),
      (#""mirrors": [{"ingress": true}]"#, "mirrors[0].name"),
      (#""mirrors": [{"name": "m", "ingress": true}], "socket_file": "x""#, "socket_file"),
      (
        #""mirrors": [{"name": "m", "ingress": true}], "configuration_path": 5"#,
        "configuration_path"
      ),
      (
        #""mirrors": [{"name": "m", "ingress": true, "output_vlan": 4096}]"#,
        "mirrors[0].output_vlan"
      ),
      (#""mirrors": [{"name": "m", "ingress": "x"}]"#, "mirrors[0].ingress"),
      (#""mirrors": [{"name": "m", "ingress": true, "egress": 1}]"#, "mirrors[0].egress"),
      (
        #""mirrors": [{"name": "m", "ingress": true, "select_vlan": 4096}]"#,
        "mirrors[0].select_vlan"
      ),
    ].map { members, path in
      WrongMember(
        "ovs-mirror-\(role)",
        members.hasPrefix(#""bridge""#)
          ? #"\#(members), "mirrors": [{"name": "m", "ingress": true}]"#
          : #""bridge": "b", \#(members)"#, path)
    }
  }
}
