extension Subject {
  /// Well-formed inputs, from which others are made.
  public var samples: [[UInt8]] {
    switch self {
    case .json: texts(Samples.configurations + Samples.results + Samples.answers)
    case .configuration: texts(Samples.configurations)
    case .cache: texts(Samples.results)
    case .ovsdb: texts(Samples.answers)
    case .addresses:
      texts([
        "10.1.2.3", "10.0.0.0/8", "255.255.255.255/32", "::", "::1/128", "fd00:1:2:3::4/64",
        "::ffff:10.1.2.3", "1:2:3:4:5:6:7:8", "02:11:22:33:44:55", "0.0.0.0/0", "::/0",
      ])
    case .arguments:
      texts([
        "IgnoreUnknown=1;K8S_POD_NAMESPACE=a;K8S_POD_NAME=b;IP=10.1.2.3/24",
        "MAC=02:00:00:00:00:01",
        "ADD\nc1\neth0\n/run/netns/a\n/opt/cni/bin:/b\nIP=::1", "GC\n\n\n\n/opt/cni/bin\n",
      ])
    case .netlink: Samples.datagrams
    case .leases:
      texts(["\u{0}c1\r\neth0", "\u{0}c1", "\u{1}10.0.0.7", "\u{2}1f 2e 1700000000000000000 end"])
        + [[3] + [UInt8](repeating: 0, count: 128)]
        + (1...12).map { [4, 0, $0, 0, 0, 0, 0, 0, 0, 0, 9] }
        + [[4] + [UInt8](repeating: 0xff, count: 40)]
    }
  }

  private func texts(_ list: [String]) -> [[UInt8]] { list.map { Array($0.utf8) } }

  /// Pieces that inputs of this kind are made of.
  public var words: [[UInt8]] {
    let integers = ["0", "-1", "4095", "65536", "9223372036854775807", "1e999", "-0.0", "null"]
    let json = ["{", "}", "[", "]", "\"", ":", ",", "\\u0000", "\\ud800", "true", "{}", "[[]]"]
    switch self {
    case .netlink, .leases:
      return [
        [0, 0, 0, 0], [4, 0, 1, 0], [0xff, 0xff], [0xff, 0xff, 0xff, 0x7f], [16, 0, 0, 0],
      ]
    case .addresses: return texts([":", "::", ".", "/", "255", "ffff", "0", "128", "%eth0"])
    case .arguments: return texts([";", "=", "\n", "..", "/", "IP", "a=b", "\u{0}"])
    case .json, .configuration, .cache, .ovsdb: return texts(integers + json)
    }
  }
}

