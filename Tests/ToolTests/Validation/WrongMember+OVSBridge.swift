extension WrongMember {
  static let ovsBridge =
    [
      (
        #""bridge": "sixteen-letters-""#,
        #"bridge: "sixteen-letters-" is not a bridge name: 1…15 bytes, without "/", ":" and white "#
          + #"space, not "." or "..""#
      ),
      (#""datapath": "fast""#, #"datapath: "fast" is not one of auto, system, netdev"#),
      (#""vlan": 4095"#, "vlan: 4095 is not in 0…4094"),
      (#""trunk": [{"id": 4096}]"#, "trunk[0].id: 4096 is not in 0…4095"),
      (#""trunk": [{"minID": -1, "maxID": 3}]"#, "trunk[0].minID: -1 is not in 0…4095"),
      (#""trunk": [{"minID": 1, "maxID": 4096}]"#, "trunk[0].maxID: 4096 is not in 0…4095"),
      (#""vlanTrunk": [{"id": "x"}]"#, #"vlanTrunk[0].id: "x" is not an integer in 0…4095"#),
      (
        #""vlanTrunk": [{"minID": "x", "maxID": 9}]"#,
        #"vlanTrunk[0].minID: "x" is not an integer in 0…4095"#
      ),
      (
        #""vlanTrunk": [{"minID": 1, "maxID": "x"}]"#,
        #"vlanTrunk[0].maxID: "x" is not an integer in 0…4095"#
      ),
      (
        #""vlanMode": "both""#,
        #"vlanMode: "both" is not one of access, trunk, native-tagged, native-untagged, "#
          + "dot1q-tunnel"
      ),
      (#""mtu": 67"#, "mtu: 67 is not in 68…65535"),
      (
        #""mac": "zz""#, #"mac: "zz" is not a MAC address; write it as 02:00:00:00:00:01"#
      ),
      (#""trunk": 5"#, "trunk: 5 is not an array"),
      (#""vlanTrunk": {}"#, "vlanTrunk: an object is not an array"),
      (#""bandwidth": 5"#, "bandwidth: 5 is not an object"),
      (
        #""bandwidth": {"ingressRate": 10, "ingressBurst": 10}"#,
        "bandwidth.ingressRate: 10 is not in 1000…1125899906842624 bits/s"
      ),
      (
        #""bandwidth": {"ingressRate": 1000}"#,
        "bandwidth.ingressBurst: missing or 0, and its rate is 1000 bits/s"
      ),
      (
        #""bandwidth": {"egressBurst": 10}"#,
        "bandwidth.egressRate: missing or 0, and its burst is 10 bits"
      ),
      (
        #""bandwidth": {"egressRate": 1000, "egressBurst": -1}"#,
        "bandwidth.egressBurst: -1 is not in 0…1125899906842624"
      ),
      (#""ofport_request": 65280"#, "ofport_request: 65280 is not in 1…65279"),
      (#""interface_type": 5"#, "interface_type: 5 is not a string"),
      (
        #""socket_file": "ssl:1.2.3.4:6640""#,
        #"socket_file: "ssl:1.2.3.4:6640" is not an OVSDB endpoint: only unix: and tcp: are "#
          + "supported, ssl: is not"
      ),
      (#""configuration_path": 5"#, "configuration_path: 5 is not a string"),
      (
        #""link_state_check_retries": -1"#,
        "link_state_check_retries: -1 is not in 0…1000000"
      ),
      (
        #""link_state_check_interval": 1000001"#,
        "link_state_check_interval: 1000001 is not in 0…1000000"
      ),
      (
        #""external_ids": {"owner": "me"}"#,
        "external_ids.owner: this key is written by the plugin; choose another"
      ),
      (#""external_ids": []"#, "external_ids: an array is not an object"),
      (#""forward": "drop""#, #"forward: "drop" is not one of accept, leave"#),
      (#""hairpinMode": true"#, unsupported("hairpinMode: true")),
      (#""promiscMode": true"#, unsupported("promiscMode: true")),
      (#""guard": 5"#, #"guard: 5 is not true, false, "mac" or an object"#),
      (
        #""guard": true"#,
        "guard: without \"ipam\" there are no addresses that could pass; name them in "
          + "\"guard\": {\"allowed\": [{\"ips\": […]}]}, or write \"mac\""
      ),
      (
        #""ipam": {"type": "static"}, "guard": {"mode": "ip"}"#,
        #"guard.mode: "ip" is not one of mac, full"#
      ),
      (
        #""ipam": {"type": "static"}, "guard": {"linkLocal": "x"}"#,
        #"guard.linkLocal: "x" is not one of eui64, any"#
      ),
      (
        #""ipam": {"type": "static"}, "guard": {"dhcpClient": 1}"#,
        "guard.dhcpClient: 1 is not true or false"
      ),
      (
        #""ipam": {"type": "static"}, "guard": {"allowed": [{}]}"#,
        #"guard.allowed[0]: has neither "mac" nor "ips""#
      ),
      (
        #""ipam": {"type": "static"}, "guard": {"allowed": [{"mac": "zz"}]}"#,
        #"guard.allowed[0].mac: "zz" is not a MAC address; write it as 02:00:00:00:00:01"#
      ),
      (
        #""guard": {"allowed": [{"ips": ["10.1.0.5/24"]}]}"#,
        #"guard.allowed[0].ips[0]: "10.1.0.5/24" has bits beyond its prefix; write "10.1.0.5" "#
          + #"for the address, "10.1.0.0/24" for all of the subnet"#
      ),
      (
        #""guard": false, "macspoofchk": true"#,
        #"guard: false and "macspoofchk": true exclude each other"#
      ),
      (#""macspoofchk": "yes""#, #"macspoofchk: "yes" is not true or false"#),
      (
        #""guard": "mac", "interface_type": "afxdp""#,
        #"interface_type: "afxdp" and a guard exclude each other: a guard is on the host end of "#
          + #"a veth pair, which only an interface of type "" or "system" uses"#
      ),
      (#""deviceID": "0000:01:00.0""#, unsupported(#"deviceID: "0000:01:00.0""#)),
      (#""ipMasqBackend": "iptables""#, unsupported(#"ipMasqBackend: "iptables""#)),
      (#""dns": 5"#, "dns: 5 is not an object"),
      (#""dns": {"nameservers": "x"}"#, #"dns.nameservers: "x" is not an array"#),
      (#""args": {"cni": {"mac": 5}}"#, "args.cni.mac: 5 is not a string"),
      (#""args": {"cni": {"ovnPort": 5}}"#, "args.cni.ovnPort: 5 is not a string"),
    ].map { members, message in
      WrongMember(
        "ovs-bridge", members.hasPrefix(#""bridge""#) ? members : #""bridge": "b", \#(members)"#,
        message)
    }
    + [
      "createBridge", "isGateway", "isDefaultGateway", "forceAddress", "ipMasq", "portIsolation",
      "enableDAD", "promisc", "disableContainerInterface", "acceptRA", "stp",
    ].map { name in
      WrongMember(
        "ovs-bridge", #""bridge": "b", "\#(name)": "yes""#,
        #"\#(name): "yes" is not true or false"#)
    }

  private static func unsupported(_ member: String) -> String {
    let reasons = [
      "hairpinMode": "an Open vSwitch bridge never sends a frame back to the port it came from",
      "promiscMode": "an Open vSwitch bridge needs no promiscuous link",
      "deviceID": "ports are veth pairs here, not functions of a PCI device",
      "ipMasqBackend": #"masquerading is done by "nftables""#,
    ]
    return "\(member) is not supported; \(reasons[String(member.prefix { $0 != ":" })] ?? "")"
  }
}