private enum Samples {
  static let configurations = [
    #"{"cniVersion":"1.1.0","name":"n","type":"ovs-bridge","bridge":"br1","vlan":7,"mtu":1400,"trunk":[{"id":5},{"minID":9,"maxID":4000}],"mac":"02:00:00:00:00:01","bandwidth":{"ingressRate":1000000,"ingressBurst":100000},"external_ids":{"a":"b"},"ofport_request":9,"timeout":3,"isGateway":true,"ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.0.0/16","rangeStart":"10.1.0.9","rangeEnd":"10.1.9.9","gateway":"10.1.0.1","exclude":["10.1.0.0/28","10.1.1.1","10.1.2.2-10.1.2.9"]}],[{"subnet":"fd00::/64"}]],"routes":[{"dst":"0.0.0.0/0","gw":"10.1.0.1","mtu":1400,"table":7}],"reservations":[{"name":"a/b","ip":"10.1.0.50"}],"sticky":"name","dataDir":"/tmp/x"}}"#,
    #"{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"ovs-bridge","bridge":"b","capabilities":{"mac":true,"ips":true}},{"type":"portmap"}],"disableCheck":"true"}"#,
    #"{"cniVersion":"0.4.0","name":"n","type":"static","ipam":{"type":"static","addresses":[{"address":"10.1.2.3/24","gateway":"10.1.2.1"},{"address":"fd00::5/64"}],"routes":[{"dst":"::/0"}],"dns":{"nameservers":["10.1.0.1"],"search":["a"]}},"runtimeConfig":{"ips":["10.1.2.9/24"]},"args":{"cni":{"ips":["10.1.2.8"]}}}"#,
    #"{"name":"n","type":"ovs-bridge","bridge":"b","cni.dev/valid-attachments":[{"containerID":"a","ifname":"eth0"}],"prevResult":{"ips":[]}}"#,
    #"{"name":"n","type":"ovs-bridge","bridge":"b","vlanMode":"dot1q-tunnel","vlan":0,"trunk":[{"minID":0,"maxID":4094}]}"#,
  ]
  static let results = [
    #"{"cniVersion":"1.1.0","interfaces":[{"name":"veth1","mac":"02:00:00:00:00:01","mtu":1500},{"name":"eth0","sandbox":"/run/netns/a"}],"ips":[{"address":"10.1.2.3/24","gateway":"10.1.2.1","interface":1},{"address":"fd00::2/64"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.1.2.1","mtu":1400,"advmss":1360,"priority":5,"table":9,"scope":0}],"dns":{"nameservers":["10.1.0.1"],"domain":"a","search":["b"],"options":["c"]}}"#,
    #"{"cniVersion":"0.2.0","ip4":{"ip":"10.1.2.3/24","gateway":"10.1.2.1","routes":[{"dst":"0.0.0.0/0"}]},"ip6":{"ip":"fd00::2/64"},"dns":{}}"#,
    #"{"kind":"cniCacheV1","containerId":"c","config":"eyJhIjoxfQ==","ifName":"eth0","networkName":"n","netns":"/run/netns/a","cniArgs":[["IP","10.1.2.3"]],"capabilityArgs":{"mac":"x"},"result":{"cniVersion":"1.0.0","ips":[]}}"#,
    #"{"cniVersion":"1.1.0","code":11,"msg":"a","details":"b"}"#,
  ]
  static let answers = [
    #"{"id":1,"result":[{"rows":[{"_uuid":["uuid","36bef046-7da7-43a5-905a-c17899216fcb"],"name":"br1","ports":["set",[["uuid","36bef046-7da7-43a5-905a-c17899216fcb"]]],"external_ids":["map",[["a","b"]]]}]},{"count":1},{"uuid":["uuid","36bef046-7da7-43a5-905a-c17899216fcb"]},{}],"error":null}"#,
    #"{"Interface":{"a":{"insert":{"name":"v0","ofport":1}},"b":{"modify":{"ofport":["set",[]],"error":"x"}},"c":{"delete":null},"d":{"initial":{"ifindex":7}}},"Port":{"e":{"initial":{"trunks":["set",[1,2,3]],"tag":5,"external_ids":["map",[["a","1"]]]}}},"Open_vSwitch":{"f":{"initial":{"cur_cfg":7}}}}"#,
    #"{"Interface":{"a":{"new":{"name":"v0","ofport":1},"old":{"ofport":["set",[]]}}}}"#,
    #"{"method":"update2","params":[1,{"Interface":{"a":{"insert":{"name":"v0"}}}}],"id":null}"#,
    #"[{"error":"constraint violation","details":"a"},{"count":0}]"#,
    #"{"id":1,"result":"Flow: icmp,in_port=a\n\nbridge(\"b\")\n---\n 0. in_port=a, priority 9, cookie 0x7\n    NORMAL\n     -> no learned MAC for destination, flooding\n\nDatapath actions: push_vlan(vid=10,pcp=0),b,pop_vlan,\"c d\"\n","error":null}"#,
    #"{"id":1,"error":"no such bridge\n"}{"id":2,"result":"OK"}"#,
    "Flow: ip\n 2. No match.\n    drop\nDatapath actions: ct(zone=1),recirc(0x2)\n===\nFlow: ip\n>>>> dropping <<<<\nTranslation failed (Forwarding is disabled), packet is dropped.\n",
  ]
  /// A link and an address with their attributes; a refusal with the kernel's words.
  static let datagrams: [[UInt8]] = [
    message(
      16,
      [0, 0, 1, 0, 7, 0, 0, 0, 0x43, 0x10, 1, 0, 0, 0, 0, 0]
        + attribute(3, Array("veth0\0".utf8)) + attribute(4, [0x78, 5, 0, 0])
        + attribute(1, [2, 0, 0, 0, 0, 1]) + attribute(20, Array("patchbay:a/b/c\0".utf8))
        + attribute(18, attribute(1, Array("veth\0".utf8)) + attribute(2, attribute(1, [0]))))
      + message(3, [0, 0, 0, 0]),
    message(
      20,
      [2, 24, 0x80, 0, 7, 0, 0, 0] + attribute(1, [10, 1, 2, 3]) + attribute(2, [10, 1, 2, 3])),
    message(
      24,
      [2, 16, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0] + attribute(1, [10, 1, 0, 0])
        + attribute(5, [10, 1, 2, 1]) + attribute(4, [7, 0, 0, 0])
        + attribute(8, attribute(2, [0x78, 5, 0, 0]))
        + attribute(9, [16, 0, 0, 0, 7, 0, 0, 0] + attribute(5, [10, 1, 2, 1]))),
    message(
      2,
      [0xea, 0xff, 0xff, 0xff] + [20, 0, 0, 0, 16, 0, 5, 0, 1, 0, 0, 0, 0, 0, 0, 0]
        + attribute(1, Array("no\0".utf8)) + attribute(2, [4, 0, 0, 0]), flags: 0x300),
  ]

  private static func attribute(_ type: UInt8, _ value: [UInt8]) -> [UInt8] {
    let padding = [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
    let length = value.count + 4
    return [UInt8(length & 0xff), UInt8(length >> 8), type, 0] + value + padding
  }
  private static func message(_ type: UInt8, _ body: [UInt8], flags: UInt16 = 2) -> [UInt8] {
    let length = body.count + 16
    return [UInt8(length & 0xff), UInt8(length >> 8), 0, 0, type, 0]
      + [UInt8(flags & 0xff), UInt8(flags >> 8), 1, 0, 0, 0, 0, 0, 0, 0] + body
  }
}
